//! Where a series was found last: good until a series leaves the store, so that nothing is looked up twice.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The time between two moments at which a series left a store. No two, of whatever stores, have the same number.
#[derive(Debug)]
pub(crate) struct Generation(AtomicU64);

/// A line, and the generation in which it was found: anybody may write it, since it is one word.
#[derive(Debug)]
pub(crate) struct Hint {
    word: AtomicU64,
}

/// Bits of a hint that are the line's number, which no larger one has. Those above are the generation.
const NUMBER: u32 = 24;

/// Beyond all generations that a hint has room for: nothing is remembered any more.
const LAST: u64 = u64::MAX;

impl Generation {
    /// The first of the global store. Others begin with one of their own.
    pub(crate) const fn new() -> Generation {
        Generation(AtomicU64::new(1))
    }

    /// The number of this moment. The caller is in an operation of its region, which is waited for before a line is used again.
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        // Acquire: who sees this one does not find what left before it.
        self.0.load(Acquire)
    }

    /// Ends it, after a series was taken out of the table and before all threads are asked what they are at.
    pub(crate) fn renew(&self) {
        static NEXT: AtomicU64 = AtomicU64::new(2);
        let next = NEXT.fetch_add(1, Relaxed);
        self.0.store(fitting(next), Release);
    }
}

/// The number of a generation, as far as hints have room for it.
fn fitting(number: u64) -> u64 {
    if number >> (u64::BITS - NUMBER) == 0 { number } else { LAST }
}

impl Hint {
    /// What was found nowhere yet: there is no generation 0.
    pub(crate) const fn new() -> Hint {
        Hint { word: AtomicU64::new(0) }
    }

    /// The line, if it was found in this generation.
    #[inline(always)]
    pub(crate) fn line_in(&self, generation: u64) -> Option<u32> {
        // Acquire: the line may be new in this generation, and its cell is what whoever found it saw, not one that it had before.
        let word = self.word.load(Acquire);
        (word >> NUMBER == generation).then_some(word as u32 & ((1 << NUMBER) - 1))
    }

    /// Keeps a line that was found in this generation, unless a younger one is kept: threads that record into two stores would
    /// take the word from each other all the time.
    pub(crate) fn set(&self, generation: u64, line: u32) {
        let word = generation << NUMBER | u64::from(line);
        if generation != LAST && line >> NUMBER == 0 && self.word.load(Relaxed) < word {
            self.word.store(word, Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_in_the_generation_in_which_it_was_found_alone() {
        let (one, other, hint) = (Generation::new(), Generation::new(), Hint::new());
        other.renew();
        assert_ne!(one.get(), other.get());
        assert_eq!(hint.line_in(one.get()), None);
        hint.set(one.get(), 7);
        assert_eq!((hint.line_in(one.get()), hint.line_in(other.get())), (Some(7), None));
        hint.set(other.get(), 0);
        assert_eq!((hint.line_in(one.get()), hint.line_in(other.get())), (None, Some(0)));
        // The younger stays.
        hint.set(one.get(), 7);
        assert_eq!(hint.line_in(other.get()), Some(0));
        one.renew();
        hint.set(one.get(), (1 << NUMBER) - 1);
        assert_eq!(hint.line_in(one.get()), Some((1 << NUMBER) - 1));
    }

    #[test]
    fn what_a_hint_has_no_room_for_is_not_remembered() {
        let (generation, hint) = (Generation::new(), Hint::new());
        hint.set(generation.get(), 1 << NUMBER);
        assert_eq!(hint.line_in(generation.get()), None);
        hint.set(LAST, 1);
        assert_eq!((hint.line_in(LAST), hint.line_in(u64::MAX >> NUMBER)), (None, None));
        // The last that there is room for, and all that come after.
        let last = u64::MAX >> NUMBER;
        assert_eq!((fitting(last), fitting(last + 1), fitting(u64::MAX - 1)), (last, LAST, LAST));
        hint.set(last, (1 << NUMBER) - 1);
        assert_eq!((hint.line_in(last), hint.line_in(LAST)), (Some((1 << NUMBER) - 1), None));
    }
}
