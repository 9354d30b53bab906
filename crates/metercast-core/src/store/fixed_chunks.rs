//! Chunks of the slots that the program text names, which can be hidden from the hot path.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicPtr, fence};

use super::directory::{CHUNK_WORDS, Chunk};
use super::memory;

/// Chunks of slots that the program text names. 256 of them hold 130,560 words; what does not fit any more is
/// recorded through the dictionary.
pub(crate) const FIXED_CHUNKS: usize = 256;

/// The chunks, of which the hot path sees those that are shown. While a [`Watch`](super::watch::Watch) lives none are, so that
/// every recording takes the slow path, where it is noted; nobody else pays for that.
pub(crate) struct FixedChunks {
    shown: [AtomicPtr<Chunk>; FIXED_CHUNKS],
    /// Null until they are hidden for the first time. A chunk that is here stays here, shown or not.
    hidden: AtomicPtr<Hidden>,
}

struct Hidden([AtomicPtr<Chunk>; FIXED_CHUNKS]);

#[inline(always)]
fn index(slot: u32) -> usize {
    // The mask changes nothing, since slots end before FIXED_CHUNKS * CHUNK_WORDS; it spares a bounds check.
    slot as usize / CHUNK_WORDS % FIXED_CHUNKS
}

impl FixedChunks {
    pub(crate) const fn new() -> FixedChunks {
        FixedChunks {
            shown: [const { AtomicPtr::new(ptr::null_mut()) }; FIXED_CHUNKS],
            hidden: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The chunk of a slot for the one thread that maps; null if it is not mapped or not shown.
    #[inline(always)]
    pub(crate) fn for_owner(&self, slot: u32) -> *const Chunk {
        self.shown[index(slot)].load(Relaxed)
    }

    /// The chunk of a slot if it is mapped, for any thread.
    #[inline]
    pub(crate) fn chunk(&self, slot: u32) -> Option<&Chunk> {
        let chunk = self.shown[index(slot)].load(Acquire);
        // SAFETY: null, or a chunk that lives as long as `self`; Acquire pairs with the Release in `map`.
        unsafe { chunk.as_ref() }.or_else(|| self.hidden_chunk(slot))
    }

    #[cold]
    fn hidden_chunk(&self, slot: u32) -> Option<&Chunk> {
        let chunk = self.hidden()?.0[index(slot)].load(Acquire);
        // SAFETY: as in `chunk`; Acquire pairs with the Release in `hide_at`.
        unsafe { chunk.as_ref() }
    }

    fn hidden(&self) -> Option<&Hidden> {
        // SAFETY: null, or made in `hidden_made`, and lives as long as `self`.
        unsafe { self.hidden.load(Acquire).as_ref() }
    }

    /// The chunk of a slot, mapped if it was not, and shown unless `is_watched`.
    ///
    /// # Safety
    ///
    /// No other thread may be in `map` of these chunks at the same time, and earlier calls must happen before.
    pub(crate) unsafe fn map(&self, slot: u32, is_watched: impl Fn() -> bool) -> &Chunk {
        let shown = &self.shown[index(slot)];
        // Acquire: who reads the null of `hide_at` sees what was hidden.
        let mut chunk = shown.load(Acquire);
        if chunk.is_null() {
            chunk = match self.hidden_chunk(slot) {
                Some(hidden) => ptr::from_ref(hidden).cast_mut(),
                None => Chunk::made(),
            };
            shown.store(chunk, Release);
            // Either this thread sees the watch, or whoever began it sees the chunk: it has a fence as well.
            fence(SeqCst);
            if is_watched() {
                self.hide_at(index(slot));
            }
        }
        // SAFETY: mapped chunks live as long as `self`.
        unsafe { &*chunk }
    }

    /// Hides all chunks, after a watch was begun and a fence.
    pub(crate) fn hide(&self) {
        for at in 0..FIXED_CHUNKS {
            self.hide_at(at);
        }
    }

    fn hide_at(&self, at: usize) {
        let chunk = self.shown[at].load(Acquire);
        if !chunk.is_null() {
            // Whoever hides the same chunk at the same time does the same.
            self.hidden_made().0[at].store(chunk, Release);
            self.shown[at].store(ptr::null_mut(), Release);
        }
    }

    fn hidden_made(&self) -> &Hidden {
        if let Some(hidden) = self.hidden() {
            return hidden;
        }
        let made = memory::new(Hidden([const { AtomicPtr::new(ptr::null_mut()) }; FIXED_CHUNKS]));
        if let Err(there) = self.hidden.compare_exchange(ptr::null_mut(), made, Release, Acquire) {
            // SAFETY: just made, and nobody has seen it; `there` is not null and lives as long as `self`.
            unsafe {
                memory::free(made);
                return &*there;
            }
        }
        // SAFETY: just made, and freed only in `drop`.
        unsafe { &*made }
    }
}

impl Drop for FixedChunks {
    fn drop(&mut self) {
        let hidden = *self.hidden.get_mut();
        for at in 0..FIXED_CHUNKS {
            let mut chunk = *self.shown[at].get_mut();
            if chunk.is_null() && !hidden.is_null() {
                // SAFETY: made in `hidden_made`, and freed only below.
                chunk = unsafe { &*hidden }.0[at].load(Relaxed);
            }
            if !chunk.is_null() {
                // SAFETY: made by `Chunk::made` in `map`; `&mut self` says that nobody can reach it any more.
                unsafe { memory::free(chunk) };
            }
        }
        if !hidden.is_null() {
            // SAFETY: made in `hidden_made`; `&mut self` says that nobody can reach it any more.
            unsafe { memory::free(hidden) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_keeps_its_values_and_is_shown_again_by_the_next_map() {
        let chunks = FixedChunks::new();
        // SAFETY: one thread.
        let map = |slot, is_watched: bool| unsafe { chunks.map(slot, || is_watched) };
        map(600, false).word(600).store(7, Relaxed);
        chunks.hide();
        assert!(chunks.for_owner(600).is_null());
        assert_eq!(chunks.chunk(600).unwrap().word(600).load(Relaxed), 7);
        map(600, true).word(600).store(8, Relaxed);
        map(2_000, true).word(2_000).store(9, Relaxed);
        assert!(chunks.for_owner(600).is_null() && chunks.for_owner(2_000).is_null());
        assert_eq!(map(600, false).word(600).load(Relaxed), 8);
        assert_eq!(map(2_000, false).word(2_000).load(Relaxed), 9);
        assert!(!chunks.for_owner(600).is_null() && !chunks.for_owner(2_000).is_null());
        assert!(chunks.chunk(1_200).is_none());
    }
}
