//! Series that come and go for ever take no more memory than those that are there at once.

mod heap;

use std::sync::Mutex;
use std::time::Duration;

use metercast_core::{Expiry, KeyValue, Store, f64_histogram, metrics, u64_counter};

metrics! {
    /// Counts.
    static COUNTED: Counter<u64> = "memory.counted" { labels: { key: &str } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "memory.active" { labels: { key: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "memory.level" { labels: { key: &str } };
    /// A distribution.
    static SIZES: Histogram<f64> = "memory.sizes" { labels: { key: &str } };
    /// Quantiles.
    static RESULTS: Summary<f64> = "memory.results" { labels: { key: &str } };
    /// Two labels, which another site gives in the other order.
    static PAIRED: Counter<u64> = "memory.paired" { labels: { a: &str, b: &str } };
    /// More labels than are packed.
    static WIDE: Counter<u64> = "memory.wide" { labels: { a: &str, b: &str, c: &str, d: &str, key: &str } };
}

/// What is measured is of the whole process, so one test at a time runs.
static ALONE: Mutex<()> = Mutex::new(());

/// Long soaks run at a tenth unless they are asked for in full.
fn rounds(all: usize) -> usize {
    if std::env::var_os("METERCAST_LONG").is_some() { all } else { all / 10 }
}

/// Series that no cycle before had.
fn record(cycle: usize) {
    for n in 0..30 {
        let (key, long) = (format!("{cycle} {n}"), format!("{cycle:060} {n}"));
        COUNTED.add(1, (&key,));
        COUNTED.add(1, (&long,));
        drop(ACTIVE.guard((&key,)));
        LEVEL.set(1, (&key,));
        SIZES.record(1.0, (&key,));
        RESULTS.record(1.0, (&key,));
        PAIRED.add(1, (&key, "b"));
        u64_counter!("memory.paired", "Two labels, which another site gives in the other order.", 1, "b" => "b", "a" => &key);
        WIDE.add(1, ("a", "b", "c", "d", &key));
        f64_histogram!("memory.sizes", "A distribution.", 1.0, [KeyValue::new("key", long)]);
    }
}

fn remove(store: &Store, cycle: usize) {
    for n in 0..30 {
        let (key, long) = (format!("{cycle} {n}"), format!("{cycle:060} {n}"));
        let one = |value: &str| [KeyValue::new("key", value.to_owned())];
        for metric in ["counted", "active", "level", "sizes", "results"] {
            assert!(store.remove(&format!("memory.{metric}"), one(&key)), "{metric}");
        }
        assert!(store.remove("memory.counted", one(&long)) && store.remove("memory.sizes", one(&long)));
        assert!(store.remove("memory.paired", [KeyValue::new("b", "b"), KeyValue::new("a", key.clone())]));
        let wide = ["a", "b", "c", "d"].map(|label| KeyValue::new(label, label));
        assert!(store.remove("memory.wide", wide.into_iter().chain(one(&key))));
    }
}

/// Whether it takes no more once it has taken what it needs.
fn assert_flat(mut cycle: impl FnMut(usize)) {
    let all = rounds(1_000);
    (0..all / 4).for_each(&mut cycle);
    let (grown, in_all) = heap::growth(|| (all / 4..all).for_each(&mut cycle));
    assert!(grown < 32 * 1024, "{grown} bytes in {all} cycles");
    assert!(in_all < 256 * 1024, "{in_all} bytes in all in {all} cycles");
}

#[test]
fn series_that_are_removed_make_room_for_others() {
    let _alone = ALONE.lock();
    let store = Store::new();
    assert_flat(|cycle| {
        store.scope(|| record(cycle));
        // Now and then it is read before, and now and then not.
        if cycle.is_multiple_of(3) {
            assert_eq!(store.collect().len(), 7);
        }
        remove(&store, cycle);
        assert!(store.collect().is_empty());
    });
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}

#[test]
fn series_that_end_by_themselves_make_room_for_others() {
    let _alone = ALONE.lock();
    let store = Store::new();
    store.set_expiry(Some(Expiry::after(Duration::from_nanos(1)).with_gauges()));
    assert_flat(|cycle| {
        store.scope(|| record(cycle));
        assert_eq!(store.collect().len(), 7);
        assert!(store.collect().is_empty());
    });
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}
