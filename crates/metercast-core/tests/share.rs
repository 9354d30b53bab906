//! What one tenant sees of a store: its own series, without the label that says so.

use std::collections::BTreeMap;

use metercast_core::reading::PointView;
use metercast_core::{Store, metrics, u64_counter};

metrics! {
    /// Whose tenant is a number.
    static BY_NUMBER: Counter<u64> = "share.by.number" { labels: { tenant: i64, kind: &str } };
    /// Whose tenant may be missing.
    static MAYBE: Counter<u64> = "share.maybe" { labels: { tenant: Option<&str> } };
    /// How long.
    static DURATION: Histogram<f64> = "share.duration" { unit: "s", buckets: [1.0], labels: { tenant: &str } };
}

/// Each series as text, with its count.
fn seen(store: &Store, value: &str) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    store.read_share("tenant", value, |reading| {
        for family in reading.families() {
            assert!(!family.is_uniform(), "what is prepared for the keys of all does not fit");
            family.each(|series| {
                let count = match series.value {
                    PointView::U64(value) => value,
                    PointView::Histogram(buckets) => buckets.count(),
                    other => panic!("{other:?}"),
                };
                let name = format!("{}{:?}", family.definition().name(), series.labels.to_set());
                assert_eq!(seen.insert(name, count), None);
            });
        }
    });
    seen
}

#[test]
fn a_tenant_sees_its_own_series_and_not_the_label_that_says_so() {
    let store = Store::new();
    let long = "a tenant whose name does not fit into the words of a line";
    store.scope(|| {
        for (tenant, times) in [("a", 1), ("b", 2), (long, 4)] {
            u64_counter!("share.by.text", "", times, "tenant" => tenant.to_owned(), "kind" => "x");
            MAYBE.add(times, (Some(tenant),));
            DURATION.record(0.5, (tenant,));
        }
        MAYBE.add(8, (None,));
        u64_counter!("share.nobody", "", 1);
        u64_counter!("share.literal", "", 1, "tenant" => "a", "b" => "c");
        u64_counter!("share.value", "", 1, "owner" => "a");
    });
    let names = |value: &str| seen(&store, value).into_keys().collect::<Vec<_>>();
    assert_eq!(names("a").len(), 4, "{:?}", names("a"));
    assert!(names("a").iter().all(|name| !name.contains("tenant")), "{:?}", names("a"));
    let sum = |value: &str| seen(&store, value).values().sum::<u64>();
    assert_eq!([sum("a"), sum("b"), sum(long)], [4, 5, 9]);
    for nobody in ["", "c", "A", " a", "None"] {
        assert!(names(nobody).is_empty(), "{nobody}: {:?}", names(nobody));
    }
}

#[test]
fn a_number_is_meant_by_its_text() {
    let store = Store::new();
    store.scope(|| {
        BY_NUMBER.add(1, (42, "x"));
        BY_NUMBER.add(2, (-42, "x"));
        u64_counter!("share.wide", "", 4, "tenant" => u64::MAX);
        u64_counter!("share.truth", "", 8, "tenant" => true);
        u64_counter!("share.text", "", 16, "tenant" => "42".to_owned());
    });
    let sum = |value: &str| seen(&store, value).values().sum::<u64>();
    assert_eq!(sum("42"), 17);
    assert_eq!(sum("-42"), 2);
    assert_eq!(sum(&u64::MAX.to_string()), 4);
    assert_eq!(sum("true"), 8);
    for other in ["042", "+42", "42.0", " 42", "4", "1", "TRUE"] {
        assert_eq!(sum(other), 0, "{other}");
    }
}

#[test]
fn what_overflowed_belongs_to_nobody() {
    let store = Store::new();
    store.scope(|| {
        for n in 0..5_000u64 {
            u64_counter!("share.many", "", 1, "tenant" => "a".to_owned(), "n" => n);
        }
    });
    let sum: u64 = seen(&store, "a").values().sum();
    assert!((1..5_000).contains(&sum), "{sum}");
}

#[test]
fn a_share_does_not_disturb_a_whole_reading() {
    let store = Store::new();
    store.scope(|| u64_counter!("share.whole", "", 3, "tenant" => "a"));
    for _ in 0..2 {
        assert_eq!(seen(&store, "a").len(), 1);
        let whole = store.collect();
        assert_eq!(whole.len(), 1);
        assert_eq!(whole[0].series[0].labels.len(), 1);
    }
}
