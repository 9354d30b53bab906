//! Locks that somebody else holds, for a while or for ever as after a fork.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::reading::Point;
use crate::store::Store;

crate::labels! { enum Eight { A, B, C, D, E, F, G, H } }

crate::metrics! {
    /// A distribution.
    static SIZES: Histogram<f64> = "inner.sizes" { buckets: [1, 2], labels: { key: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "inner.level" { labels: { key: &str } };
    /// All of them at zero.
    static CLOSED: Histogram<f64> = "inner.closed" {
        buckets: [1, 2, 3, 4, 5, 6, 7, 8], labels: { at: Eight }, zeroes: true
    };
}

/// Far more than the second that anything waits for a lock.
const FOR_EVER: Duration = Duration::from_secs(20);

/// Whether this comes to an end.
fn ends(f: impl FnOnce() + Send + 'static) -> bool {
    let (end, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        f();
        drop(end);
    });
    ended.recv_timeout(FOR_EVER) == Err(mpsc::RecvTimeoutError::Disconnected)
}

/// Runs a test in a process of its own: what is out of reach is counted for all stores of a process. True in that process.
fn alone(test: &str) -> bool {
    const ALONE: &str = "METERCAST_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let name = format!("store::inner::tests::{test}");
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", &name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

#[test]
fn a_recording_and_a_reading_end_though_the_buckets_are_locked_for_ever() {
    if !alone("a_recording_and_a_reading_end_though_the_buckets_are_locked_for_ever") {
        return;
    }
    let store = Store::new();
    std::mem::forget(store.inner().layouts.lock().unwrap());
    let child = store.clone();
    assert!(ends(move || child.scope(|| drop(SIZES.start(("a",))))));
    let child = store.clone();
    assert!(ends(move || {
        child.scope(|| SIZES.record(1.0, ("a",)));
        child.collect();
    }));
}

#[test]
fn setting_a_gauge_ends_though_the_lock_of_gauges_is_held_for_ever() {
    if !alone("setting_a_gauge_ends_though_the_lock_of_gauges_is_held_for_ever") {
        return;
    }
    let store = Store::new();
    std::mem::forget(store.inner().mapping.lock().unwrap());
    assert!(ends(move || store.scope(|| LEVEL.set(1, ("a",)))));
}

#[test]
fn all_series_of_a_closed_histogram_are_there_with_their_buckets_though_others_hold_the_locks() {
    let all = [Eight::A, Eight::B, Eight::C, Eight::D, Eight::E, Eight::F, Eight::G, Eight::H];
    for _ in 0..10 {
        let store = Store::new();
        thread::scope(|threads| {
            let (begin, begun) = mpsc::channel();
            let store = &store;
            threads.spawn(move || {
                begin.send(()).unwrap();
                let is_there = || {
                    let definitions = crate::registry::definitions();
                    let closed = definitions.iter().find(|definition| definition.name == "inner.closed");
                    closed.is_some_and(|closed| !store.inner().dictionary.ends_of(closed).is_empty())
                };
                while !is_there() {
                    std::hint::spin_loop();
                }
                // Like a thread that makes something else, and is preempted.
                let _layouts = store.inner().layouts.lock().unwrap();
                let _writer = store.inner().dictionary.writer();
                (0..1_000).for_each(|_| thread::yield_now());
            });
            begun.recv().unwrap();
            store.scope(|| CLOSED.record(1.0, (Eight::A,)));
        });
        store.collect();
        store.scope(|| all.iter().for_each(|at| CLOSED.record(100.0, (*at,))));
        let families = store.collect();
        assert_eq!(families[0].series.len(), 8);
        for series in &families[0].series {
            let Point::Histogram(buckets) = &series.point else { panic!("{series:?}") };
            assert_eq!(buckets.counts[8], 1, "{series:?}");
            assert!(buckets.counts[1..8].iter().all(|count| *count == 0), "{series:?}");
        }
    }
}
