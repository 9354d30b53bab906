//! Values are kept as they are, and taken out while others come.

use loom::thread;

use crate::run::{Model, Shared};
use crate::store::Inner;

/// Two threads put values in, of which the line says what they must be; another takes out what it finds.
const KEPT: Model = Model { stops: 3, run: kept };

fn kept() {
    let store = Shared::new(Inner::new());
    let put: Vec<_> = [1, 2]
        .into_iter()
        .map(|line| {
            let store = store.clone();
            thread::spawn(move || assert!(store.unplanned.push(line, f64::from(line) + 0.5)))
        })
        .collect();
    let takes = {
        let store = store.clone();
        thread::spawn(move || taken(&store))
    };
    let mut all = takes.join().unwrap();
    for thread in put {
        thread.join().unwrap();
    }
    assert!(all.len() == 2 || !store.unplanned.is_empty(), "a value was forgotten");
    all.extend(taken(&store));
    all.sort_unstable();
    assert_eq!(all, [1, 2], "a value was lost or came twice");
    assert!(store.unplanned.is_empty());
}

fn taken(store: &Inner) -> Vec<u32> {
    let mut all = Vec::new();
    store.unplanned.take(|line, value| {
        assert!(value == f64::from(line) + 0.5, "{value} is not of line {line}");
        all.push(line);
        true
    });
    all
}

#[test]
fn each_value_comes_out_once() {
    KEPT.holds();
}

#[test]
fn a_value_is_kept_with_release_and_taken_out_with_acquire() {
    KEPT.fails("a value is kept without Release", "is not of line");
    KEPT.fails("a value is taken out without Acquire", "is not of line");
}
