//! From the hash of a series to its number: read without a lock, and grown a few entries at a time.
//!
//! A bucket is a cache line: eight tags of 16 bits, and the eight numbers that they stand for. A look into it compares all
//! tags at once, so that there is no branch on where an entry stands. While the table grows there are two indexes. Entries
//! are copied from the smaller to the larger, a few with each insertion, and never taken out of the smaller, so that whoever
//! reads meanwhile finds them in one or the other. A reader that still holds the pair from before may miss what is new; then
//! the slow path looks again, under the lock.

use std::mem;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries of a bucket.
const LANES: usize = 8;
/// Buckets of a chunk of a large index: 4 KiB.
const CHUNK_BUCKETS: usize = 64;
/// Buckets of the first index.
const SMALLEST: usize = 16;
/// Buckets of the largest index that is made at once: 64 KiB, which are cleared in a few microseconds.
const MOST_TOGETHER: usize = 1024;

/// Buckets of the smaller index that each insertion copies.
const STRIDE: usize = 2;

/// A small table is kept half empty, so that an entry is nearly always in its first bucket; a large one, where memory
/// counts and every look is a cache miss anyway, at most four fifths full.
const LARGE: usize = 4096;

/// A lane that holds nothing, and ends a search.
const EMPTY: u64 = 0;
/// A lane of a bucket that was full once, so that a search goes on.
const REMOVED: u64 = 1;

/// A cache line of entries.
#[repr(C, align(64))]
struct Bucket {
    /// Four lanes in each word.
    tags: [AtomicU64; 2],
    numbers: [AtomicU32; LANES],
}

type Chunk = [Bucket; CHUNK_BUCKETS];

impl Bucket {
    const fn empty() -> Bucket {
        Bucket { tags: [const { AtomicU64::new(0) }; 2], numbers: [const { AtomicU32::new(0) }; LANES] }
    }

    /// One bit for each lane with this tag, at twice its number; with others, which stand for nothing, above the lowest.
    #[inline(always)]
    fn lanes_with(tags: [u64; 2], tag: u64) -> u32 {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_mm_cmpeq_epi16, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi16};
            // SAFETY: every x86-64 processor has these instructions.
            unsafe {
                let tags = _mm_set_epi64x(tags[1] as i64, tags[0] as i64);
                _mm_movemask_epi8(_mm_cmpeq_epi16(tags, _mm_set1_epi16(tag as i16))) as u32 & 0x5555
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        lanes_in_words(tags, tag)
    }

    #[inline(always)]
    fn number(&self, lane: usize) -> u32 {
        self.numbers[lane % LANES].load(Acquire)
    }

    fn tag(&self, lane: usize) -> u64 {
        self.tags[lane / 4].load(Relaxed) >> (lane % 4 * 16) & 0xffff
    }

    fn set_tag(&self, lane: usize, tag: u64) {
        let (word, shift) = (&self.tags[lane / 4], lane % 4 * 16);
        word.store(word.load(Relaxed) & !(0xffff << shift) | tag << shift, Release);
    }
}

/// `Bucket::lanes_with` without vectors.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn lanes_in_words(tags: [u64; 2], tag: u64) -> u32 {
    let lane = |lane: usize| tags[lane / 4] >> (lane % 4 * 16) & 0xffff;
    (0..LANES).filter(|at| lane(*at) == tag).fold(0, |lanes, at| lanes | 1 << (2 * at))
}

/// Says whether a number is the one that is looked for. A trait, not a closure, because closures cannot be made to be inlined.
pub(crate) trait Test {
    /// What is found with the number.
    type Found;
    /// `None` if it is another.
    fn found(&self, number: u32) -> Option<Self::Found>;
}

impl<F: Fn(u32) -> bool> Test for F {
    type Found = u32;
    #[inline(always)]
    fn found(&self, number: u32) -> Option<u32> {
        self(number).then_some(number)
    }
}

/// A set of numbers, each found by a hash.
pub(crate) struct Table {
    /// Null before the first insertion.
    root: AtomicPtr<Root>,
    /// Held while a number is put in or taken out.
    growth: Mutex<Growth>,
}

/// The indexes of one moment. Never changes.
struct Root {
    current: Index,
    /// The one that it is copied to.
    next: Option<Index>,
}

/// A list of buckets. Those of a small list lie together; the chunks of a large one are made when they are first needed.
#[derive(Clone, Copy)]
struct Index {
    /// How many buckets there are, less one: all ones.
    mask: usize,
    /// The buckets of a small list, else null.
    together: *const Bucket,
    /// The chunks of a large list, as many as the mask says, else null.
    chunks: *const AtomicPtr<Chunk>,
}

