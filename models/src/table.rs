//! The table is searched without a lock while a thread puts numbers in, takes them out, and makes it grow.

use std::ops::Range;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::sync::atomic::AtomicU64;
use loom::thread;

use crate::run::{Model, Shared};
use crate::store::table::Table;

/// A table, and what its numbers are numbers of: a line is 0 until it is written.
struct Lines {
    table: Table,
    lines: [AtomicU64; 10],
    /// How many numbers have been put in.
    told: AtomicU64,
}

impl Lines {
    /// With these numbers, in one bucket and the other by turns, each with a tag of its own.
    fn with(numbers: Range<u32>) -> Shared<Lines> {
        let lines = Lines {
            table: Table::new(),
            lines: std::array::from_fn(|_| AtomicU64::new(0)),
            told: AtomicU64::new(0),
        };
        numbers.for_each(|number| lines.put(number, hash(number)));
        Shared::new(lines)
    }

    fn put(&self, number: u32, hash_of_number: u64) {
        self.lines[number as usize].store(hash_of_number + 1, Relaxed);
        self.table.insert(hash_of_number, number, hash);
        self.told.store(u64::from(number) + 1, Release);
    }

    fn find(&self, hash: u64) -> Option<u32> {
        self.table.find(hash, &|number: u32| {
            let line = self.lines[number as usize].load(Relaxed);
            assert!(line != 0, "a number without its line");
            line == hash + 1
        })
    }
}

fn hash(number: u32) -> u64 {
    u64::from(number + 1) << 50 | u64::from(number)
}

fn end(thread: thread::JoinHandle<()>, other: thread::JoinHandle<()>) {
    thread.join().unwrap();
    other.join().unwrap();
}

/// A search for numbers that are being put into a bucket that is empty.
const PUT: Model = Model { stops: 5, run: put };

fn put() {
    let lines = Lines::with(1..2);
    let (puts, finds) = (lines.clone(), lines.clone());
    let puts = thread::spawn(move || [2, 4].into_iter().for_each(|number| puts.put(number, hash(number))));
    let finds = thread::spawn(move || {
        let found = [4, 2].map(|number| finds.find(hash(number)));
        assert!(matches!(found, [None, None | Some(2)] | [Some(4), Some(2)]), "missed");
        assert_eq!(finds.find(hash(1)), Some(1), "missed");
    });
    end(puts, finds);
    assert_eq!(lines.find(hash(2)), Some(2), "missed");
}

#[test]
fn a_number_that_is_found_has_its_line() {
    PUT.holds();
}

#[test]
fn a_tag_is_stored_with_release() {
    PUT.fails("a tag is stored without Release", "a number without its line");
}

#[test]
fn a_tag_is_read_with_acquire() {
    PUT.fails("a tag is read without Acquire", "a number without its line");
}

/// The first number that is put into a table, while somebody searches.
const FIRST: Model = Model { stops: 5, run: first };

fn first() {
    let lines = Lines::with(0..0);
    let (puts, finds) = (lines.clone(), lines.clone());
    let puts = thread::spawn(move || (0..2).for_each(|number| puts.put(number, hash(number))));
    let finds = thread::spawn(move || {
        let told = finds.told.load(Acquire) as u32;
        for number in 0..2 {
            let found = finds.find(hash(number));
            assert!(found == Some(number) || (told <= number && found.is_none()), "missed");
        }
    });
    end(puts, finds);
}

#[test]
fn the_first_number_is_found_as_soon_as_somebody_is_told() {
    FIRST.holds();
}

#[test]
fn the_root_is_stored_with_release() {
    FIRST.fails("the root is stored without Release", "Causality violation");
}

#[test]
fn the_root_is_read_with_acquire() {
    FIRST.fails("the root is read without Acquire", "Causality violation");
}

/// A lane that is used again for a number with the same tag: who saw the tag of before sees the number of after.
const LANE: Model = Model { stops: 5, run: lane };

fn lane() {
    let lines = Lines::with(0..1);
    let (puts, finds) = (lines.clone(), lines.clone());
    let puts = thread::spawn(move || {
        puts.table.remove(hash(0), 0);
        // The same bucket and tag, another line.
        puts.put(2, hash(0) + 2);
    });
    let finds = thread::spawn(move || {
        finds.find(hash(0));
        finds.find(hash(0) + 2);
    });
    end(puts, finds);
    assert_eq!(lines.find(hash(0) + 2), Some(2), "missed");
}

#[test]
fn a_lane_that_is_used_again_has_a_number_with_its_line() {
    LANE.holds();
}

#[test]
fn a_number_is_stored_with_release() {
    LANE.fails("a number is stored without Release", "a number without its line");
}

#[test]
fn a_number_is_read_with_acquire() {
    LANE.fails("a number is read without Acquire", "a number without its line");
}

/// The table is full with eight numbers. The ninth makes a larger index and the first half of its copy, the tenth the rest;
/// then the root is swapped again.
const GROWTH: Model = Model { stops: 5, run: growth };

fn growth() {
    let lines = Lines::with(0..8);
    let (puts, finds) = (lines.clone(), lines.clone());
    let puts = thread::spawn(move || (8..10).for_each(|number| puts.put(number, hash(number))));
    let finds = thread::spawn(move || {
        let told = finds.told.load(Acquire) as u32;
        // One of each bucket, and the newest.
        for number in [4, 5, told - 1] {
            assert_eq!(finds.find(hash(number)), Some(number), "missed");
        }
    });
    end(puts, finds);
}

#[test]
fn nothing_that_is_in_is_missed_while_the_table_grows() {
    GROWTH.holds();
}

#[test]
fn the_smaller_index_stays_until_it_is_copied() {
    GROWTH.fails("the smaller index is dropped before it is copied", "missed");
}

#[test]
fn both_indexes_are_searched() {
    GROWTH.fails("only the smaller index is searched", "missed");
}
