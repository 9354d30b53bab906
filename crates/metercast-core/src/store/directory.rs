//! The words of cells, mapped in chunks of 4 KiB as they are needed.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};

use super::memory;

/// Words in a chunk: 4 KiB.
pub(crate) const CHUNK_WORDS: usize = 512;

/// A run of cells. Aligned to two cache lines, since processors fetch them in pairs: no two threads share one.
#[repr(align(128))]
pub(crate) struct Chunk(pub(crate) [AtomicU64; CHUNK_WORDS]);

impl Chunk {
    /// A chunk of zeros; to be given back with `memory::free`.
    pub(crate) fn made() -> *mut Chunk {
        // SAFETY: zero bytes are zero words.
        unsafe { memory::zeroed() }
    }

    /// The word of `slot`, of which this chunk holds the part that `slot / CHUNK_WORDS` names.
    #[inline(always)]
    pub(crate) fn word(&self, slot: u32) -> &AtomicU64 {
        &self.0[slot as usize % CHUNK_WORDS]
    }

    /// The `count` words from `slot` on.
    #[inline]
    pub(crate) fn words(&self, slot: u32, count: usize) -> &[AtomicU64] {
        let first = slot as usize % CHUNK_WORDS;
        &self.0[first..first + count]
    }
}

/// A growing list of chunks: anybody reads at any time, one at a time extends.
pub(crate) struct Directory {
    /// The first chunks, which for most is all: one step to get there.
    first: [AtomicPtr<Chunk>; FIRST],
    /// The others.
    newest: AtomicPtr<Entries>,
}

/// How many chunks are found in one step: those of a thousand labelled series.
const FIRST: usize = 16;

struct Entries {
    chunks: Box<[AtomicPtr<Chunk>]>,
    /// The list this one replaced. Readers may still hold it, so it lives as long as the directory; since lists
    /// double, all the old ones together are no longer than the newest.
    older: *mut Entries,
}

