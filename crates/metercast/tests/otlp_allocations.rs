//! What encoding costs the heap: nothing for a series.

mod heap;

use metercast::config::TemporalityPreference;
use metercast::{OtlpEncoding, OtlpMessage, OtlpOptions, Store, metrics};

metrics! {
    static COUNTS: Counter<u64> = "counts" { labels: { text: &str, number: u32 } };
    static LEVELS: Gauge<f64> = "levels" { labels: { text: &str } };
    static TIMES: Histogram<f64> = "times" { unit: "s", labels: { text: &str, number: u32 } };
}

/// Short labels and long ones.
fn record(store: &Store, series: u32) {
    store.scope(|| {
        for number in 0..series {
            let text = "x".repeat(number as usize % 50);
            COUNTS.add(1, (&text, number));
            LEVELS.set(0.5, (&format!("{number}"),));
            TIMES.record(0.1, (&text, number));
        }
    });
}

/// How often the second message of so many series asks for memory.
fn allocations(series: u32, options: OtlpOptions) -> usize {
    let store = Store::new();
    record(&store, series);
    let mut message = OtlpMessage::with_options(&[("service.name".to_owned(), "orders".into())], options);
    let mut out = Vec::new();
    let points = message.encode(&store, &mut out);
    assert_eq!(points, 3 * series as usize);
    record(&store, series);
    out.clear();
    let before = heap::allocations();
    assert_eq!(message.encode(&store, &mut out), points);
    heap::allocations() - before
}

/// How often the requests for so many series ask for memory, and what is heard of them, once both have been there before.
fn allocations_of_requests(series: u32, options: OtlpOptions) -> usize {
    let store = Store::new();
    let mut message = OtlpMessage::with_options(&[], options);
    let mut counted = 0;
    for _ in 0..4 {
        record(&store, series);
        let before = heap::allocations();
        let mut points = 0;
        for request in message.requests(&store, usize::MAX) {
            points += request.points();
            message.delivered(request);
        }
        counted = heap::allocations() - before;
        assert_eq!(points, 3 * u64::from(series));
    }
    counted
}

#[test]
fn a_series_is_encoded_without_an_allocation() {
    for encoding in [OtlpEncoding::Protobuf, OtlpEncoding::Json] {
        let mut options = OtlpOptions::default();
        options.encoding = encoding;
        let (few, many) = (allocations(10, options), allocations(1000, options));
        // A few for the reading as a whole.
        assert_eq!(few, many, "{encoding:?}");
        assert!(many < 60, "{many} allocations");
    }
}

#[test]
fn what_came_of_a_series_is_found_and_remembered_without_an_allocation() {
    for temporality in [TemporalityPreference::Cumulative, TemporalityPreference::Delta] {
        let mut options = OtlpOptions::default();
        options.temporality = temporality;
        let (few, many) = (allocations_of_requests(10, options), allocations_of_requests(1000, options));
        assert_eq!(few, many, "{temporality:?}");
        assert!(many < 60, "{many} allocations");
    }
}