/// What only the one who inserts knows.
struct Growth {
    entries: usize,
    /// Lanes of the index that is put into that are `REMOVED`.
    removed: usize,
    /// The bucket of the smaller index up to which it was copied.
    copied: usize,
    /// What was replaced, and may still be read.
    retired: Retired,
}

/// Roots and indexes that nobody finds any more, but that somebody may still be reading.
#[derive(Default)]
pub(crate) struct Retired {
    roots: Vec<*mut Root>,
    indexes: Vec<Index>,
}

impl Table {
    pub(crate) const fn new() -> Table {
        Table {
            root: AtomicPtr::new(ptr::null_mut()),
            growth: Mutex::new(Growth {
                entries: 0,
                removed: 0,
                copied: 0,
                retired: Retired { roots: Vec::new(), indexes: Vec::new() },
            }),
        }
    }

    /// The number with this hash that passes the test.
    ///
    /// The caller keeps [`Retired`] from being freed meanwhile: it is in an operation of its region, or holds the lock of
    /// the dictionary.
    #[inline(always)]
    pub(crate) fn find<T: Test>(&self, hash: u64, test: &T) -> Option<T::Found> {
        // SAFETY: null, or a root that is freed only after this look; Acquire pairs with the Release in `publish`.
        let root = unsafe { self.root.load(Acquire).as_ref()? };
        let found = root.current.find(hash, test);
        if found.is_some() {
            return found;
        }
        root.next.as_ref()?.find(hash, test)
    }

    /// Puts a number in; `hash_of` gives the hash of one that is in.
    pub(crate) fn insert(&self, hash: u64, number: u32, hash_of: impl Fn(u32) -> u64) {
        let growth = &mut *self.growth();
        // SAFETY: null, or the newest root, which is replaced only under the lock.
        let (mut current, mut next) = match unsafe { self.root.load(Relaxed).as_ref() } {
            Some(root) => (root.current, root.next),
            None => {
                let first = Index::of(SMALLEST);
                self.publish(first, None, growth);
                (first, None)
            }
        };
        if next.is_none() && growth.entries + growth.removed >= current.room() {
            // Full of lanes that were removed, it is copied to one of its own size.
            let times = if growth.entries >= current.room() / 2 { 2 } else { 1 };
            let larger = Index::of((current.mask + 1) * times);
            self.publish(current, Some(larger), growth);
            (growth.copied, growth.removed) = (0, 0);
            next = Some(larger);
        }
        if let Some(larger) = next {
            let until = (growth.copied + STRIDE).min(current.mask + 1);
            for bucket in growth.copied..until {
                current.each_in(bucket, |number| {
                    growth.removed -= usize::from(larger.put(hash_of(number), number));
                });
            }
            growth.copied = until;
            if until == current.mask + 1 {
                self.publish(larger, None, growth);
                growth.retired.indexes.push(mem::replace(&mut current, larger));
            } else {
                current = larger;
            }
        }
        growth.removed -= usize::from(current.put(hash, number));
        growth.entries += 1;
    }

    /// Takes a number out; those who look meanwhile may still find it.
    pub(crate) fn remove(&self, hash: u64, number: u32) {
        let growth = &mut *self.growth();
        // SAFETY: as in `insert`.
        let Some(root) = (unsafe { self.root.load(Relaxed).as_ref() }) else { return };
        let in_current = root.current.take(hash, number);
        let in_next = root.next.and_then(|next| next.take(hash, number));
        growth.entries -= usize::from(in_current.or(in_next).is_some());
        let left_removed = if root.next.is_some() { in_next } else { in_current };
        growth.removed += usize::from(left_removed == Some(true));
    }

    /// What was replaced since the last call, to be freed when nobody can be reading it any more.
    pub(crate) fn take_retired(&self) -> Retired {
        mem::take(&mut self.growth().retired)
    }

    fn growth(&self) -> MutexGuard<'_, Growth> {
        self.growth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, current: Index, next: Option<Index>, growth: &mut Growth) {
        let root = Box::into_raw(Box::new(Root { current, next }));
        let before = self.root.swap(root, Release);
        if !before.is_null() {
            growth.retired.roots.push(before);
        }
    }
}

