//! A region that one thread after the other writes to: what the next one adds is added to all that was there.

use loom::thread;

use crate::local;
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::Inner;

const SLOT: u32 = 1;
/// Chunk 0 stands for slots that do not exist.
const FIXED: u32 = 9;

/// Two threads that record with a lease for each operation into a region that is there already, or one more if they meet.
const LEASED: Model = Model { stops: 5, run: leased };

fn leased() {
    let store = Shared::new(Inner::new());
    local::enter(&store, None);
    local::add_held(SLOT, 1u64);
    let threads = [1, 2].map(|amount| {
        let store = store.clone();
        thread::spawn(move || {
            local::enter(&store, None);
            local::add_held(SLOT, 10u64.pow(amount));
            local::add_held(SLOT, 10u64.pow(amount));
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(Reading::of(&store.regions).total(SLOT), 221, "counts were lost");
}

#[test]
fn no_count_is_lost_when_a_region_is_handed_over() {
    LEASED.holds();
}

#[test]
fn a_lease_is_taken_with_acquire() {
    LEASED.fails("a lease is taken without Acquire", "counts were lost");
}

#[test]
fn a_lease_is_returned_with_release() {
    LEASED.fails("a lease is returned without Release", "counts were lost");
}

/// A reader of a counter that the program text names, while a thread gets a region for it and counts.
const READ: Model = Model { stops: 5, run: read };

fn read() {
    let store = Shared::new(Inner::new());
    let writer = {
        let store = store.clone();
        thread::spawn(move || {
            local::enter(&store, None);
            local::map_and_add_fixed(FIXED, 1u64);
            local::map_and_add_fixed(FIXED, 1u64);
        })
    };
    let reader = {
        let store = store.clone();
        thread::spawn(move || {
            let first = Reading::of(&store.regions).fixed(FIXED);
            let second = Reading::of(&store.regions).fixed(FIXED);
            assert!(first <= second && second <= 2, "a counter went down");
        })
    };
    writer.join().unwrap();
    reader.join().unwrap();
    assert_eq!(Reading::of(&store.regions).fixed(FIXED), 2, "counts were lost");
}

#[test]
fn a_reader_sees_a_region_and_its_chunks_whole_or_not_at_all() {
    READ.holds();
}

#[test]
fn a_region_is_listed_with_release() {
    READ.fails("a region is listed without Release", "Causality violation");
}

#[test]
fn a_fixed_chunk_is_mapped_with_release() {
    READ.fails("a fixed chunk is mapped without Release", "Causality violation");
}
