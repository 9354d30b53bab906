//! What a lookup found is remembered, while its line leaves and is used again for other labels.

use std::cell::Cell;
use std::rc::Rc;

use loom::thread;

use crate::front_end::PreparedLabels;
use crate::label::Packed;
use crate::local::{self, Write};
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::lifecycle::{Departures, Leaving};
use crate::store::line::{CellWord, Key};
use crate::store::region::Region;
use crate::store::{Definition, Inner};

const SLOT: u32 = 1;
const OTHER: u32 = 4;

static DEFINITION: Definition = Definition { id: 1 };

const KEY: Packed = Packed { words: [1, 1], head: 1 };
const OTHER_KEY: Packed = Packed { words: [2, 2], head: 1 };
const LEAVES: Packed = Packed { words: [3, 3], head: 1 };

#[derive(Clone, Copy)]
struct Add;

impl Write for Add {
    fn write(&self, _: &Inner, region: &Region, cell: CellWord) -> bool {
        local::add_series(region, cell.slot(), 1u64)
    }
}

/// A store and labels that are prepared once for all of its threads, each of which has a region.
struct Prepared {
    store: Inner,
    labels: PreparedLabels,
}

impl Prepared {
    fn for_threads(threads: usize) -> Shared<Prepared> {
        let prepared = Prepared { store: Inner::new(), labels: PreparedLabels::new(KEY) };
        for _ in 0..threads {
            local::map_series(prepared.store.regions.lease(true).0, SLOT);
        }
        Shared::new(prepared)
    }

    fn enter(&self, region: usize) {
        local::enter(&self.store, self.store.regions.iter().nth(region));
    }

    fn write(&self) -> u64 {
        u64::from(local::write_at(&self.labels, &Add))
    }

    fn total(&self, slot: u32) -> u64 {
        Reading::of(&self.store.regions).total(slot)
    }

    /// Takes a series out of the table. What is returned has what was counted in it, once nobody can count any more.
    fn leave(&self, (number, key): (u32, Packed), slot: u32) -> (Departures, Rc<Cell<Option<u64>>>) {
        let last = Rc::new(Cell::new(None));
        let mut departures = Departures::default();
        let cell = CellWord::new(slot, 0, true);
        let lines = vec![(number, Key::Packed(key))];
        let leaving = Leaving { definition: &DEFINITION, lines, cell, last: Rc::clone(&last) };
        leaving.remove(&self.store, &mut departures);
        (departures, last)
    }

    /// Removes a series; what was counted in it, if nobody can count any more.
    fn remove(&self, series: (u32, Packed), slot: u32) -> Option<u64> {
        let (mut departures, last) = self.leave(series, slot);
        departures.tidy(&self.store);
        if last.get().is_none() {
            departures.tidy(&self.store);
        }
        last.get()
    }
}

/// A thread records twice, first by a look at the table, while another removes the series and uses its line again.
const REMOVED: Model = Model { stops: 4, run: removed };

fn removed() {
    let prepared = Prepared::for_threads(1);
    let number = prepared.store.dictionary.make(KEY, SLOT);
    let writer = {
        let prepared = prepared.clone();
        thread::spawn(move || {
            prepared.enter(0);
            prepared.write() + prepared.write()
        })
    };
    let remover = {
        let prepared = prepared.clone();
        thread::spawn(move || {
            let last = prepared.remove((number, KEY), SLOT);
            if last.is_some() {
                let again = prepared.store.dictionary.make(OTHER_KEY, SLOT);
                assert_eq!(again, number, "the line is used again");
            }
            last
        })
    };
    let (written, last) = (writer.join().unwrap(), remover.join().unwrap());
    let now = prepared.total(SLOT);
    match last {
        None => assert_eq!(now, written, "a count was lost"),
        Some(last) => {
            assert_eq!(now, 0, "a count landed in another series");
            assert_eq!(last, written, "a count was lost");
        }
    }
}

#[test]
fn no_count_lands_in_the_series_that_has_the_line_after() {
    REMOVED.holds();
}

