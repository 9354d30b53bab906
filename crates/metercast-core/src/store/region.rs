//! The cells of one recording thread: only the thread that holds the lease writes, everybody reads.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, fence};

use super::barrier;
use super::directory::{CHUNK_WORDS, Chunk, Directory};
use super::fixed_chunks::FixedChunks;

/// What one thread at a time adds to. A reading adds the regions of a store up.
#[repr(C, align(128))]
pub(crate) struct Region {
    /// What the owner is at, counted as `ONE` says.
    operation: AtomicU64,
    /// Whether a thread holds this region.
    taken: AtomicBool,
    /// Whether it is only ever leased for one operation: regions beyond the cap.
    pub(crate) brief: bool,
    /// The next region of the store; set before this one can be seen.
    pub(crate) next: AtomicPtr<Region>,
    /// The cells of dynamic series and histograms, whose slots belong to the store.
    series: Directory,
    /// The cells whose slots are the same in all stores. Chunk 0 is never mapped: slot 0 is a site that is not
    /// resolved yet, and the first few stand for sites that have no slot.
    fixed: FixedChunks,
}

/// The region of a thread that holds none: nothing is mapped, so every record takes the slow path.
pub(crate) static EMPTY: Region = Region::new(true);

impl Region {
    /// A region that the caller holds.
    pub(crate) const fn new(brief: bool) -> Region {
        Region {
            operation: AtomicU64::new(0),
            taken: AtomicBool::new(true),
            brief,
            next: AtomicPtr::new(ptr::null_mut()),
            series: Directory::new(),
            fixed: FixedChunks::new(),
        }
    }

    /// Takes the lease if nobody holds it. What the last holder wrote is then visible: Acquire pairs with `release`.
    pub(crate) fn try_take(&self) -> bool {
        !self.taken.load(Relaxed) && self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok()
    }

    /// Returns the lease.
    pub(crate) fn release(&self) {
        self.taken.store(false, Release);
    }

    /// The chunk of a fixed slot for its owner; null if it is not mapped, or hidden.
    #[inline(always)]
    pub(crate) fn fixed_for_owner(&self, slot: u32) -> *const Chunk {
        self.fixed.for_owner(slot)
    }

    /// The chunk of a fixed slot for a reader.
    pub(crate) fn fixed(&self, slot: u32) -> Option<&Chunk> {
        self.fixed.chunk(slot)
    }

    /// The chunk of a fixed slot, mapped if it was not, and shown to the hot path unless the store `is_watched`.
    ///
    /// # Safety
    ///
    /// The caller holds the lease, and `slot` is not in chunk 0.
    pub(crate) unsafe fn map_fixed(&self, slot: u32, is_watched: impl Fn() -> bool) -> &Chunk {
        debug_assert!(slot as usize >= CHUNK_WORDS, "chunk 0 stands for slots that do not exist");
        // SAFETY: the lease says that one thread at a time is here, and handing it on orders the threads.
        unsafe { self.fixed.map(slot, is_watched) }
    }

    /// Hides what is mapped from the hot path, after a watch was begun and a fence.
    pub(crate) fn hide_fixed(&self) {
        self.fixed.hide();
    }

    /// The chunk of a dynamic slot for its owner, mapped if it was not.
    ///
    /// # Safety
    ///
    /// The caller holds the lease.
    #[inline]
    pub(crate) unsafe fn map_series(&self, slot: u32) -> &Chunk {
        match self.series.chunk(slot) {
            Some(chunk) => chunk,
            // SAFETY: the lease says that one thread at a time is here, and handing it on orders the threads.
            None => unsafe { self.series.map(slot) },
        }
    }

    /// The chunk of a dynamic slot for a reader.
    pub(crate) fn series(&self, slot: u32) -> Option<&Chunk> {
        self.series.chunk(slot)
    }

    /// The same for one of the first slots alone.
    #[inline(always)]
    pub(crate) fn series_among_first(&self, slot: u32) -> Option<&Chunk> {
        self.series.chunk_among_first(slot)
    }

    /// Begins an operation, during which nothing that it finds in the dictionary is freed or used again. It must not
    /// allocate, block or panic before it ends. What is returned is for `end`.
    #[inline(always)]
    pub(crate) fn begin(&self) -> u64 {
        let before = self.operation.load(Relaxed);
        // Release: who sees that this one has begun sees what the one before wrote.
        self.operation.store(before.wrapping_add(LOOKING), Release);
        // What is looked at is looked at after that can be seen by whoever removes: together with `barrier::all_threads`.
        barrier::light();
        before
    }

    /// Ends the operation.
    #[inline(always)]
    pub(crate) fn end(&self, begun: u64) {
        self.operation.store(begun.wrapping_add(ONE), Release);
    }

    /// Runs `write` so that a reader sees all of its stores or none. They must be `Release` stores. May stand in an
    /// operation, at its end.
    #[inline(always)]
    pub(crate) fn at_once<R>(&self, write: impl FnOnce() -> R) -> R {
        let before = self.operation.load(Relaxed);
        let idle = before & !(ONE - 1);
        // Release as in `begin`.
        self.operation.store(idle.wrapping_add(WRITING), Release);
        // The stores in `write` are Release, so none of them can be seen before the word.
        let result = write();
        self.operation.store(idle.wrapping_add(ONE), Release);
        result
    }

    /// Runs `read` until no record was under way meanwhile.
    pub(crate) fn read_at_once(&self, mut read: impl FnMut()) {
        for attempt in 0..ATTEMPTS {
            let before = self.operation.load(Acquire);
            if before % ONE != WRITING {
                read();
                fence(Acquire);
                if writes_begun(self.operation.load(Relaxed)) == writes_begun(before) {
                    return;
                }
            }
            if attempt > 64 {
                // The writer may have been preempted in the middle; let it finish.
                std::thread::yield_now();
            }
        }
        // A writer that never finishes is one that a fork left behind. What it wrote last may be half done.
        read();
    }

    /// What the owner was at, for `has_moved_on`.
    pub(crate) fn moment(&self) -> Moment {
        Moment(self.operation.load(Acquire))
    }

    /// Whether an operation that was under way at that moment has ended.
    pub(crate) fn has_moved_on(&self, since: Moment) -> bool {
        // From looking to writing it is still the same one.
        since.0.is_multiple_of(ONE) || self.operation.load(Acquire) / ONE != since.0 / ONE
    }
}

/// The operation word of a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(u64);

/// The operation word counts operations by four. Between, the owner looks a series up, or writes words that belong together.
const ONE: u64 = 4;
const LOOKING: u64 = 1;
const WRITING: u64 = 2;

/// How many times the owner has begun to write.
fn writes_begun(word: u64) -> u64 {
    word.wrapping_add(ONE - WRITING) / ONE
}

/// Enough for a writer that records without a pause, which lets a reader through once in a thousand tries.
const ATTEMPTS: u32 = 1_000_000;
