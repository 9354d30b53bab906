//! What nobody can find any more is used again, or freed, while a thread records.

use std::cell::Cell;
use std::rc::Rc;

use loom::thread;

use crate::label::{Long, Packed};
use crate::local::{self, Write};
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::dictionary::Dictionary;
use crate::store::layout::LAYOUT;
use crate::store::lifecycle::{Departures, Leaving};
use crate::store::line::{CellWord, Key};
use crate::store::region::Region;
use crate::store::{Definition, Inner};

const SLOT: u32 = 1;
const OTHER: u32 = 4;

static DEFINITION: Definition = Definition { id: 1 };

fn key(number: u64) -> Packed {
    Packed { words: [number, number], head: 1 }
}

#[derive(Clone, Copy)]
struct Add;

impl Write for Add {
    fn write(&self, _: &Inner, region: &Region, cell: CellWord) -> bool {
        local::add_series(region, cell.slot(), 1u64)
    }
}

/// Records a value of one, so that the sum is the count.
#[derive(Clone, Copy)]
struct Record;

impl Write for Record {
    fn write(&self, _: &Inner, region: &Region, cell: CellWord) -> bool {
        local::record_series(region, cell.slot(), &LAYOUT, 1.0)
    }
}

/// A thread records twice into a series, which another removes and, once it may, uses again for a second series.
const COUNTER: Model = Model { stops: 5, run: counter };

fn counter() {
    let writes = || u64::from(local::write_at(&key(1), &Add)) + u64::from(local::write_at(&key(1), &Add));
    removed(make, writes, |cell| cell);
}

fn make(dictionary: &Dictionary, number: u64) -> (u32, Key) {
    (dictionary.make(key(number), SLOT), Key::Packed(key(number)))
}

/// The same where the words of the labels are not in their line, and are used again too.
const LONG: Model = Model { stops: 5, run: long };

fn long() {
    let writes = || {
        let write = || u64::from(local::write_at(&Long(&[1, 1]), &Add));
        write() + write()
    };
    removed(|dictionary, number| dictionary.make_long(&Long(&[number; 2]), SLOT), writes, |cell| cell);
}

/// A thread records into a histogram that is removed, then into another without an operation, as who hands on what a series had.
const HISTOGRAM: Model = Model { stops: 5, run: histogram };

fn histogram() {
    let writes = || {
        let written = local::write_at(&key(1), &Record);
        local::with_region(|region| local::record_series(region, OTHER, &LAYOUT, 1.0));
        u64::from(written)
    };
    removed(make, writes, |cell| f64::from_bits(cell) as u64);
}

fn removed(
    make: fn(&Dictionary, u64) -> (u32, Key),
    writes: impl Fn() -> u64 + 'static,
    count: fn(u64) -> u64,
) {
    let store = Shared::new(Inner::new());
    let (number, first) = make(&store.dictionary, 1);
    local::map_series(store.regions.lease(true).0, SLOT);
    let writer = {
        let store = store.clone();
        thread::spawn(move || {
            local::enter(&store, store.regions.iter().next());
            writes()
        })
    };
    let remover = {
        let store = store.clone();
        thread::spawn(move || {
            let last = Rc::new(Cell::new(None));
            let mut departures = Departures::default();
            let cell = CellWord::new(SLOT, 0, true);
            let lines = vec![(number, first)];
            let leaving = Leaving { definition: &DEFINITION, lines, cell, last: Rc::clone(&last) };
            leaving.remove(&store, &mut departures);
            departures.tidy(&store);
            if last.get().is_none() {
                departures.tidy(&store);
            }
            let last = last.get();
            if last.is_some() {
                assert_eq!(make(&store.dictionary, 2).0, number, "the line is used again");
            }
            last
        })
    };
    let (written, last) = (writer.join().unwrap(), remover.join().unwrap());
    let now = count(Reading::of(&store.regions).total(SLOT));
    match last {
        None => assert_eq!(now, written, "a count was lost"),
        Some(last) => {
            assert_eq!(now, 0, "a count landed in another series");
            assert_eq!(count(last), written, "a count was lost");
        }
    }
}

