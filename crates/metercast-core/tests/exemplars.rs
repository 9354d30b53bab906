//! Exemplars stay with their series, whatever the source of spans does.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use metercast_core::{KeyValue, SpanContext, Store, metrics, u64_counter};

metrics! {
    /// Counts.
    static COUNTED: Counter<u64> = "exemplars.counted" { labels: { key: &str } };
    /// Sizes.
    static SIZES: Histogram<f64> = "exemplars.sizes" { buckets: [1, 2], labels: { key: &str } };
    /// What a source of spans counts.
    static INNER: Counter<u64> = "exemplars.inner" { labels: { key: &str } };
}

const SPAN: SpanContext = SpanContext::new([1; 16], [2; 8]);

/// Each series with the values of its exemplars.
fn exemplars(store: &Store) -> Vec<(String, Vec<f64>)> {
    let mut all = Vec::new();
    store.read(|reading| {
        for family in reading.families() {
            family.each(|series| {
                let values = series.exemplars.iter().map(|exemplar| exemplar.value).collect();
                all.push((format!("{}{}", family.definition().name(), series.labels.to_set()), values));
            });
        }
    });
    all
}

fn key(value: &str) -> [KeyValue; 1] {
    [KeyValue::new("key", value.to_owned())]
}

#[test]
fn a_source_of_spans_may_record() {
    fn span() -> Option<SpanContext> {
        INNER.add(1, ("a",));
        Some(SPAN)
    }
    let store = Store::new();
    store.take_exemplars(span);
    store.scope(|| COUNTED.add(3, ("a",)));
    assert_eq!(
        exemplars(&store),
        [
            ("exemplars.counted{key=\"a\"}".to_owned(), vec![3.0]),
            ("exemplars.inner{key=\"a\"}".to_owned(), vec![])
        ]
    );
}

#[test]
fn a_source_of_spans_that_panics_costs_the_exemplar_and_nothing_else() {
    fn span() -> Option<SpanContext> {
        panic!("no span")
    }
    let store = Store::new();
    store.take_exemplars(span);
    store.scope(|| COUNTED.add(3, ("a",)));
    store.scope(|| COUNTED.add(4, ("a",)));
    assert_eq!(exemplars(&store), [("exemplars.counted{key=\"a\"}".to_owned(), vec![])]);
}

#[test]
fn an_exemplar_of_a_series_that_ends_meanwhile_is_not_its_successors() {
    static ENDS: Mutex<Option<Store>> = Mutex::new(None);
    fn span() -> Option<SpanContext> {
        let store = ENDS.lock().unwrap().take()?;
        assert!(store.remove("exemplars.sizes", key("old")));
        // Its cell and its line are used again for the next one.
        store.collect();
        store.collect();
        store.scope(|| SIZES.record(0.5, ("new",)));
        Some(SPAN)
    }
    let store = Store::new();
    store.take_exemplars(span);
    *ENDS.lock().unwrap() = Some(store.clone());
    store.scope(|| SIZES.record(1.5, ("old",)));
    assert_eq!(exemplars(&store), [("exemplars.sizes{key=\"new\"}".to_owned(), vec![])]);
}

#[test]
fn exemplars_of_a_series_that_ends_while_the_store_is_off_are_gone() {
    static SAMPLED: AtomicBool = AtomicBool::new(true);
    fn span() -> Option<SpanContext> {
        SAMPLED.load(Relaxed).then_some(SPAN)
    }
    let store = Store::new();
    store.take_exemplars(span);
    store.scope(|| COUNTED.add(7, ("old",)));
    store.set_enabled(false);
    assert!(store.remove("exemplars.counted", key("old")));
    store.collect();
    store.collect();
    store.set_enabled(true);
    SAMPLED.store(false, Relaxed);
    store.scope(|| COUNTED.add(1, ("new",)));
    assert_eq!(exemplars(&store), [("exemplars.counted{key=\"new\"}".to_owned(), vec![])]);
}

#[test]
fn sites_that_give_labels_in_another_order_have_the_exemplars_of_one_series() {
    fn span() -> Option<SpanContext> {
        Some(SPAN)
    }
    let (store, a, b) = (Store::new(), String::from("1"), String::from("2"));
    store.take_exemplars(span);
    store.scope(|| {
        u64_counter!("exemplars.paired", "Pairs", 1, "a" => &a, "b" => &b);
        for amount in [5, 6] {
            u64_counter!("exemplars.paired", "Pairs", amount, "b" => &b, "a" => &a);
        }
    });
    assert_eq!(exemplars(&store), [("exemplars.paired{a=\"1\",b=\"2\"}".to_owned(), vec![6.0])]);
}
