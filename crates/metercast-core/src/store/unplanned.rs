//! Values of histograms that are recorded before anybody has said which buckets are wanted: they are kept as they are, until
//! the first reading puts them into buckets, or until there are too many.

use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::directory::{CHUNK_WORDS, Chunk};
use super::memory;

/// Each value with the number of the line of its series. Anybody puts one in, and nobody waits.
pub(crate) struct Unplanned {
    /// How many places were given away.
    next: AtomicU32,
    /// How many values there are that were not taken out yet.
    waiting: AtomicU32,
    /// The places, of two words each: the number of the line plus one, and the bits of the value. Mapped when they are needed.
    chunks: [AtomicPtr<Chunk>; MOST as usize / IN_CHUNK as usize],
}

/// The most values that a store keeps in its life, 64 KiB.
pub(crate) const MOST: u32 = 4096;
const IN_CHUNK: u32 = CHUNK_WORDS as u32 / 2;

impl Unplanned {
    pub(crate) const fn new() -> Unplanned {
        Unplanned {
            next: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            chunks: [const { AtomicPtr::new(ptr::null_mut()) }; MOST as usize / IN_CHUNK as usize],
        }
    }

    /// Keeps a value; false if there is no place left.
    pub(crate) fn push(&self, line: u32, value: f64) -> bool {
        // So that the number never comes around.
        if self.is_full() {
            return false;
        }
        let place = self.next.fetch_add(1, Relaxed);
        let Some(chunk) = self.chunk(place).map(mapped) else { return false };
        let at = place % IN_CHUNK * 2;
        chunk.word(at + 1).store(value.to_bits(), Relaxed);
        // Release: who sees the line sees the value.
        chunk.word(at).store(u64::from(line) + 1, Release);
        self.waiting.fetch_add(1, Release);
        true
    }

    /// Whether there is no place left.
    pub(crate) fn is_full(&self) -> bool {
        self.next.load(Relaxed) >= MOST
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(Acquire) == 0
    }

    /// Gives each value with its line to `f`, in the order in which they came, and forgets those for which it says true.
    /// One at a time calls this.
    pub(crate) fn take(&self, mut f: impl FnMut(u32, f64) -> bool) {
        for place in 0..self.next.load(Acquire).min(MOST) {
            // SAFETY: null, or a chunk that lives as long as `self`; Acquire pairs with the exchange in `mapped`.
            let chunk = self.chunk(place).and_then(|chunk| unsafe { chunk.load(Acquire).as_ref() });
            let Some(chunk) = chunk else { continue };
            let at = place % IN_CHUNK * 2;
            // None is somebody who has not put it in yet, or was taken out.
            let Some(line) = chunk.word(at).load(Acquire).checked_sub(1) else { continue };
            if f(line as u32, f64::from_bits(chunk.word(at + 1).load(Relaxed))) {
                chunk.word(at).store(0, Relaxed);
                self.waiting.fetch_sub(1, Release);
            }
        }
    }

    fn chunk(&self, place: u32) -> Option<&AtomicPtr<Chunk>> {
        self.chunks.get((place / IN_CHUNK) as usize)
    }
}

/// The chunk at this place of the list, which is made if need be.
fn mapped(place: &AtomicPtr<Chunk>) -> &Chunk {
    let mut chunk = place.load(Acquire);
    if chunk.is_null() {
        let new = Chunk::made();
        chunk = match place.compare_exchange(ptr::null_mut(), new, AcqRel, Acquire) {
            Ok(_) => new,
            Err(there) => {
                // SAFETY: made above, and nobody else has heard of it.
                unsafe { memory::free(new) };
                there
            }
        };
    }
    // SAFETY: not null, and chunks in the list live as long as it does.
    unsafe { &*chunk }
}

impl Drop for Unplanned {
    fn drop(&mut self) {
        for chunk in &mut self.chunks {
            let chunk = *chunk.get_mut();
            if !chunk.is_null() {
                // SAFETY: made by `Chunk::made`; `&mut self` says that nobody else can reach it any more.
                unsafe { memory::free(chunk) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn values_come_out_once_in_the_order_of_their_threads_and_no_more_than_there_is_room() {
        let unplanned = Unplanned::new();
        thread::scope(|threads| {
            for line in 0..3 {
                let unplanned = &unplanned;
                threads.spawn(move || (0..1_000).for_each(|n| assert!(unplanned.push(line, f64::from(n)))));
            }
        });
        let mut taken = vec![Vec::new(); 3];
        unplanned.take(|line, value| {
            taken[line as usize].push(value);
            line < 2
        });
        let expected: Vec<f64> = (0..1_000).map(f64::from).collect();
        assert_eq!(taken, [expected.clone(), expected.clone(), expected]);
        assert!(!unplanned.is_empty());
        let mut left = 0;
        unplanned.take(|_, _| {
            left += 1;
            true
        });
        assert_eq!((left, unplanned.is_empty()), (1_000, true));
        let more = (0..2 * MOST).filter(|_| unplanned.push(7, 1.0)).count();
        assert_eq!(more, MOST as usize - 3_000);
    }
}