impl Directory {
    pub(crate) const fn new() -> Directory {
        Directory {
            first: [const { AtomicPtr::new(ptr::null_mut()) }; FIRST],
            newest: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The chunk that holds `slot`, if it is mapped.
    #[inline(always)]
    pub(crate) fn chunk(&self, slot: u32) -> Option<&Chunk> {
        let index = slot as usize / CHUNK_WORDS;
        let chunk = match self.first.get(index) {
            Some(chunk) => chunk.load(Acquire),
            None => self.other(index),
        };
        // SAFETY: a chunk, once in a list, lives as long as `self`, and Acquire pairs with the Release in `map`.
        unsafe { chunk.as_ref() }
    }

    /// The same for one of the first chunks alone.
    #[inline(always)]
    pub(crate) fn chunk_among_first(&self, slot: u32) -> Option<&Chunk> {
        let chunk = self.first.get(slot as usize / CHUNK_WORDS)?.load(Acquire);
        // SAFETY: as in `chunk`.
        unsafe { chunk.as_ref() }
    }

    /// [`chunk`](Self::chunk) for many slots of which most are in the chunk of the one before.
    #[inline(always)]
    pub(crate) fn chunk_again<'a>(
        &'a self,
        slot: u32,
        last: &mut Option<(u32, &'a Chunk)>,
    ) -> Option<&'a Chunk> {
        let index = slot / CHUNK_WORDS as u32;
        match *last {
            Some((at, chunk)) if at == index => Some(chunk),
            _ => {
                let chunk = self.chunk(slot)?;
                *last = Some((index, chunk));
                Some(chunk)
            }
        }
    }

    #[inline]
    fn other(&self, index: usize) -> *mut Chunk {
        // SAFETY: `newest` is null or points at a list that lives as long as `self`; Acquire pairs with the Release
        // in `map`, so the list is seen whole.
        let entries = unsafe { self.newest.load(Acquire).as_ref() };
        let chunk = entries.and_then(|entries| entries.chunks.get(index - FIRST));
        chunk.map_or(ptr::null_mut(), |chunk| chunk.load(Acquire))
    }

    /// The chunk that holds `slot`, mapped if it was not.
    ///
    /// # Safety
    ///
    /// No other thread may be in `map` of this directory at the same time, and earlier calls must happen before.
    pub(crate) unsafe fn map(&self, slot: u32) -> &Chunk {
        // SAFETY: as the caller says.
        let entry = unsafe { self.entry(slot) };
        let mut chunk = entry.load(Relaxed);
        if chunk.is_null() {
            chunk = Chunk::made();
            entry.store(chunk, Release);
        }
        // SAFETY: chunks in a list live as long as `self`.
        unsafe { &*chunk }
    }

    /// Where the chunk of `slot` stands, or will.
    ///
    /// # Safety
    ///
    /// As for `map`.
    unsafe fn entry(&self, slot: u32) -> &AtomicPtr<Chunk> {
        let index = slot as usize / CHUNK_WORDS;
        match self.first.get(index) {
            Some(entry) => entry,
            // SAFETY: as the caller says.
            None => unsafe { self.other_mut(index - FIRST) },
        }
    }

    /// The entry at `index` in the list of the others, which is made longer if need be.
    ///
    /// # Safety
    ///
    /// As for `map`.
    unsafe fn other_mut(&self, index: usize) -> &AtomicPtr<Chunk> {
        let mut newest = self.newest.load(Relaxed);
        // SAFETY: null, or a list that lives as long as `self`.
        let entries = match unsafe { newest.as_ref() } {
            Some(entries) if index < entries.chunks.len() => entries,
            entries => {
                let old = entries.map_or(&[][..], |entries| &entries.chunks);
                let length = (index + 1).next_power_of_two().max(FIRST);
                let chunks = (0..length)
                    .map(|at| {
                        AtomicPtr::new(old.get(at).map_or(ptr::null_mut(), |chunk| chunk.load(Relaxed)))
                    })
                    .collect();
                newest = Box::into_raw(Box::new(Entries { chunks, older: newest }));
                self.newest.store(newest, Release);
                // SAFETY: just made, and freed only in `drop`.
                unsafe { &*newest }
            }
        };
        &entries.chunks[index]
    }

    /// [`map`](Self::map) for a caller that holds the one lock under which this directory is extended.
    pub(crate) fn map_alone(&self, slot: u32) -> &Chunk {
        // SAFETY: the only callers hold the lock of the store, which also orders them.
        unsafe { self.map(slot) }
    }

    /// Puts a chunk of another directory here, which takes it away from one of the two before they are dropped. For the same
    /// callers as [`map_alone`](Self::map_alone).
    pub(crate) fn put_alone(&self, slot: u32, chunk: &Chunk) {
        // SAFETY: as in `map_alone`.
        unsafe { self.entry(slot) }.store(ptr::from_ref(chunk).cast_mut(), Release);
    }

    /// Takes a chunk away that [`put_alone`](Self::put_alone) put into another directory.
    pub(crate) fn take_alone(&self, slot: u32) {
        // SAFETY: as in `map_alone`.
        unsafe { self.entry(slot) }.store(ptr::null_mut(), Release);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for chunk in &mut self.first {
            let chunk = *chunk.get_mut();
            if !chunk.is_null() {
                // SAFETY: made by `Chunk::made` in `map`; `&mut self` says that nobody else can reach it any more.
                unsafe { memory::free(chunk) };
            }
        }
        let mut newest = *self.newest.get_mut();
        let mut chunks_are_here = true;
        while !newest.is_null() {
            // SAFETY: made by `Box::into_raw` in `other_mut`; `&mut self` says that nobody else can reach it any more.
            let entries = unsafe { Box::from_raw(newest) };
            if chunks_are_here {
                for chunk in &entries.chunks {
                    let chunk = chunk.load(Relaxed);
                    if !chunk.is_null() {
                        // SAFETY: the newest list names every chunk once, and each was made by `Chunk::made`.
                        unsafe { memory::free(chunk) };
                    }
                }
            }
            chunks_are_here = false;
            newest = entries.older;
        }
    }
}

// SAFETY: all that is shared is behind atomics, and chunks and lists live as long as the directory.
unsafe impl Send for Directory {}
// SAFETY: as for Send; `map` is the only writer and its contract says one at a time.
unsafe impl Sync for Directory {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_where_they_are_while_the_directory_grows() {
        let directory = Directory::new();
        assert!(directory.chunk(0).is_none());
        for slot in [0, 511, 512, 5_000, 100_000] {
            // SAFETY: one thread.
            unsafe { directory.map(slot) }.word(slot).store(u64::from(slot) + 1, Relaxed);
        }
        for slot in [0, 511, 512, 5_000, 100_000] {
            assert_eq!(directory.chunk(slot).unwrap().word(slot).load(Relaxed), u64::from(slot) + 1);
        }
        assert!(directory.chunk(50_000).is_none());
        assert!(directory.chunk(10_000_000).is_none());
    }
}
