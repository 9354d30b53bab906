//! A list that grows without moving what is in it: anybody reads what has been published, one at a time appends.

use std::alloc::{Layout as Memory, alloc, dealloc, handle_alloc_error};
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32};
use std::sync::{Mutex, PoisonError};

/// Items in the first block; each block has twice as many as the one before.
const FIRST: usize = 32;
const BLOCKS: usize = 26;

/// An append-only list.
#[derive(Debug)]
pub(crate) struct Blocks<T> {
    blocks: [AtomicPtr<T>; BLOCKS],
    length: AtomicU32,
    /// Held while an item is appended. Whoever appends holds a lock of its own anyway, so this one is free; with it,
    /// nobody has to promise anything.
    appending: Mutex<()>,
}

impl<T> Blocks<T> {
    pub(crate) const fn new() -> Blocks<T> {
        Blocks {
            blocks: [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS],
            length: AtomicU32::new(0),
            appending: Mutex::new(()),
        }
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> u32 {
        self.length.load(Acquire)
    }

    /// The item at `index`.
    #[inline(always)]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        if index >= self.length.load(Acquire) {
            return None;
        }
        let (block, offset) = place(index);
        // SAFETY: the length is stored with Release after the item was written, so block and item are there; items
        // are not changed or moved as long as `self` lives.
        Some(unsafe { &*self.blocks[block].load(Relaxed).add(offset) })
    }

    /// Appends an item, and gives its index; `None` if the list is full.
    pub(crate) fn push(&self, item: T) -> Option<u32> {
        let _one_at_a_time = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self.length.load(Relaxed);
        let (block, offset) = place(index);
        let entry = self.blocks.get(block)?;
        let mut items = entry.load(Relaxed);
        if items.is_null() {
            let memory = memory::<T>(block);
            // SAFETY: the size is not zero. Not zeroed: clearing a large block would stall whoever records.
            items = unsafe { alloc(memory) }.cast::<T>();
            if items.is_null() {
                handle_alloc_error(memory);
            }
            entry.store(items, Relaxed);
        }
        // SAFETY: within the block; nobody reads at or beyond the length, and the lock says that nobody else writes.
        unsafe { items.add(offset).write(item) };
        self.length.store(index + 1, Release);
        Some(index)
    }
}

/// The block of an item, and its place there.
#[inline(always)]
fn place(index: u32) -> (usize, usize) {
    let shifted = index as usize + FIRST;
    let block = shifted.ilog2() as usize - FIRST.ilog2() as usize;
    (block, shifted - (FIRST << block))
}

fn memory<T>(block: usize) -> Memory {
    const { assert!(size_of::<T>() > 0) };
    Memory::array::<T>(FIRST << block).expect("a block is far smaller than the address space")
}

impl<T> Drop for Blocks<T> {
    fn drop(&mut self) {
        for index in 0..*self.length.get_mut() {
            let (block, offset) = place(index);
            // SAFETY: items below the length are written, and `&mut self` says that nobody can reach them any more.
            unsafe { ptr::drop_in_place((*self.blocks[block].get_mut()).add(offset)) };
        }
        for (block, items) in self.blocks.iter_mut().enumerate() {
            let items = *items.get_mut();
            if !items.is_null() {
                // SAFETY: made in `push` with this layout.
                unsafe { dealloc(items.cast(), memory::<T>(block)) };
            }
        }
    }
}

// SAFETY: the list owns its items, and hands out shared references only.
unsafe impl<T: Send> Send for Blocks<T> {}
// SAFETY: as for Send; one thread at a time appends.
unsafe impl<T: Send + Sync> Sync for Blocks<T> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn blocks_follow_each_other_without_a_gap() {
        let mut expected = (0, 0);
        for index in 0..10_000 {
            assert_eq!(place(index), expected, "{index}");
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    #[test]
    fn items_stay_where_they_are_and_are_dropped_once() {
        let item = Arc::new(());
        let list = Blocks::new();
        assert_eq!(list.push((0u32, Arc::clone(&item))), Some(0));
        let first = ptr::from_ref(list.get(0).unwrap());
        for n in 1..1_000u32 {
            assert_eq!(list.push((n, Arc::clone(&item))), Some(n));
        }
        assert_eq!(first, ptr::from_ref(list.get(0).unwrap()));
        assert!((0..1_000).all(|n| list.get(n).unwrap().0 == n));
        assert!(list.get(1_000).is_none());
        assert_eq!(Arc::strong_count(&item), 1_001);
        drop(list);
        assert_eq!(Arc::strong_count(&item), 1);
    }
}
