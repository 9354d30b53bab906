//! What the macros cost in memory: nothing beyond what they ask for themselves.

#[path = "../../metercast/tests/heap/mod.rs"]
mod heap;

use metercast::Store;
use metercast_metrics::MetricsRecorder;
use metrics::{NoopRecorder, Recorder, counter, gauge, histogram, with_local_recorder};

/// How often memory is asked for by these calls, once their series are there.
fn of(recorder: &dyn Recorder, calls: impl Fn()) -> usize {
    with_local_recorder(recorder, || {
        calls();
        let before = heap::allocations();
        for _ in 0..100 {
            calls();
        }
        heap::allocations() - before
    })
}

/// The same with our recorder in a store, and with none.
fn both(calls: impl Fn() + Copy) -> (usize, usize) {
    let ours = Store::new().scope(|| of(&MetricsRecorder::new(), calls));
    (ours, of(&NoopRecorder, calls))
}

#[test]
fn calls_with_literal_labels_ask_for_no_memory() {
    let calls = || {
        counter!("literal").increment(1);
        counter!("literal.labels", "a" => "1", "b" => "2", "c" => "3").increment(1);
        gauge!("level", "a" => "1").set(2.5);
        gauge!("level", "a" => "1").increment(1);
        histogram!("durations", "a" => "1").record(0.25);
    };
    assert_eq!(both(calls), (0, 0));
}

#[test]
fn labels_that_are_known_at_run_time_cost_what_the_macro_asks_for() {
    let routes = ["/a", "/a/route/that/is/longer/than/thirty-two/bytes"].map(String::from);
    let calls = || {
        for route in &routes {
            counter!("dynamic", "route" => route.clone(), "method" => "GET").increment(1);
            histogram!("dynamic.durations", "route" => route.clone()).record_many(0.5, 3);
        }
    };
    let (ours, without) = both(calls);
    assert!(without > 0);
    assert_eq!(ours, without);
}

#[test]
fn labels_in_another_order_and_many_labels_cost_nothing_more() {
    let calls = || {
        counter!("orders", "a" => "1", "b" => "2").increment(1);
        counter!("orders", "b" => "2", "a" => "1").increment(1);
        counter!(
            "many",
            "a" => "1", "b" => "2", "c" => "3", "d" => "4", "e" => "5", "f" => "6", "g" => "7", "h" => "8", "i" => "9"
        )
        .increment(1);
        counter!(
            "many",
            "i" => "9", "b" => "2", "c" => "3", "d" => "4", "e" => "5", "f" => "6", "g" => "7", "h" => "8", "a" => "1"
        )
        .increment(1);
    };
    assert_eq!(both(calls), (0, 0));
}

#[test]
fn a_handle_that_is_held_asks_for_no_memory() {
    let store = Store::new();
    store.scope(|| {
        let recorder = MetricsRecorder::new();
        let (counter, gauge, histogram) = with_local_recorder(&recorder, || {
            (counter!("held", "a" => "1"), gauge!("held.level"), histogram!("held.durations"))
        });
        let record = || {
            counter.increment(1);
            counter.absolute(5);
            gauge.set(1);
            histogram.record(0.5);
        };
        record();
        let before = heap::allocations();
        (0..100).for_each(|_| record());
        assert_eq!(heap::allocations() - before, 0);
    });
}
