//! Recording where nobody expects it: no panic, nobody waits for ever, nothing is lost.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use metercast_core::reading::Point;
use metercast_core::{Guard, KeyValue, Store, Timer, labels, metrics, u64_counter};

labels! { enum Side { Buy, Sell } }

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "odd.bare";
    /// With labels that the types bound.
    static TYPED: Counter<f64> = "odd.typed" { labels: { side: Side } };
    /// With labels that they do not.
    static DYNAMIC: Counter<u64> = "odd.dynamic" { labels: { name: &str } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "odd.active" { labels: { name: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "odd.level";
    /// A distribution.
    static SIZES: Histogram<f64> = "odd.sizes" { buckets: [1, 2], labels: { name: &str } };
    /// Time.
    static DURATION: Histogram<f64> = "odd.duration" { unit: "h", buckets: [1] };
    /// Asked for.
    static OBSERVED: ObservableGauge<u64> = "odd.observed";
}

/// All series of a store, a line each.
fn lines(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    for family in store.collect() {
        for series in family.series {
            let point = match series.point {
                Point::U64(value) => value.to_string(),
                Point::I64(value) => value.to_string(),
                Point::F64(value) => format!("{value:?}"),
                Point::Histogram(buckets) => format!("{:?}", buckets.counts),
                other => panic!("{other:?}"),
            };
            lines.push(format!("{}{} {point}", family.definition.name(), series.labels));
        }
    }
    lines
}

/// One recording of each kind, some into series that were not there before.
fn record(name: &str) {
    BARE.add(1);
    BARE.add(0);
    TYPED.add(0.5, (Side::Sell,));
    TYPED.add(-1.0, (Side::Sell,));
    DYNAMIC.add(1, ("all",));
    DYNAMIC.add(1, (name,));
    LEVEL.add(1);
    SIZES.record(2.0, ("all",));
    drop(ACTIVE.guard(("all",)));
    u64_counter!("odd.site", "Site", 1, "b" => name, "a" => 1);
}

/// What is read after `record` was called with each of these names.
fn recorded(names: &[&str]) -> Vec<String> {
    let count = names.len();
    let mut lines = vec![
        format!("metercast.recordings.dropped{{reason=\"out_of_range\"}} {count}"),
        "odd.active{name=\"all\"} 0".to_owned(),
        format!("odd.bare {count}"),
        format!("odd.dynamic{{name=\"all\"}} {count}"),
    ];
    lines.extend(names.iter().map(|name| format!("odd.dynamic{{name={name:?}}} 1")));
    lines.push(format!("odd.level {count}"));
    lines.extend(names.iter().map(|name| format!("odd.site{{a=1,b={name:?}}} 1")));
    lines.push(format!("odd.sizes{{name=\"all\"}} [0, {count}, 0]"));
    lines.push(format!("odd.typed{{side=\"sell\"}} {:?}", count as f64 / 2.0));
    lines
}

/// Records when it is dropped, in the store if there is one, else in the current one.
struct OnDrop(&'static str, Option<Store>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        match &self.1 {
            Some(store) => store.scope(|| record(self.0)),
            None => record(self.0),
        }
    }
}

#[test]
fn in_the_destructor_of_a_thread_local_in_any_store_and_before_or_after_ours() {
    thread_local! {
        static FIRST: RefCell<Vec<OnDrop>> = const { RefCell::new(Vec::new()) };
        static SECOND: RefCell<Vec<OnDrop>> = const { RefCell::new(Vec::new()) };
    }
    let store = Store::new();
    let of_thread = store.clone();
    thread::spawn(move || {
        // One is dropped before the guard that gives this thread's region back, and one after.
        FIRST.with_borrow_mut(|first| first.push(OnDrop("x1", Some(of_thread.clone()))));
        u64_counter!("odd.global", "Global", 1);
        SECOND.with_borrow_mut(|second| second.push(OnDrop("x2", Some(of_thread.clone()))));
        of_thread.scope(|| record("x3"));
    })
    .join()
    .unwrap();
    // A thread that records for the first time when it ends.
    let of_thread = store.clone();
    thread::spawn(move || FIRST.with_borrow_mut(|first| first.push(OnDrop("x4", Some(of_thread)))))
        .join()
        .unwrap();
    assert_eq!(lines(&store), recorded(&["x1", "x2", "x3", "x4"]));
}

#[test]
fn guards_timers_and_handles_that_end_with_their_thread() {
    thread_local! { static HELD: RefCell<Vec<(Guard, Timer, OnDrop)>> = const { RefCell::new(Vec::new()) } }
    let store = Store::new();
    let of_thread = store.clone();
    let bound = store.scope(|| DYNAMIC.bind(("bound",)));
    struct Bound(metercast_core::BoundCounter<u64>);
    impl Drop for Bound {
        fn drop(&mut self) {
            self.0.add(1);
        }
    }
    thread_local! { static BOUND: RefCell<Option<Bound>> = const { RefCell::new(None) } }
    thread::spawn(move || {
        BOUND.set(Some(Bound(bound)));
        let held = of_thread
            .scope(|| (ACTIVE.guard(("held",)), DURATION.start(), OnDrop("x", Some(of_thread.clone()))));
        HELD.with_borrow_mut(|all| all.push(held));
    })
    .join()
    .unwrap();
    let lines = lines(&store);
    for line in
        ["odd.active{name=\"held\"} 0", "odd.duration [1, 0]", "odd.dynamic{name=\"bound\"} 1", "odd.bare 1"]
    {
        assert!(lines.contains(&line.to_owned()), "{line} in {lines:?}");
    }
}