#[test]
fn a_generation_ends_after_the_series_left_the_table_and_before_threads_are_asked() {
    REMOVED.fails("a generation never ends", "a count");
    REMOVED.fails("a generation ends too early", "a count");
    REMOVED.fails("a generation ends too late", "a count");
}

#[test]
fn a_line_is_known_in_its_generation_alone() {
    REMOVED.fails("a line is known in every generation", "a count");
}

#[test]
fn who_sees_a_generation_does_not_find_what_left_before_it() {
    REMOVED.fails("a generation ends without Release", "a count");
    REMOVED.fails("a generation is read without Acquire", "a count");
}

#[test]
fn a_generation_is_read_in_an_operation_that_is_waited_for() {
    REMOVED.fails("a series is looked for outside of the operation", "a count");
    REMOVED.fails("an operation begins without a barrier", "a count");
    REMOVED.fails("threads are asked without a barrier", "a count");
    REMOVED.fails("nobody waits for operations to end", "a count");
}

/// Two threads record into a series that a third makes in a line that had other labels and another cell before: one may know the
/// line from the other alone. Yet another series leaves before, since loom stops a thread only where it looks at what others
/// write: here at the generation, after its operation has begun.
const SHARED: Model = Model { stops: 3, run: shared };

fn shared() {
    let prepared = Prepared::for_threads(2);
    let number = prepared.store.dictionary.make(OTHER_KEY, OTHER);
    let leaves = prepared.store.dictionary.make(LEAVES, SLOT + 1);
    assert_eq!(prepared.remove((number, OTHER_KEY), OTHER), Some(0));
    let makes = {
        let prepared = prepared.clone();
        thread::spawn(move || {
            prepared.leave((leaves, LEAVES), SLOT + 1);
            assert_eq!(prepared.store.dictionary.make(KEY, SLOT), number, "the line is used again");
        })
    };
    let records = [0, 1].map(|region| {
        let prepared = prepared.clone();
        thread::spawn(move || {
            prepared.enter(region);
            prepared.write()
        })
    });
    makes.join().unwrap();
    let written: u64 = records.into_iter().map(|records| records.join().unwrap()).sum();
    assert_eq!(prepared.total(OTHER), 0, "a count landed in another series");
    assert_eq!(prepared.total(SLOT), written, "a count was lost");
}

#[test]
fn no_count_lands_in_the_series_that_had_the_line_before() {
    SHARED.holds();
}

#[test]
fn who_knows_a_line_from_another_sees_its_cell() {
    SHARED.fails("a hint is kept without Release", "a count landed in another series");
    SHARED.fails("a hint is read without Acquire", "a count landed in another series");
}

/// Two threads record into two series in two stores, by the same prepared labels, each into its own.
const STORES: Model = Model { stops: 5, run: stores };

fn stores() {
    let (one, other) = (Prepared::for_threads(1), Shared::new(Inner::new()));
    other.dictionary.generation.renew();
    local::map_series(other.regions.lease(true).0, SLOT);
    // The same line has other labels in the other store.
    one.store.dictionary.make(KEY, SLOT);
    other.dictionary.make(OTHER_KEY, OTHER);
    other.dictionary.make(KEY, SLOT);
    let into_one = {
        let one = one.clone();
        thread::spawn(move || {
            one.enter(0);
            one.write() + one.write()
        })
    };
    let into_other = {
        let (one, other) = (one.clone(), other.clone());
        thread::spawn(move || {
            local::enter(&other, other.regions.iter().next());
            one.write() + one.write()
        })
    };
    assert_eq!((into_one.join().unwrap(), into_other.join().unwrap()), (2, 2));
    let other = Reading::of(&other.regions);
    assert_eq!((one.total(SLOT), one.total(OTHER)), (2, 0), "a count landed in another series");
    assert_eq!((other.total(SLOT), other.total(OTHER)), (2, 0), "a count landed in another series");
}

#[test]
fn no_count_lands_in_the_series_that_has_the_line_in_another_store() {
    STORES.holds();
}

#[test]
fn stores_have_no_generation_in_common() {
    STORES.fails("a line is known in every generation", "a count landed in another series");
}
