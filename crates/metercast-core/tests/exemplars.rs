//! Exemplars stay with their series, whatever the source of spans does.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use metercast_core::{ExemplarFilter, KeyValue, SpanContext, Store, metrics, u64_counter};

metrics! {
    /// Counts.
    static COUNTED: Counter<u64> = "exemplars.counted" { labels: { key: &str } };
    /// Sizes.
    static SIZES: Histogram<f64> = "exemplars.sizes" { buckets: [1, 2], labels: { key: &str } };
    /// Sizes in bytes, in the buckets of the unit.
    static BYTES: Histogram<u64> = "exemplars.bytes" { unit: "By" };
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

/// A span that is sampled on threads that say so.
fn current_span() -> Option<SpanContext> {
    let name = std::thread::current().name()?.to_owned();
    name.starts_with("sampled").then(|| SpanContext::new([name.len() as u8; 16], [7; 8]))
}

#[test]
fn of_each_bucket_the_newest_measurement_in_a_sampled_span_is_an_exemplar() {
    let store = Store::new();
    let exemplars = |store: &Store| {
        let mut found = Vec::new();
        store.read(|reading| {
            for family in reading.families() {
                family.each(|series| {
                    let of = series
                        .exemplars
                        .iter()
                        .map(|exemplar| (exemplar.value, exemplar.span.unwrap().trace_id[0]));
                    found.extend(of);
                });
            }
        });
        found
    };
    let record = |name: &str, values: &'static [u64]| {
        let store = store.clone();
        let work = move || store.scope(|| values.iter().for_each(|value| BYTES.record(*value)));
        std::thread::Builder::new().name(name.into()).spawn(work).unwrap().join().unwrap();
    };
    record("sampled", &[1]);
    assert_eq!(exemplars(&store), [], "nobody asked for them yet");
    store.take_exemplars(current_span);
    record("plain", &[1, 100]);
    assert_eq!(exemplars(&store), []);
    record("sampled", &[1, 2, 5_000_000]);
    record("sampled.b", &[3]);
    assert_eq!(exemplars(&store), [(3.0, 9), (5_000_000.0, 7)]);
    store.scope(|| COUNTED.add(4, ("eu",)));
    let store_off = store.clone();
    store_off.set_enabled(false);
    record("sampled", &[1]);
    store_off.set_enabled(true);
    record("sampled", &[1]);
    assert_eq!(exemplars(&store), [(1.0, 7), (5_000_000.0, 7)]);
}

/// The values of all exemplars, and whether each has a span.
fn with_spans(store: &Store) -> Vec<(f64, bool)> {
    let mut all = Vec::new();
    store.read(|reading| {
        for family in reading.families() {
            family.each(|series| {
                all.extend(series.exemplars.iter().map(|one| (one.value, one.span.is_some())));
            });
        }
    });
    all
}

#[test]
fn every_measurement_may_become_an_exemplar_if_asked_with_a_span_or_without() {
    static SAMPLED: AtomicBool = AtomicBool::new(false);
    let store = Store::new();
    store.scope(|| COUNTED.add(1, ("eu",)));
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    assert_eq!(with_spans(&store), []);
    store.scope(|| COUNTED.add(2, ("eu",)));
    assert_eq!(with_spans(&store), [(2.0, false)]);
    store.take_exemplars(|| SAMPLED.load(Relaxed).then_some(SPAN));
    store.scope(|| COUNTED.add(3, ("eu",)));
    store.scope(|| SIZES.record(0.5, ("eu",)));
    assert_eq!(with_spans(&store), [(3.0, false), (0.5, false)]);
    SAMPLED.store(true, Relaxed);
    store.scope(|| SIZES.record(1.5, ("eu",)));
    assert_eq!(with_spans(&store), [(3.0, false), (0.5, false), (1.5, true)]);
    store.set_enabled(false);
    store.set_enabled(true);
    store.set_exemplars(ExemplarFilter::TraceBased);
    assert_eq!(with_spans(&store), [(1.5, true)], "those without a span are forgotten");
    SAMPLED.store(false, Relaxed);
    store.scope(|| COUNTED.add(4, ("eu",)));
    assert_eq!(with_spans(&store), [(1.5, true)]);
}

#[test]
fn a_source_of_spans_that_panics_leaves_an_exemplar_without_one_if_all_are_taken() {
    let store = Store::new();
    store.take_exemplars(|| panic!("no span"));
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    store.scope(|| COUNTED.add(3, ("a",)));
    assert_eq!(with_spans(&store), [(3.0, false)]);
}

#[test]
fn without_a_source_of_spans_only_those_who_want_all_have_exemplars() {
    let store = Store::new();
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    store.set_exemplars(ExemplarFilter::TraceBased);
    store.scope(|| COUNTED.add(3, ("a",)));
    assert_eq!(with_spans(&store), []);
}
