//! Recordings that could not be made at once, because somebody else was just making a series. Whoever that is makes them
//! when it is done, or else the next reading.

use std::mem;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize};

use super::{Found, GaugeSlot, Inner};
use crate::definition::Descriptor;
use crate::label::LabelSet;
use crate::local;
use crate::number::NumberType;
use crate::store::line::CellWord;
use crate::store::region::Region;

/// A recording that waits.
pub(crate) struct Recording {
    pub(crate) descriptor: &'static Descriptor,
    pub(crate) labels: LabelSet,
    pub(crate) what: What,
}

/// What is to be done at a series.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// Adds to a word of a cell.
    Add { word: u32, number: NumberType, bits: u64 },
    /// Records into a distribution.
    Record(f64),
    /// Sets a gauge.
    Set(u64),
    /// Adds to a gauge.
    Change { number: NumberType, bits: u64 },
}

impl local::Write for What {
    fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool {
        let slot = cell.slot();
        match *self {
            What::Add { word, number: NumberType::F64, bits } => {
                local::add_series(region, slot + word, f64::from_bits(bits))
            }
            What::Add { word, bits, .. } => local::add_series(region, slot + word, bits),
            What::Record(value) => local::record_series(region, slot, store.dictionary.layout(cell), value),
            What::Set(bits) => store.change_gauge(GaugeSlot::Series(slot), |_| bits),
            What::Change { number, bits } => {
                store.change_gauge(GaugeSlot::Series(slot), |before| number.plus(before, bits))
            }
        }
    }

    fn write_at(&self, found: &Found<'_>) -> bool {
        let is_kept = || matches!(self, What::Record(value) if found.store.keep(found, *value));
        self.write(found.store, found.region, found.cell) || is_kept()
    }

    fn later(&self) -> Option<What> {
        Some(*self)
    }
}

/// Recordings that wait, newest first.
pub(crate) struct Deferred {
    newest: AtomicPtr<Node>,
    count: AtomicUsize,
    /// Whether nobody makes them, as in the child of a fork that left the lock behind.
    stuck: AtomicBool,
}

struct Node {
    recording: Recording,
    older: *mut Node,
}

/// Bounds the memory where nobody ever makes them, as in the child of a fork.
const MOST: usize = 4096;

impl Deferred {
    pub(crate) const fn new() -> Deferred {
        Deferred {
            newest: AtomicPtr::new(ptr::null_mut()),
            count: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
        }
    }

    /// Lets a recording wait; false if too many do already.
    pub(crate) fn push(&self, recording: impl FnOnce() -> Recording) -> bool {
        if self.count.fetch_add(1, Relaxed) >= MOST {
            self.count.fetch_sub(1, Relaxed);
            return false;
        }
        let mut older = self.newest.load(Relaxed);
        let node = Box::into_raw(Box::new(Node { recording: recording(), older }));
        while let Err(newest) = self.newest.compare_exchange_weak(older, node, Release, Relaxed) {
            older = newest;
            // SAFETY: `node` is ours until the exchange succeeds.
            unsafe { (*node).older = older };
        }
        true
    }

    pub(crate) fn are_stuck(&self) -> bool {
        self.stuck.load(Relaxed)
    }

    pub(crate) fn set_stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Relaxed);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.newest.load(Relaxed).is_null()
    }

    /// All that wait, oldest first.
    pub(crate) fn take(&self) -> Vec<Recording> {
        let mut newest = self.newest.swap(ptr::null_mut(), AcqRel);
        let mut all = Vec::new();
        while !newest.is_null() {
            // SAFETY: made by `Box::into_raw` in `push`, and taken out of the list by whoever swapped it out.
            let node = unsafe { Box::from_raw(newest) };
            newest = node.older;
            all.push(node.recording);
        }
        all.reverse();
        all
    }

    /// Says that so many of those that were taken have been made.
    pub(crate) fn made(&self, count: usize) {
        self.count.fetch_sub(count, Release);
    }

    /// Whether there are any that have not been made yet, taken or not.
    pub(crate) fn wait(&self) -> bool {
        self.count.load(Acquire) > 0
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        mem::drop(self.take());
        debug_assert!(self.newest.load(Acquire).is_null());
    }
}

// SAFETY: recordings are handed from one thread to another as a whole.
unsafe impl Send for Deferred {}
// SAFETY: as for Send; the list is behind atomics.
unsafe impl Sync for Deferred {}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::definition::Kind;
    use crate::instrumentation::Scope;

    static DESCRIPTOR: Descriptor =
        Descriptor::new("deferred", Kind::Counter, NumberType::U64, Scope::new("", ""), file!(), line!());

    fn recording(bits: u64) -> Recording {
        let what = What::Add { word: 0, number: NumberType::U64, bits };
        Recording { descriptor: &DESCRIPTOR, labels: LabelSet::default(), what }
    }

    fn bits(recording: &Recording) -> u64 {
        match recording.what {
            What::Add { bits, .. } => bits,
            _ => 0,
        }
    }

    #[test]
    fn what_waits_comes_out_once_and_in_order_of_its_thread() {
        let deferred = Deferred::new();
        let taken = thread::scope(|threads| {
            let pushing: Vec<_> = (0..3u64)
                .map(|thread| {
                    let deferred = &deferred;
                    threads.spawn(move || {
                        (0..1000).for_each(|n| assert!(deferred.push(|| recording(thread << 32 | n))));
                    })
                })
                .collect();
            let mut taken = Vec::new();
            while pushing.iter().any(|thread| !thread.is_finished()) {
                let some = deferred.take();
                deferred.made(some.len());
                taken.extend(some.iter().map(bits));
            }
            taken
        });
        let mut taken = taken;
        taken.extend(deferred.take().iter().map(bits));
        assert_eq!(taken.len(), 3000);
        for thread in 0..3 {
            let of: Vec<u64> =
                taken.iter().filter(|bits| **bits >> 32 == thread).map(|bits| bits & 0xffff).collect();
            assert_eq!(of, (0..1000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_more_wait_than_memory_is_meant_for_them() {
        let deferred = Deferred::new();
        let kept = (0..2 * MOST as u64).filter(|n| deferred.push(|| recording(*n))).count();
        assert_eq!((kept, deferred.take().len(), deferred.is_empty()), (MOST, MOST, true));
        assert!(deferred.wait() && !deferred.push(|| recording(1)), "they are taken, but not made");
        deferred.made(MOST);
        assert!(deferred.push(|| recording(1)));
    }
}
