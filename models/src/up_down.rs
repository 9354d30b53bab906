//! What goes up in one thread and down in another is never read as less than nothing.

use std::sync::atomic::Ordering::{Acquire, Release};

use loom::sync::atomic::AtomicBool;
use loom::thread;

use crate::local;
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::Inner;
use crate::store::region::Region;

const UPS: u32 = 2;
const DOWNS: u32 = 3;

/// A thread goes up, and tells another, which goes down in a region of its own.
const PASSED_ON: Model = Model { stops: 5, run: passed_on };

struct Passed {
    store: Inner,
    up: AtomicBool,
}

/// The two regions of the store, each with its chunk.
fn region(store: &Inner, at: usize) -> &Region {
    store.regions.iter().nth(at).expect("there are two")
}

fn passed_on() {
    let passed = Shared::new(Passed { store: Inner::new(), up: AtomicBool::new(false) });
    for region in [passed.store.regions.lease(true).0, passed.store.regions.lease(true).0] {
        local::map_series(region, UPS);
    }
    let up = {
        let passed = passed.clone();
        thread::spawn(move || {
            local::add_series(region(&passed.store, 0), UPS, 1i64);
            passed.up.store(true, Release);
        })
    };
    let down = {
        let passed = passed.clone();
        thread::spawn(move || {
            if passed.up.load(Acquire) {
                local::add_series(region(&passed.store, 1), DOWNS, 1i64);
            }
        })
    };
    let reader = {
        let passed = passed.clone();
        thread::spawn(move || {
            let value = Reading::of(&passed.store.regions).up_down(UPS);
            assert!((0..=1).contains(&value), "{value} is less than nothing, or more than there ever was");
        })
    };
    [up, down, reader].into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn what_goes_down_has_gone_up_before() {
    PASSED_ON.holds();
}

#[test]
fn additions_have_release() {
    PASSED_ON.fails("an addition has no Release", "less than nothing");
}

#[test]
fn totals_are_read_with_acquire() {
    PASSED_ON.fails("a total is read without Acquire", "less than nothing");
}

#[test]
fn downs_are_read_before_ups() {
    PASSED_ON.fails("ups are read before downs", "less than nothing");
}
