//! A watch begins while a thread counts: from then on the hot path sees no chunk, and no count is lost.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use loom::sync::atomic::fence;
use loom::thread;

use crate::local;
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::Inner;

/// Chunk 0 stands for slots that do not exist.
const SLOT: u32 = 9;

const BEGUN: Model = Model { stops: 4, run: begun };

fn begun() {
    let store = Shared::new(Inner::new());
    store.regions.lease(true);
    let (counts, watches) = (store.clone(), store.clone());
    let counts = thread::spawn(move || {
        local::enter(&counts, counts.regions.iter().next());
        for _ in 0..2 {
            if !local::add_fixed(SLOT, 1u64) {
                local::map_and_add_fixed(SLOT, 1u64);
            }
        }
    });
    let watches = thread::spawn(move || {
        watches.is_watched.store(true, Relaxed);
        fence(SeqCst);
        watches.regions.iter().for_each(|region| region.hide_fixed());
    });
    counts.join().unwrap();
    watches.join().unwrap();
    let is_hidden = store.regions.iter().all(|region| region.fixed_for_owner(SLOT).is_null());
    assert!(is_hidden, "the hot path sees what is watched");
    assert_eq!(Reading::of(&store.regions).fixed(SLOT), 2, "counts were lost");
}

#[test]
fn a_watch_hides_every_chunk_and_loses_no_count() {
    BEGUN.holds();
}

#[test]
fn whoever_maps_has_a_fence() {
    BEGUN.fails("a chunk is shown without a fence", "the hot path sees what is watched");
}

#[test]
fn what_is_hidden_is_found_by_its_owner() {
    BEGUN.fails("a chunk is hidden before it can be found", "counts were lost");
}
