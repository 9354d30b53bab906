//! A histogram gets another cell while it is recorded into and read.

use loom::thread;

use crate::front_end::PreparedLabels;
use crate::label::Packed;
use crate::local::{self, Write};
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::layout::LAYOUT;
use crate::store::lifecycle::have_moved_on;
use crate::store::line::CellWord;
use crate::store::past::Stage;
use crate::store::region::Region;
use crate::store::{Definition, Inner, barrier};

const OLD: u32 = 1;
const NEW: u32 = 4;

static DEFINITION: Definition = Definition { id: 1 };

const KEY: Packed = Packed { words: [1, 1], head: 1 };

/// Records a value of one, so that the sum is the count.
#[derive(Clone, Copy)]
struct Record;

impl Write for Record {
    fn write(&self, _: &Inner, region: &Region, cell: CellWord) -> bool {
        local::record_series(region, cell.slot(), &LAYOUT, 1.0)
    }
}

/// As the engine does it: what was there is noted before what comes can be found.
fn replace(store: &Inner, number: u32) {
    let line = store.dictionary.line(number).expect("it is there");
    let cell = line.cell();
    store.past.made(number, || Stage(0), |history| history.cells.push((cell, 0)));
    line.set_cell(CellWord::new(NEW, 0, true));
}

/// Takes what is in the old cell out of it, once nobody can be writing there: what that was.
fn carry_over(store: &Inner) -> u64 {
    if !barrier::all_threads() {
        return 0;
    }
    let moments: Vec<_> = store.regions.iter().map(|region| region.moment()).collect();
    if !have_moved_on(&moments, store) {
        return 0;
    }
    let carried = count(store, OLD);
    for chunk in store.regions.iter().filter_map(|region| region.series(OLD)) {
        chunk.words(OLD, 3).iter().for_each(|word| word.store(0, crate::sync::atomic::Ordering::Relaxed));
    }
    carried
}

fn count(store: &Inner, slot: u32) -> u64 {
    f64::from_bits(Reading::of(&store.regions).total(slot)) as u64
}

fn store() -> (Shared<Inner>, u32) {
    let store = Shared::new(Inner::new());
    let number = store.dictionary.make(KEY, OLD);
    local::map_series(store.regions.lease(true).0, OLD);
    (store, number)
}

/// A thread records twice, by a look at the table and through a handle.
const WRITTEN: Model = Model { stops: 4, run: written };

fn written() {
    written_by(|number| {
        assert!(local::write_at(&KEY, &Record));
        local::record_held(number, &DEFINITION, 1.0);
    });
}

/// The same by labels that are prepared: first by a look at the table, then by what that found.
const PREPARED: Model = Model { stops: 4, run: prepared };

fn prepared() {
    written_by(|_| {
        let labels = PreparedLabels::new(KEY);
        assert!(local::write_at(&labels, &Record) && local::write_at(&labels, &Record));
    });
}

fn written_by(write_twice: fn(u32)) {
    let (store, number) = store();
    let writer = {
        let store = store.clone();
        thread::spawn(move || {
            local::enter(&store, store.regions.iter().next());
            write_twice(number);
        })
    };
    let replacer = {
        let store = store.clone();
        thread::spawn(move || {
            replace(&store, number);
            carry_over(&store)
        })
    };
    writer.join().unwrap();
    let carried = replacer.join().unwrap();
    assert_eq!(carried + count(&store, OLD) + count(&store, NEW), 2, "a count was lost or came twice");
    // Whatever comes now goes to the new cell alone.
    let before = count(&store, NEW);
    local::enter(&store, store.regions.iter().next());
    local::record_held(number, &DEFINITION, 1.0);
    assert_eq!(count(&store, NEW), before + 1);
}

/// A thread reads twice while another replaces a cell that has something in it, and records.
const READ: Model = Model { stops: 3, run: read };

fn read() {
    let (store, number) = store();
    local::enter(&store, store.regions.iter().next());
    local::record_held(number, &DEFINITION, 1.0);
    let replacer = {
        let store = store.clone();
        thread::spawn(move || {
            local::enter(&store, store.regions.iter().next());
            replace(&store, number);
            local::record_held(number, &DEFINITION, 1.0);
        })
    };
    let reader = {
        let store = store.clone();
        thread::spawn(move || {
            let first = seen(&store, number);
            let second = seen(&store, number);
            assert!((1..=2).contains(&first) && first <= second, "{first}, then {second}");
        })
    };
    replacer.join().unwrap();
    reader.join().unwrap();
    assert_eq!(seen(&store, number), 2);
}

/// As readings do it: the cell, then those before it, unless it is among them already.
fn seen(store: &Inner, number: u32) -> u64 {
    let cell = store.dictionary.line(number).expect("it is there").cell();
    let mut cells = store.past.of(number, |history| history.cells.clone()).unwrap_or_default();
    if cells.iter().all(|(there, _)| *there != cell) {
        cells.push((cell, 0));
    }
    cells.iter().map(|(cell, _)| count(store, cell.slot())).sum()
}

#[test]
fn no_value_is_lost_or_comes_twice_when_a_cell_is_replaced() {
    WRITTEN.holds();
    PREPARED.holds();
}

#[test]
fn a_cell_that_was_replaced_is_not_emptied_while_somebody_writes_to_it() {
    WRITTEN.fails("an operation begins without a barrier", "a count was lost");
    WRITTEN.fails("a handle looks before that can be seen", "a count was lost");
    WRITTEN.fails("an operation ends without Release", "a count was lost");
    WRITTEN.fails("an operation that writes is taken for the next one", "a count was lost");
    PREPARED.fails("an operation begins without a barrier", "a count was lost");
    PREPARED.fails("an operation ends without Release", "a count was lost");
}

#[test]
fn a_reader_sees_what_was_in_a_cell_that_is_just_replaced() {
    READ.holds();
}

#[test]
fn a_cell_is_replaced_with_release_and_found_with_acquire() {
    READ.fails("a cell is replaced without Release", "then");
    READ.fails("a cell is found without Acquire", "then");
}
