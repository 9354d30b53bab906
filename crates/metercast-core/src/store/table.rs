//! From the hash of a series to its number: read without a lock, and grown a few entries at a time.
//!
//! While it grows there are two indexes. Entries are copied from the smaller to the larger, a few with each insertion,
//! and never taken out of the smaller, so that whoever reads meanwhile finds them in one or the other. A reader that
//! still holds the pair from before may miss what is new; then the slow path looks again, under the lock.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};
use std::sync::{Mutex, PoisonError};

/// Entries in a segment: 64 KiB are cleared at once, not more.
const SEGMENT: usize = 8192;

/// Entries of the first index.
const SMALLEST: usize = 64;

/// Places of the smaller index that each insertion moves on by. The larger one fills up in a quarter of its places, so
/// that the copy is long done by then.
const STRIDE: usize = 16;

/// A set of numbers, each found by a hash.
pub(crate) struct Table {
    /// Null before the first insertion.
    root: AtomicPtr<Root>,
    /// Held while a number is put in.
    growth: Mutex<Growth>,
}

/// The indexes of one moment. Never changes; replaced ones live as long as the table, since readers may hold them.
struct Root {
    current: *const Index,
    /// The one that it is copied to, or null.
    next: *const Index,
    older: *mut Root,
}

struct Index {
    mask: usize,
    segments: Box<[AtomicPtr<Segment>]>,
    segment_length: usize,
}

/// An entry is the upper half of the hash, and the number plus one; 0 is none.
struct Segment(Box<[AtomicU64]>);

/// What only the one who inserts knows.
struct Growth {
    entries: usize,
    /// The place of the smaller index up to which it was copied.
    copied: usize,
}

impl Table {
    pub(crate) const fn new() -> Table {
        Table { root: AtomicPtr::new(ptr::null_mut()), growth: Mutex::new(Growth { entries: 0, copied: 0 }) }
    }

    /// The number with this hash for which `is` holds.
    #[inline(always)]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        // SAFETY: null, or a root that lives as long as the table; Acquire pairs with the Release in `publish`.
        let root = unsafe { self.root.load(Acquire).as_ref()? };
        // SAFETY: the indexes of a root live as long as the table; `next` may be null.
        let (current, next) = unsafe { (&*root.current, root.next.as_ref()) };
        let found = current.find(hash, &is);
        if found.is_some() { found } else { next?.find(hash, &is) }
    }

    /// Puts a number in; `hash_of` gives the hash of one that is in.
    pub(crate) fn insert(&self, hash: u64, number: u32, hash_of: impl Fn(u32) -> u64) {
        let growth = &mut *self.growth.lock().unwrap_or_else(PoisonError::into_inner);
        let mut root = self.root.load(Relaxed);
        if root.is_null() {
            root = self.publish(Index::boxed(SMALLEST), ptr::null(), root);
        }
        // SAFETY: roots and their indexes live as long as the table.
        let (mut current, mut next) = unsafe { (&*(*root).current, (*root).next.as_ref()) };
        if next.is_none() && growth.entries * 2 > current.mask {
            root = self.publish(current, Index::boxed((current.mask + 1) * 2), root);
            growth.copied = 0;
            // SAFETY: as above.
            (current, next) = unsafe { (&*(*root).current, (*root).next.as_ref()) };
        }
        if let Some(larger) = next {
            let until = (growth.copied + STRIDE).min(current.mask + 1);
            for place in growth.copied..until {
                if let Some(number) = current.at(place).and_then(number_of) {
                    larger.put(hash_of(number), number);
                }
            }
            growth.copied = until;
            larger.put(hash, number);
            if until == current.mask + 1 {
                self.publish(larger, ptr::null(), root);
            }
        } else {
            current.put(hash, number);
        }
        growth.entries += 1;
    }

    fn publish(&self, current: *const Index, next: *const Index, older: *mut Root) -> *mut Root {
        let root = Box::into_raw(Box::new(Root { current, next, older }));
        self.root.store(root, Release);
        root
    }
}

impl Index {
    fn boxed(entries: usize) -> *const Index {
        let segment_length = entries.min(SEGMENT);
        let segments = (0..entries / segment_length).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
        Box::into_raw(Box::new(Index { mask: entries - 1, segments, segment_length }))
    }