impl Index {
    fn of(buckets: usize) -> Index {
        let mask = buckets - 1;
        if buckets <= MOST_TOGETHER {
            let together: Box<[Bucket]> = (0..buckets).map(|_| Bucket::empty()).collect();
            return Index { mask, together: Box::into_raw(together).cast(), chunks: ptr::null() };
        }
        let chunks: Box<[AtomicPtr<Chunk>]> =
            (0..buckets / CHUNK_BUCKETS).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
        Index { mask, together: ptr::null(), chunks: Box::into_raw(chunks).cast() }
    }

    /// How many chunks there are.
    fn length(&self) -> usize {
        (self.mask + 1) / CHUNK_BUCKETS
    }

    /// How many entries it takes before the next larger one is begun.
    fn room(&self) -> usize {
        let lanes = (self.mask + 1) * LANES;
        if lanes < LARGE { lanes / 2 } else { lanes / 5 * 4 }
    }

    /// The words of a bucket, if there is memory for it.
    /// `bucket` is at most the mask.
    #[inline(always)]
    fn bucket(&self, bucket: usize) -> Option<&Bucket> {
        if !self.together.is_null() {
            // SAFETY: there is such a bucket, as the caller says; indexes are freed as below.
            return Some(unsafe { &*self.together.add(bucket) });
        }
        // SAFETY: there is such a chunk, as the caller says; indexes are freed only when nobody can be looking any more, see
        // `Table::find`.
        let chunk = unsafe { &*self.chunks.add(bucket / CHUNK_BUCKETS) }.load(Acquire);
        // SAFETY: null, or a chunk that lives as long as the index; Acquire pairs with the Release in `made`.
        let chunk = unsafe { chunk.as_ref()? };
        Some(&chunk[bucket % CHUNK_BUCKETS])
    }

    /// The same, made if need be. One at a time calls this.
    fn made(&self, bucket: usize) -> &Bucket {
        if !self.together.is_null() {
            // SAFETY: as in `bucket`.
            return unsafe { &*self.together.add(bucket) };
        }
        // SAFETY: as in `bucket`.
        let entry = unsafe { &*self.chunks.add(bucket / CHUNK_BUCKETS) };
        let mut chunk = entry.load(Relaxed);
        if chunk.is_null() {
            chunk = Box::into_raw(Box::new([const { Bucket::empty() }; CHUNK_BUCKETS]));
            entry.store(chunk, Release);
        }
        // SAFETY: chunks live as long as the index.
        unsafe { &(&*chunk)[bucket % CHUNK_BUCKETS] }
    }

