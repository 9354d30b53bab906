//! Counters that are recorded into before they have a slot, where none can be given to them: an allocator that counts, while
//! we ask it for the memory to count with.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::definition::Descriptor;
use crate::label::LabelSet;
use crate::number::Number;
use crate::store::Inner;
use crate::store::deferred::{Recording, What};

/// What was added so far.
struct Early {
    descriptor: OnceLock<&'static Descriptor>,
    /// For each word of a cell.
    bits: [AtomicU64; 2],
}

/// As many counters as an allocator may have.
static ALL: [Early; 16] =
    [const { Early { descriptor: OnceLock::new(), bits: [const { AtomicU64::new(0) }; 2] } }; 16];

/// Keeps an amount until the next reading of the global store; false if there is no place for it.
#[cold]
pub(crate) fn add<N: Number>(descriptor: &'static Descriptor, word: u32, amount: N) -> bool {
    if !descriptor.labels.names.is_empty() {
        return false;
    }
    let is_ours = |early: &&Early| std::ptr::eq(*early.descriptor.get_or_init(|| descriptor), descriptor);
    let bits = ALL.iter().find(is_ours).and_then(|early| early.bits.get(word as usize));
    let plus = |before| Some(N::TYPE.plus(before, amount.bits()));
    bits.is_some_and(|bits| bits.fetch_update(Relaxed, Relaxed, plus).is_ok())
}

/// Hands what was kept to a store.
pub(crate) fn settle(store: &Inner) {
    for early in &ALL {
        let Some(descriptor) = early.descriptor.get().copied() else { continue };
        for (word, bits) in early.bits.iter().enumerate() {
            let bits = bits.swap(0, Relaxed);
            if bits != 0 {
                let what = What::Add { word: word as u32, number: descriptor.number, bits };
                if !store.deferred.push(|| Recording { descriptor, labels: LabelSet::default(), what }) {
                    let plus = |before| Some(descriptor.number.plus(before, bits));
                    let _ = early.bits[word].fetch_update(Relaxed, Relaxed, plus);
                }
            }
        }
    }
}