    /// The entry at a place: 0 if there is none, `None` if there is not even memory for it.
    #[inline(always)]
    fn at(&self, place: usize) -> Option<u64> {
        // A power of two, though the compiler does not know.
        let segment = self.segments[place / SEGMENT].load(Acquire);
        // SAFETY: null, or a segment that lives as long as the index; Acquire pairs with the Release in `put`.
        let segment = unsafe { segment.as_ref()? };
        Some(segment.0[place % SEGMENT].load(Acquire))
    }

    #[inline(always)]
    fn find(&self, hash: u64, is: &impl Fn(u32) -> bool) -> Option<u32> {
        let mut place = hash as usize & self.mask;
        loop {
            let entry = self.at(place).filter(|entry| *entry != 0)?;
            if entry >> 32 == hash >> 32
                && let Some(number) = number_of(entry)
                && is(number)
            {
                return Some(number);
            }
            place = (place + 1) & self.mask;
        }
    }

    fn put(&self, hash: u64, number: u32) {
        let mut place = hash as usize & self.mask;
        while self.at(place).is_some_and(|entry| entry != 0) {
            place = (place + 1) & self.mask;
        }
        let entry = &self.segments[place / SEGMENT];
        let mut segment = entry.load(Relaxed);
        if segment.is_null() {
            let words = (0..self.segment_length).map(|_| AtomicU64::new(0)).collect();
            segment = Box::into_raw(Box::new(Segment(words)));
            entry.store(segment, Release);
        }
        // SAFETY: segments live as long as the index.
        let word = unsafe { &(&(*segment).0)[place % SEGMENT] };
        word.store((hash >> 32 << 32) | (u64::from(number) + 1), Release);
    }
}

#[inline(always)]
fn number_of(entry: u64) -> Option<u32> {
    (entry as u32).checked_sub(1)
}

impl Drop for Table {
    fn drop(&mut self) {
        let mut root = *self.root.get_mut();
        let mut indexes = Vec::new();
        while !root.is_null() {
            // SAFETY: made by `Box::into_raw` in `publish`; `&mut self` says that nobody can reach it any more.
            let this = unsafe { Box::from_raw(root) };
            indexes.extend([this.current, this.next]);
            root = this.older;
        }
        // One index stands in several roots.
        indexes.sort_unstable();
        indexes.dedup();
        for index in indexes.into_iter().filter(|index| !index.is_null()) {
            // SAFETY: made by `Box::into_raw` in `boxed`, and now nowhere else.
            drop(unsafe { Box::from_raw(index.cast_mut()) });
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        for segment in &mut self.segments {
            let segment = *segment.get_mut();
            if !segment.is_null() {
                // SAFETY: made by `Box::into_raw` in `put`; `&mut self` says that nobody can reach it any more.
                drop(unsafe { Box::from_raw(segment) });
            }
        }
    }
}

// SAFETY: what is shared is behind atomics, and lives as long as the table.
unsafe impl Send for Table {}
// SAFETY: as for Send; one thread at a time inserts.
unsafe impl Sync for Table {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;

    /// Spreads numbers, and gives every eighth the same hash.
    fn hash(number: u32) -> u64 {
        let number = if number.is_multiple_of(8) { 0 } else { number };
        u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn insert(table: &Table, number: u32) {
        table.insert(hash(number), number, hash);
    }

    fn find(table: &Table, number: u32) -> Option<u32> {
        table.find(hash(number), |found| found == number)
    }

    #[test]
    fn what_was_put_in_is_found_and_nothing_else_while_the_table_grows() {
        let table = Table::new();
        for number in 0..2_000 {
            assert_eq!(find(&table, number), None);
            insert(&table, number);
            for before in (0..=number).step_by(1 + number as usize / 50) {
                assert_eq!(find(&table, before), Some(before), "after {number}");
            }
        }
        assert!((0..2_000).all(|number| find(&table, number) == Some(number)));
        assert_eq!(find(&table, 2_000), None);
    }

    #[test]
    fn a_reader_finds_what_it_was_told_of_while_another_thread_inserts() {
        let table = Arc::new(Table::new());
        let told = Arc::new(AtomicU32::new(0));
        let writer = thread::spawn({
            let (table, told) = (Arc::clone(&table), Arc::clone(&told));
            move || {
                for number in (1..40_000).filter(|number| number % 8 != 0) {
                    insert(&table, number);
                    told.store(number, Release);
                }
            }
        });
        while !writer.is_finished() {
            let last = told.load(Acquire);
            if last > 0 {
                assert_eq!(find(&table, last), Some(last));
                let earlier = 1 + last / 3 / 8 * 8;
                assert_eq!(find(&table, earlier), Some(earlier));
            }
        }
        writer.join().unwrap();
    }
}