    #[inline(always)]
    fn find<T: Test>(&self, hash: u64, test: &T) -> Option<T::Found> {
        let mut at = hash as usize & self.mask;
        loop {
            let bucket = self.bucket(at)?;
            let tags = [bucket.tags[0].load(Acquire), bucket.tags[1].load(Acquire)];
            let mut lanes = Bucket::lanes_with(tags, tag_of(hash));
            while lanes != 0 {
                let found = test.found(bucket.number(lanes.trailing_zeros() as usize / 2));
                if found.is_some() {
                    return found;
                }
                lanes &= lanes - 1;
            }
            if Bucket::lanes_with(tags, EMPTY) != 0 {
                return None;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Whether a lane that was removed has been used again.
    fn put(&self, hash: u64, number: u32) -> bool {
        let mut at = hash as usize & self.mask;
        loop {
            let bucket = self.made(at);
            if let Some(lane) = (0..LANES).find(|lane| bucket.tag(*lane) <= REMOVED) {
                // Somebody who saw the tag of what was here before must not see this number without its line.
                bucket.numbers[lane].store(number, Release);
                let was_removed = bucket.tag(lane) == REMOVED;
                // The number, and what it is a number of, can be seen by whoever sees the tag.
                bucket.set_tag(lane, tag_of(hash));
                return was_removed;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Takes a number out: `Some` if it was there, and true if its lane stays a step of other searches.
    fn take(&self, hash: u64, number: u32) -> Option<bool> {
        let mut at = hash as usize & self.mask;
        loop {
            let bucket = self.bucket(at)?;
            // A bucket with room has never been full, so that no search goes beyond it.
            let has_room = (0..LANES).any(|lane| bucket.tag(lane) == EMPTY);
            let is = |lane: &usize| bucket.tag(*lane) == tag_of(hash) && bucket.number(*lane) == number;
            if let Some(lane) = (0..LANES).find(is) {
                bucket.set_tag(lane, if has_room { EMPTY } else { REMOVED });
                return Some(!has_room);
            }
            if has_room {
                return None;
            }
            at = (at + 1) & self.mask;
        }
    }

    fn each_in(&self, bucket: usize, mut f: impl FnMut(u32)) {
        let Some(bucket) = self.bucket(bucket) else { return };
        for lane in (0..LANES).filter(|lane| bucket.tag(*lane) > REMOVED) {
            f(bucket.number(lane));
        }
    }

    /// # Safety
    ///
    /// Nobody reads it any more, and it is freed once.
    unsafe fn free(self) {
        if !self.together.is_null() {
            let buckets = ptr::slice_from_raw_parts_mut(self.together.cast_mut(), self.mask + 1);
            // SAFETY: made by `Box::into_raw` in `of`.
            drop(unsafe { Box::from_raw(buckets) });
            return;
        }
        // SAFETY: made by `Box::into_raw` in `of`.
        let chunks =
            unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(self.chunks.cast_mut(), self.length())) };
        for chunk in chunks {
            let chunk = chunk.into_inner();
            if !chunk.is_null() {
                // SAFETY: made by `Box::into_raw` in `made`.
                drop(unsafe { Box::from_raw(chunk) });
            }
        }
    }
}

/// The upper bits of the hash; the lower ones choose the bucket. Never one of the two that mean nothing.
#[inline(always)]
fn tag_of(hash: u64) -> u64 {
    hash >> 48 | 2
}

impl Retired {
    pub(crate) fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.indexes.is_empty()
    }

    /// Adds what was replaced meanwhile.
    pub(crate) fn append(&mut self, mut other: Retired) {
        self.roots.append(&mut other.roots);
        self.indexes.append(&mut other.indexes);
    }

    /// # Safety
    ///
    /// Whoever was looking into the table when this was replaced has finished.
    pub(crate) unsafe fn free(&mut self) {
        for root in self.roots.drain(..) {
            // SAFETY: made by `Box::into_raw` in `publish`, and replaced once.
            drop(unsafe { Box::from_raw(root) });
        }
        for index in self.indexes.drain(..) {
            // SAFETY: as the caller says; it was replaced once.
            unsafe { index.free() };
        }
    }
}

impl Drop for Retired {
    fn drop(&mut self) {
        debug_assert!(self.is_empty() || std::thread::panicking(), "retired memory is freed, not forgotten");
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let mut retired = self.take_retired();
        let root = *self.root.get_mut();
        // SAFETY: null, or the newest root; `&mut self` says that nobody can reach it any more.
        if let Some(newest) = unsafe { root.as_ref() } {
            retired.indexes.push(newest.current);
            retired.indexes.extend(newest.next);
            retired.roots.push(root);
        }
        // SAFETY: as above.
        unsafe { retired.free() };
    }
}

// SAFETY: what is shared is behind atomics, and what is replaced is freed as `Retired::free` says.
unsafe impl Send for Table {}
// SAFETY: as for Send; one thread at a time inserts.
unsafe impl Sync for Table {}
// SAFETY: it owns what it lists.
unsafe impl Send for Retired {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
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
        table.find(hash(number), &|found| found == number)
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
    fn numbers_that_come_and_go_are_found_exactly_while_they_are_in() {
        let (table, mut model) = (Table::new(), BTreeSet::new());
        let mut state = 1u64;
        for _ in 0..60_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (state >> 33) as u32 % 3_000;
            if model.remove(&number) {
                table.remove(hash(number), number);
            } else {
                model.insert(number);
                insert(&table, number);
            }
            assert_eq!(find(&table, number).is_some(), model.contains(&number));
        }
        assert!((0..3_000).all(|number| find(&table, number).is_some() == model.contains(&number)));
        let mut retired = table.take_retired();
        // SAFETY: one thread.
        unsafe { retired.free() };
        assert!((0..3_000).all(|number| find(&table, number).is_some() == model.contains(&number)));
    }

    #[test]
    fn a_lane_is_told_from_all_others() {
        for lane in 0..LANES {
            for tag in [2, 0x7fff, 0x8000, 0xffff] {
                let bucket = Bucket::empty();
                bucket.set_tag(lane, tag);
                let tags = [bucket.tags[0].load(Relaxed), bucket.tags[1].load(Relaxed)];
                assert_eq!(Bucket::lanes_with(tags, tag), 1 << (2 * lane));
                assert_eq!(Bucket::lanes_with(tags, EMPTY), 0x5555 & !(1 << (2 * lane)));
                for other in [tag, tag ^ 1, EMPTY] {
                    assert_eq!(Bucket::lanes_with(tags, other), lanes_in_words(tags, other));
                }
            }
        }
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
