//! Handles to one series: the same cell as a recording with labels, in the store that they were bound in.

use metercast_core::reading::Point;
use metercast_core::{Store, labels, metrics};

labels! { enum Side { Buy, Sell } }

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "bound.bare";
    /// With labels that the types bound.
    static TYPED: Counter<f64> = "bound.typed" { labels: { side: Side } };
    /// With labels that they do not.
    static DYNAMIC: Counter<u64> = "bound.dynamic" { labels: { name: &str, code: u16 } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "bound.active" { labels: { name: &str } };
    /// Up and down, typed.
    static WEIGHT: UpDownCounter<f64> = "bound.weight" { labels: { side: Side } };
    /// A level.
    static LEVEL: Gauge<i64> = "bound.level";
    /// A level by name.
    static LEVEL_BY: Gauge<f64> = "bound.level.by" { labels: { name: &str } };
    /// A distribution.
    static SIZES: Histogram<u64> = "bound.sizes" { buckets: [1, 10], labels: { name: &str } };
}

fn lines(store: &Store) -> Vec<String> {
    let families = store.collect();
    let series = families.iter().flat_map(|family| family.series.iter().map(move |series| (family, series)));
    series
        .map(|(family, series)| {
            let point = match &series.point {
                Point::U64(value) => value.to_string(),
                Point::I64(value) => value.to_string(),
                Point::F64(value) => format!("{value:?}"),
                Point::Histogram(buckets) => format!("{:?} sum {}", buckets.counts, buckets.sum),
                other => panic!("{other:?}"),
            };
            format!("{}{} {point}", family.definition.name(), series.labels)
        })
        .collect()
}

#[test]
fn a_handle_and_a_recording_with_its_labels_are_one_series() {
    let store = Store::new();
    store.scope(|| {
        BARE.bind().add(1);
        BARE.add(1);
        TYPED.bind((Side::Sell,)).add(0.5);
        TYPED.add(0.5, (Side::Sell,));
        DYNAMIC.bind(("a", 200)).add(1);
        DYNAMIC.add(1, ("a", 200));
        ACTIVE.bind(("a",)).add(-3);
        ACTIVE.add(1, ("a",));
        WEIGHT.bind((Side::Buy,)).add(2.5);
        LEVEL.bind().set(7);
        LEVEL.bind().add(-8);
        LEVEL_BY.bind(("a",)).set(1.0);
        LEVEL_BY.add(0.5, ("a",));
        SIZES.bind(("a",)).record(5);
        SIZES.record(50, ("a",));
    });
    assert_eq!(
        lines(&store),
        [
            "bound.active{name=\"a\"} -2",
            "bound.bare 2",
            "bound.dynamic{code=200,name=\"a\"} 2",
            "bound.level -1",
            "bound.level.by{name=\"a\"} 1.5",
            "bound.sizes{name=\"a\"} [0, 1, 1] sum 55",
            "bound.typed{side=\"sell\"} 1.0",
            "bound.weight{side=\"buy\"} 2.5"
        ]
    );
}

#[test]
fn a_series_is_there_from_the_moment_it_is_bound() {
    let store = Store::new();
    store.scope(|| {
        let _ = (BARE.bind(), TYPED.bind((Side::Buy,)), DYNAMIC.bind(("a", 1)), SIZES.bind(("a",)));
    });
    assert_eq!(
        lines(&store),
        [
            "bound.bare 0",
            "bound.dynamic{code=1,name=\"a\"} 0",
            "bound.sizes{name=\"a\"} [0, 0, 0] sum 0",
            "bound.typed{side=\"buy\"} 0.0"
        ]
    );
}

#[test]
fn a_handle_records_in_its_store_from_anywhere_and_does_nothing_once_that_is_gone() {
    let (store, other) = (Store::new(), Store::new());
    let (fixed, dynamic) = store.scope(|| (BARE.bind(), DYNAMIC.bind(("a", 1))));
    other.scope(|| {
        fixed.add(1);
        dynamic.add(1);
    });
    std::thread::spawn(move || {
        fixed.add(1);
        dynamic.add(1);
    })
    .join()
    .unwrap();
    assert_eq!(lines(&store), ["bound.bare 2", "bound.dynamic{code=1,name=\"a\"} 2"]);
    drop(store);
    other.scope(|| {
        fixed.add(1);
        dynamic.add(1);
    });
    assert!(lines(&other).is_empty(), "{:?}", lines(&other));
}

#[test]
fn what_makes_no_sense_is_dropped_and_counted() {
    let store = Store::new();
    store.scope(|| {
        let handle = TYPED.bind((Side::Buy,));
        handle.add(-1.0);
        handle.add(f64::NAN);
        LEVEL_BY.bind(("a",)).set(f64::INFINITY);
    });
    assert!(lines(&store).contains(&"metercast.recordings.dropped{reason=\"not_finite\"} 2".to_owned()));
    assert!(lines(&store).contains(&"metercast.recordings.dropped{reason=\"out_of_range\"} 1".to_owned()));
}

#[test]
fn a_handle_that_was_bound_while_recording_was_off_does_nothing() {
    let store = Store::new();
    store.set_enabled(false);
    let handle = store.scope(|| DYNAMIC.bind(("a", 1)));
    store.set_enabled(true);
    handle.add(1);
    assert!(lines(&store).is_empty());
}