#[test]
fn no_count_lands_in_another_series_or_is_lost() {
    COUNTER.holds();
}

#[test]
fn no_value_of_a_histogram_lands_in_another_series_or_is_lost() {
    HISTOGRAM.holds();
}

#[test]
fn no_count_lands_under_other_long_labels_or_is_lost() {
    LONG.holds();
}

#[test]
fn long_labels_are_compared_in_full() {
    LONG.fails("long labels are found by their hash alone", "a count landed in another series");
}

#[test]
fn the_words_of_long_labels_are_used_again_when_nobody_looks_at_them() {
    LONG.fails("nobody waits for operations to end", "a count");
    LONG.fails("an operation begins without a barrier", "a count");
    LONG.fails("a tag is read without Acquire", "a count");
}

#[test]
fn an_operation_begins_with_a_barrier() {
    COUNTER.fails("an operation begins without a barrier", "a count");
}

#[test]
fn threads_are_asked_with_a_barrier() {
    COUNTER.fails("threads are asked without a barrier", "a count");
}

#[test]
fn operations_that_are_under_way_are_waited_for() {
    COUNTER.fails("nobody waits for operations to end", "a count");
}

#[test]
fn operations_end_with_release() {
    COUNTER.fails("an operation ends without Release", "a count");
}

#[test]
fn moments_are_read_with_acquire() {
    COUNTER.fails("a moment is read without Acquire", "a count");
}

#[test]
fn the_end_of_an_operation_is_read_with_acquire() {
    COUNTER.fails("the end of an operation is read without Acquire", "a count");
}

#[test]
fn operations_begin_with_release() {
    COUNTER.fails("an operation begins without Release", "a count");
}

#[test]
fn writing_begins_with_release() {
    HISTOGRAM.fails("writing begins without Release", "a count");
}

#[test]
fn an_operation_that_writes_is_still_the_same_operation() {
    HISTOGRAM.fails("an operation that writes is taken for the next one", "a count");
}

/// A thread looks up two numbers of a table that another makes grow, and frees what was replaced.
const GROWN: Model = Model { stops: 5, run: grown };

fn hash(number: u32) -> u64 {
    u64::from(number)
}

fn grown() {
    let store = Shared::new(Inner::new());
    // One more, and the old index is copied.
    (0..9).for_each(|number| store.dictionary.table.insert(hash(number), number, hash));
    store.regions.lease(true);
    let looks = {
        let store = store.clone();
        thread::spawn(move || {
            let region = store.regions.iter().next().expect("there is one");
            for number in [0, 1] {
                let begun = region.begin();
                let found = store.dictionary.table.find(hash(number), &|found: u32| found == number);
                region.end(begun);
                assert_eq!(found, Some(number), "missed");
            }
        })
    };
    let grows = {
        let store = store.clone();
        thread::spawn(move || {
            store.dictionary.table.insert(hash(9), 9, hash);
            let mut departures = Departures::default();
            departures.tidy(&store);
            departures.tidy(&store);
            // What cannot be freed yet is for the next reading, which the model does not have.
            std::mem::forget(departures);
        })
    };
    looks.join().unwrap();
    grows.join().unwrap();
}

#[test]
fn nothing_is_freed_that_somebody_looks_at() {
    GROWN.holds();
}

#[test]
fn nothing_is_freed_while_an_operation_may_be_looking_at_it() {
    GROWN.fails("nobody waits for operations to end", "Causality violation");
    GROWN.fails("an operation begins without a barrier", "Causality violation");
    GROWN.fails("threads are asked without a barrier", "Causality violation");
    GROWN.fails("an operation ends without Release", "Causality violation");
}
