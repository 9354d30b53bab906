//! A list that grows without moving is read while a thread appends.

use std::sync::atomic::Ordering::Relaxed;

use loom::sync::atomic::AtomicU64;
use loom::thread;

use crate::run::{Model, Shared};
use crate::store::blocks::Blocks;

/// A reader of a list to which two items are appended, the second in a block of its own.
const APPENDED: Model = Model { stops: 5, run: || appended(2) };

/// The same within a block that is there.
const WITHIN: Model = Model { stops: 5, run: || appended(1) };

fn appended(more: u64) {
    let list = Shared::new(Blocks::new());
    list.push(AtomicU64::new(0)).unwrap();
    let (pushes, reads) = (list.clone(), list.clone());
    let pushes = thread::spawn(move || {
        for item in 1..=more {
            assert_eq!(pushes.push(AtomicU64::new(item)), Some(item as u32));
        }
    });
    let reads = thread::spawn(move || {
        for _ in 0..2 {
            let length = reads.len();
            let items: Vec<_> =
                (0..3).map_while(|index| reads.get(index)).map(|item| item.load(Relaxed)).collect();
            assert!(
                items.len() as u32 >= length && items.iter().copied().eq(0..items.len() as u64),
                "{items:?}"
            );
        }
    });
    pushes.join().unwrap();
    reads.join().unwrap();
    assert_eq!(list.len(), 1 + more as u32);
}

#[test]
fn items_are_seen_whole_and_in_order() {
    APPENDED.holds();
}

#[test]
fn the_length_is_stored_with_release() {
    WITHIN.fails("the length is stored without Release", "Causality violation");
}

#[test]
fn the_length_is_read_with_acquire() {
    WITHIN.fails("the length is read without Acquire", "Causality violation");
}