#[test]
fn while_a_panic_unwinds_the_thread_the_scope_and_what_they_hold() {
    let store = Store::new();
    let of_thread = store.clone();
    let outcome = thread::spawn(move || {
        let _outside = OnDrop("x1", Some(of_thread.clone()));
        of_thread.scope(|| {
            let _held = (ACTIVE.guard(("all",)), SIZES.start(("timed",)));
            let _inside = OnDrop("x2", None);
            panic!("on purpose");
        });
    })
    .join();
    assert!(outcome.is_err());
    let mut expected = recorded(&["x1", "x2"]);
    expected.insert(10, "odd.sizes{name=\"timed\"} [1, 0, 0]".to_owned());
    assert_eq!(lines(&store), expected);

    // The scope of before is back.
    let outer = Store::new();
    outer.scope(|| {
        let inner = catch_unwind(AssertUnwindSafe(|| Store::new().scope(|| panic!("on purpose"))));
        assert!(inner.is_err());
        record("x");
    });
    assert_eq!(lines(&outer), recorded(&["x"]));
}

#[test]
fn inside_a_callback_that_is_asked_for_a_value() {
    let (store, other) = (Store::new(), Store::new());
    let names = ["x1", "x2", "x3"];
    let mut round = 0;
    let _observation = store.scope(|| {
        let (of_callback, other) = (store.clone(), other.clone());
        OBSERVED.observe(move |observer| {
            record(names[round]);
            other.scope(|| record(names[round]));
            // Readings and removals, of this store as well.
            assert!(!of_callback.collect().is_empty());
            assert!(
                of_callback.remove("odd.site", [KeyValue::new("a", 1), KeyValue::new("b", names[round])])
            );
            record_site_again(names[round]);
            assert_eq!(other.collect().len(), 8);
            round += 1;
            observer.set(round as u64);
        })
    });
    for round in 1..=3 {
        let mut expected = recorded(&names[..round]);
        expected.insert(expected.len() - round - 2, format!("odd.observed {round}"));
        assert_eq!(lines(&store), expected);
    }
    assert_eq!(lines(&other), recorded(&names));
}

fn record_site_again(name: &str) {
    u64_counter!("odd.site", "Site", 1, "b" => name, "a" => 1);
}

#[test]
fn inside_a_reading_into_series_that_are_read_and_new_ones() {
    let store = Store::new();
    store.scope(|| record("x1"));
    let mut seen = 0;
    store.read(|reading| {
        for family in reading.families() {
            family.each(|_| {
                seen += 1;
                store.scope(|| record("x2"));
                store.remove("odd.dynamic", [KeyValue::new("name", "x1")]);
                assert!(!store.collect().is_empty());
            });
        }
    });
    assert!(seen >= 9);
    let found = lines(&store);
    assert!(found.contains(&format!("odd.dynamic{{name=\"x2\"}} {seen}")), "{found:?}");
    assert!(found.contains(&format!("odd.bare {}", seen + 1)), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("name=\"x1\"")), "{found:?}");
}

#[test]
fn where_labels_and_amounts_are_worked_out() {
    let store = Store::new();
    store.scope(|| {
        u64_counter!("odd.nested", "Nested", { record("x1"); 1 }, "name" => { record("x2"); "outer" });
        DYNAMIC.add(
            {
                record("x3");
                1
            },
            ("all",),
        );
    });
    let lines = lines(&store);
    assert!(lines.contains(&"odd.nested{name=\"outer\"} 1".to_owned()), "{lines:?}");
    assert!(lines.contains(&"odd.dynamic{name=\"all\"} 4".to_owned()), "{lines:?}");
    assert!(lines.contains(&"odd.bare 3".to_owned()), "{lines:?}");
}

#[test]
fn after_the_last_reader_and_the_last_handle_of_the_store_are_gone() {
    let store = Store::new();
    let (guard, timer, bound) =
        store.scope(|| (ACTIVE.guard(("all",)), DURATION.start(), SIZES.bind(("all",))));
    // Somebody reads for a while, and stops.
    let reader = store.clone();
    thread::spawn(move || (0..10).for_each(|_| drop(reader.collect()))).join().unwrap();
    store.scope(|| record("x1"));
    let (to, from) = mpsc::channel::<()>();
    let late = thread::spawn({
        let store = store.clone();
        move || {
            store.scope(|| {
                drop(store.clone());
                from.recv().unwrap_err();
                // Only this scope and the guard hold the store now.
                record("x2");
            });
            lines(&store)
        }
    });
    drop(store);
    drop(to);
    let lines = late.join().unwrap();
    assert!(
        lines.contains(&"odd.bare 2".to_owned()) && lines.contains(&"odd.active{name=\"all\"} 1".to_owned())
    );
    // What held the store ends it; handles to a store that is gone do nothing.
    bound.record(1.0);
    drop((guard, timer));
    bound.record(1.0);
}

#[test]
fn in_a_future_that_is_cancelled_while_it_waits_or_panics_while_it_is_polled() {
    use metercast_core::StoreFutureExt;
    use std::future::{Future, pending};
    use std::task::{Context, Waker};

    let store = Store::new();
    let mut context = Context::from_waker(Waker::noop());
    let mut waits = Box::pin(
        async {
            let _held = (ACTIVE.guard(("all",)), OnDrop("x1", None));
            pending::<()>().await;
        }
        .in_store(store.clone()),
    );
    assert!(waits.as_mut().poll(&mut context).is_pending());
    drop(waits);
    let mut panics = Box::pin(
        async {
            let _held = (ACTIVE.guard(("all",)), OnDrop("x2", None));
            panic!("on purpose");
        }
        .in_store(store.clone()),
    );
    assert!(catch_unwind(AssertUnwindSafe(|| panics.as_mut().poll(&mut context).is_ready())).is_err());
    drop(panics);
    assert_eq!(lines(&store), recorded(&["x1", "x2"]));
}
