//! A hash of labels that are too many or too long to be packed. It does not depend on their order.

use std::hash::{BuildHasher, RandomState};
use std::sync::Once;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::given::Pairs;
use super::packed::{WORDS, fold};
use super::value::ValueRef;

/// The hash of all labels, in two words. Only a hint: whoever finds a series by it compares the labels in full.
pub(crate) fn hash_of<P: Pairs + ?Sized>(pairs: &P) -> [u64; 2] {
    let seed = SEEDS[0].load(Relaxed);
    (0..pairs.count()).fold([0, 0], |sum: [u64; 2], at| {
        let (key, value) = pairs.pair(at);
        let words = match value {
            ValueRef::Absent => return sum,
            ValueRef::String(text) => bytes(text.as_bytes(), [seed, FIRST]),
            ValueRef::I64(value) => [value as u64, 1],
            ValueRef::U64(value) => [value, 2],
            ValueRef::F64(value) => [value.to_bits(), 3],
            ValueRef::Bool(value) => [u64::from(value), 4],
        };
        let key = bytes(key.as_bytes(), [seed, SECOND]);
        [
            sum[0].wrapping_add(fold(words[0] ^ key[0], words[1] ^ key[1])),
            sum[1].wrapping_add(fold(words[0] ^ key[1], words[1] ^ key[0] ^ SECOND)),
        ]
    })
}

fn bytes(text: &[u8], mut words: [u64; 2]) -> [u64; 2] {
    words[0] ^= text.len() as u64;
    for chunk in text.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        words = [fold(words[0] ^ word, FIRST), fold(words[1] ^ word, SECOND)];
    }
    words
}

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0x8bb8_4b93_962e_acc9;

static SEEDS: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

/// Random per process once there is a series, so that nobody outside can choose labels that collide. Before, and for
/// whoever sees it late, they are 0: then nothing is found, and the slow path looks again.
#[inline(always)]
pub(crate) fn seeds() -> &'static [AtomicU64; WORDS] {
    &SEEDS
}

/// Chooses the seeds, before the first series is made.
pub(crate) fn choose_seeds() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        let random = RandomState::new();
        for (at, seed) in SEEDS.iter().enumerate() {
            seed.store(random.hash_one(at), Relaxed);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_order_nor_absent_labels_change_the_hash_but_everything_else_does() {
        let base = [("a", ValueRef::String("ab")), ("b", ValueRef::String("c"))];
        let hash = hash_of(&base[..]);
        assert_eq!(hash, hash_of(&[base[1], base[0]][..]));
        assert_eq!(hash, hash_of(&[base[0], ("x", ValueRef::Absent), base[1]][..]));
        for other in [
            [("a", ValueRef::String("a")), ("b", ValueRef::String("bc"))],
            [("a", ValueRef::String("c")), ("b", ValueRef::String("ab"))],
            [("a", ValueRef::String("ab")), ("c", ValueRef::String("c"))],
            [("a", ValueRef::I64(1)), ("b", ValueRef::String("c"))],
        ] {
            assert_ne!(hash, hash_of(&other[..]));
        }
        assert_ne!(hash_of(&[("a", ValueRef::I64(1))][..]), hash_of(&[("a", ValueRef::Bool(true))][..]));
    }
}
