//! All regions of one store, and who may write to which.

use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::memory;
use super::region::Region;

/// The regions of a store. The list only grows, at its end: a reading adds up in the same order every time.
pub(crate) struct Regions {
    first: AtomicPtr<Region>,
    /// How many regions may be held for long.
    lasting: AtomicUsize,
}

impl Regions {
    pub(crate) const fn new() -> Regions {
        Regions { first: AtomicPtr::new(ptr::null_mut()), lasting: AtomicUsize::new(0) }
    }

    /// All regions, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Region> {
        let mut at = &self.first;
        std::iter::from_fn(move || {
            // SAFETY: null, or a region that lives as long as `self`; Acquire pairs with the Release in `push`.
            let region = unsafe { at.load(Acquire).as_ref()? };
            at = &region.next;
            Some(region)
        })
    }

    /// A region that nobody else holds, and whether it may be held for long. The cells of a thread that ended are
    /// taken over with their values in place.
    pub(crate) fn lease(&self, may_last: bool) -> (&Region, bool) {
        if may_last {
            if let Some(region) = self.iter().find(|region| !region.brief && region.try_take()) {
                return (region, true);
            }
            let cap = cap();
            if self.lasting.fetch_update(AcqRel, Relaxed, |count| (count < cap).then_some(count + 1)).is_ok()
            {
                return (self.push(Region::new(false)), true);
            }
        }
        match self.iter().find(|region| region.try_take()) {
            Some(region) => (region, false),
            // As many of these as there are threads inside an operation at once.
            None => (self.push(Region::new(true)), false),
        }
    }

    fn push(&self, region: Region) -> &Region {
        let region = memory::new(region);
        let mut at = &self.first;
        loop {
            match at.compare_exchange(ptr::null_mut(), region, Release, Acquire) {
                // SAFETY: just made, and freed only in `drop`.
                Ok(_) => return unsafe { &*region },
                // SAFETY: not null, and regions live as long as `self`.
                Err(there) => at = unsafe { &(*there).next },
            }
        }
    }
}

/// Regions that threads may hold for long: twice the processors, since no more threads run at once; what is above
/// leases one per operation. Memory grows with this number, not with the number of threads.
fn cap() -> usize {
    /// Not known yet.
    static CAP: AtomicUsize = AtomicUsize::new(0);
    /// Until it is known: asking takes memory, and an allocator that records comes here again.
    const LEAST: usize = 4;
    match CAP.load(Relaxed) {
        0 => {
            CAP.store(LEAST, Relaxed);
            let cap = 2 * std::thread::available_parallelism().map_or(1, usize::from);
            CAP.fetch_max(cap, Relaxed).max(cap)
        }
        cap => cap,
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        let mut at = *self.first.get_mut();
        while !at.is_null() {
            let region = at;
            // SAFETY: made in `push`; `&mut self` says that nobody can reach it any more.
            unsafe {
                at = *(*region).next.get_mut();
                memory::free(region);
            }
        }
    }
}

#[cfg(test)]
mod tests;
