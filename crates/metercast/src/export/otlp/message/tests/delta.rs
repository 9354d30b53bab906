//! What was delivered adds up to what was recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use metercast_core::{Expiry, u64_counter};

use super::*;
use crate::config::TemporalityPreference::{Cumulative, Delta, LowMemory};

metrics! {
    pub(super) static COUNTS: Counter<u64> = "delta.counts" { labels: { text: &str } };
    pub(super) static AMOUNTS: Counter<f64> = "delta.amounts" { labels: { text: &str } };
    /// Never removed, so that what the receiver has is to the last bit what the store has.
    pub(super) static EXACT: Counter<f64> = "delta.exact" { labels: { text: &str } };
    static BYTES: Counter<u64> = "delta.bytes" { unit: "By", labels: { text: &str } };
    static LEVEL: UpDownCounter<i64> = "delta.level";
    static HEAT: Gauge<f64> = "delta.heat";
    pub(super) static TIMES: Histogram<f64> = "delta.times" { buckets: [1.0, 5.0, 20.0], labels: { text: &str } };
    static SIGNED: Histogram<f64> = "delta.signed" { buckets: [0.0, 5.0] };
    pub(super) static WIDTHS: Histogram<f64> = "delta.widths" { exponential: true, labels: { text: &str } };
    static SIZES: Summary<f64> = "delta.sizes" { quantiles: [0.5] };
    pub(super) static SEEN: ObservableCounter<u64> = "delta.seen" { labels: { text: &str } };
    static SEEN_LEVEL: ObservableUpDownCounter<i64> = "delta.seen.level";
    /// Counted, and observed as well.
    pub(super) static MIXED: Counter<u64> = "delta.mixed" { labels: { text: &str } };
    static MIXED_SEEN: ObservableCounter<u64> = "delta.mixed" { labels: { text: &str } };
    static PLAIN: Histogram<f64> = "delta.plain";
    static DECLARED: Histogram<f64> = "delta.declared" { buckets: [1.0] };
}

pub(super) fn message(temporality: TemporalityPreference) -> OtlpMessage {
    OtlpMessage::with_options(&[], OtlpOptions { temporality, ..OtlpOptions::default() })
}

/// A back end that adds up what it is sent.
#[derive(Default)]
pub(super) struct Receiver {
    /// By metric and attributes.
    pub(super) counts: HashMap<String, u128>,
    pub(super) sums: HashMap<String, f64>,
    /// When the last point of a series ended.
    times: HashMap<String, u64>,
}

impl Receiver {
    pub(super) fn receive(&mut self, body: &[u8]) {
        for metric in metrics_of(&decoded(body)) {
            let name = &metric.name;
            match metric.data.clone().unwrap() {
                Data::Sum(sum) if sum.aggregation_temporality == 1 => {
                    assert!(sum.is_monotonic);
                    for point in sum.data_points {
                        let series = self.interval(
                            name,
                            &point.attributes,
                            point.start_time_unix_nano,
                            point.time_unix_nano,
                        );
                        match point.value.unwrap() {
                            NumberValue::AsInt(value) => {
                                assert!(value > 0, "{series} came by {value}");
                                *self.counts.entry(series).or_default() += value as u128;
                            }
                            NumberValue::AsDouble(value) => {
                                assert!(value > 0.0, "{series} came by {value}");
                                *self.counts.entry(series.clone()).or_default() += value as u128;
                                *self.sums.entry(series).or_default() += value;
                            }
                        }
                    }
                }
                Data::Histogram(histogram) if histogram.aggregation_temporality == 1 => {
                    for point in histogram.data_points {
                        let series = self.interval(
                            name,
                            &point.attributes,
                            point.start_time_unix_nano,
                            point.time_unix_nano,
                        );
                        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                        assert!(point.count > 0);
                        for (at, count) in point.bucket_counts.iter().enumerate() {
                            *self.counts.entry(format!("{series} {at}")).or_default() += u128::from(*count);
                        }
                        *self.sums.entry(series).or_default() += point.sum.unwrap_or(f64::NAN);
                    }
                }
                Data::ExponentialHistogram(histogram) if histogram.aggregation_temporality == 1 => {
                    for point in histogram.data_points {
                        let series = self.interval(
                            name,
                            &point.attributes,
                            point.start_time_unix_nano,
                            point.time_unix_nano,
                        );
                        let of = |buckets: Option<opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets>| {
                            buckets.map_or(0, |buckets| buckets.bucket_counts.iter().sum::<u64>())
                        };
                        assert!(point.count > 0);
                        assert_eq!(point.zero_count + of(point.positive) + of(point.negative), point.count);
                        *self.counts.entry(series.clone()).or_default() += u128::from(point.count);
                        *self.sums.entry(series).or_default() += point.sum.unwrap_or(f64::NAN);
                    }
                }
                _ => {}
            }
        }
    }

    /// The series, whose points must not overlap.
    fn interval(&mut self, name: &str, attributes: &[common::KeyValue], start: u64, time: u64) -> String {
        let attributes: Vec<_> =
            attributes.iter().map(|attribute| format!("{:?}", attribute.value)).collect();
        let series = format!("{name} {}", attributes.join(","));
        let last = self.times.insert(series.clone(), time).unwrap_or_default();
        assert!(last <= start && start < time, "{series}: {last}, {start}..{time}");
        series
    }

    pub(super) fn count(&self, name: &str, text: &str) -> u128 {
        self.counts.get(&key(name, text)).copied().unwrap_or_default()
    }
}

pub(super) fn key(name: &str, text: &str) -> String {
    format!("{name} {:?}", pair("text", self::text(text)).value)
}

/// Sends everything, and hears that it arrived.
fn flush(message: &mut OtlpMessage, store: &Store, receiver: &mut Receiver) -> u64 {
    let mut points = 0;
    for request in message.requests(store, usize::MAX) {
        points += request.points();
        receiver.receive(request.body());
        message.delivered(request);
    }
    points
}

/// The only point of a request's only request, a sum.
fn sum_of(requests: &[Request], name: &str) -> (Sum, Vec<NumberDataPoint>) {
    let [request] = requests else { panic!("{requests:?}") };
    let Data::Sum(sum) = data(&decoded(request.body()), name) else { panic!("{name} is a sum") };
    let points = sum.data_points.clone();
    (sum, points)
}

#[test]
fn only_what_came_is_sent_and_it_counts_from_what_arrived_last() {
    let (store, mut message) = (Store::new(), message(Delta));
    store.scope(|| COUNTS.add(3, ("a",)));
    let first = message.requests(&store, usize::MAX);
    let (sum, points) = sum_of(&first, "delta.counts");
    assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (1, true));
    assert_eq!(points[0].value, Some(NumberValue::AsInt(3)));
    assert_eq!(points[0].start_time_unix_nano, unix_nanoseconds(store.started()));
    let first_time = points[0].time_unix_nano;
    first.into_iter().for_each(|request| message.delivered(request));

    assert!(message.requests(&store, usize::MAX).is_empty());
    store.scope(|| {
        COUNTS.add(4, ("a",));
        COUNTS.add(5, ("b",));
    });
    let (_, points) = sum_of(&message.requests(&store, usize::MAX), "delta.counts");
    let values: Vec<_> = points.iter().map(|point| point.value.unwrap()).collect();
    assert_eq!(values, [NumberValue::AsInt(4), NumberValue::AsInt(5)]);
    // The reading with nothing in it counts as well, and a new series does from where the others do.
    assert!(points[0].start_time_unix_nano > first_time);
    assert_eq!(points[0].start_time_unix_nano, points[1].start_time_unix_nano);
}

#[test]
fn what_did_not_arrive_comes_with_the_next() {
    let (store, mut message) = (Store::new(), message(Delta));
    store.scope(|| COUNTS.add(3, ("a",)));
    drop(message.requests(&store, usize::MAX));
    store.scope(|| COUNTS.add(4, ("a",)));
    let requests = message.requests(&store, usize::MAX);
    let (_, points) = sum_of(&requests, "delta.counts");
    assert_eq!(points[0].value, Some(NumberValue::AsInt(7)));
    assert_eq!(points[0].start_time_unix_nano, unix_nanoseconds(store.started()));
    // Refused for good: it does not come again.
    requests.into_iter().for_each(|request| message.given_up(request));
    store.scope(|| COUNTS.add(5, ("a",)));
    let (_, points) = sum_of(&message.requests(&store, usize::MAX), "delta.counts");
    assert_eq!(points[0].value, Some(NumberValue::AsInt(5)));
}

#[test]
fn of_requests_that_were_split_each_arrives_for_itself() {
    let (store, mut message) = (Store::new(), message(Delta));
    let add = || store.scope(|| (0..40).for_each(|number| COUNTS.add(1, (&format!("{number}"),))));
    let mut receiver = Receiver::default();
    add();
    for (at, request) in message.requests(&store, 600).into_iter().enumerate() {
        if at % 2 == 0 {
            receiver.receive(request.body());
            message.delivered(request);
        }
    }
    assert!((1..40).contains(&receiver.counts.len()));
    add();
    flush(&mut message, &store, &mut receiver);
    for number in 0..40 {
        assert_eq!(receiver.count("delta.counts", &format!("{number}")), 2, "{number}");
    }
}

#[test]
fn each_kind_has_the_temporality_that_the_preference_gives_it() {
    let store = Store::new();
    store.scope(|| {
        COUNTS.add(1, ("a",));
        LEVEL.add(1);
        HEAT.set(1.0);
        TIMES.record(1.0, ("a",));
        WIDTHS.record(1.0, ("a",));
        SIZES.record(1.0);
        SEEN.observe(|o| o.set(1, ("a",))).forever();
        SEEN_LEVEL.observe(|o| o.set(1)).forever();
    });
    // What the specification of the exporter says, in the order of the metrics.
    let names = ["counts", "seen", "level", "seen.level", "times", "widths"];
    for (preference, expected) in
        [(Cumulative, [2, 2, 2, 2, 2, 2]), (Delta, [1, 1, 2, 2, 1, 1]), (LowMemory, [1, 2, 2, 2, 1, 1])]
    {
        let mut message = message(preference);
        let requests = message.requests(&store, usize::MAX);
        let request = decoded(requests[0].body());
        for (name, expected) in names.iter().zip(expected) {
            let temporality = match data(&request, &format!("delta.{name}")) {
                Data::Sum(sum) => sum.aggregation_temporality,
                Data::Histogram(histogram) => histogram.aggregation_temporality,
                Data::ExponentialHistogram(histogram) => histogram.aggregation_temporality,
                other => panic!("{other:?}"),
            };
            assert_eq!(temporality, expected, "{name} with {preference:?}");
        }
        assert!(matches!(data(&request, "delta.heat"), Data::Gauge(_)));
        assert!(matches!(data(&request, "delta.sizes"), Data::Summary(_)));
        requests.into_iter().for_each(|request| message.delivered(request));
        // Up-down counters, gauges and summaries are what they are, changed or not.
        let again = message.requests(&store, usize::MAX);
        let sent = metrics_of(&decoded(again[0].body())).count();
        assert_eq!(sent, 8 - expected.iter().filter(|temporality| **temporality == 1).count());
    }
}

#[test]
fn a_total_beyond_what_a_number_holds_arrives_whole() {
    let (store, mut message, mut receiver) = (Store::new(), message(Delta), Receiver::default());
    store.scope(|| COUNTS.add(u64::MAX, ("a",)));
    flush(&mut message, &store, &mut receiver);
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), u128::from(u64::MAX));
    // It wraps, and the receiver does not notice.
    store.scope(|| COUNTS.add(5, ("a",)));
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), u128::from(u64::MAX) + 5);
}

#[test]
fn a_total_that_is_too_large_in_another_unit_arrives_whole() {
    use crate::view::{Projection, View};

    let (store, mut receiver) = (Store::new(), Receiver::default());
    let options = OtlpOptions { temporality: Delta, ..OtlpOptions::default() };
    let bits = Projection::new().view(View::of("delta.bytes").unit("bit"));
    let mut message = OtlpMessage::with_projection(&[], options, bits);
    let mut sum = 0;
    for bytes in [1 << 62, (1 << 62) + 1001, (1 << 60) + 3, 7, (1 << 63) + 5, 1] {
        store.scope(|| BYTES.add(bytes, ("a",)));
        flush(&mut message, &store, &mut receiver);
        flush(&mut message, &store, &mut receiver);
        sum += u128::from(bytes);
        assert_eq!(receiver.count("delta.bytes", "a"), 8 * sum);
    }
}

#[test]
fn what_a_double_cannot_say_is_not_left_to_a_part_that_is_smaller() {
    let (store, mut message, mut receiver) = (Store::new(), message(Delta), Receiver::default());
    let total = (1 << 63) + 1000;
    store.scope(|| MIXED.add(total, (&String::from("a"),)));
    let _observation = store.scope(|| MIXED_SEEN.observe(|o| o.set(3, ("a",))));
    for _ in 0..3 {
        flush(&mut message, &store, &mut receiver);
    }
    assert_eq!(receiver.count("delta.mixed", "a"), u128::from(total) + 3);
}

#[test]
fn a_double_that_was_rounded_on_its_way_is_made_good() {
    let (store, mut message, mut receiver) = (Store::new(), message(Delta), Receiver::default());
    // Neither what came, 2^53 + 1, nor the sum of 2^53 and what was there is a double: what is sent ends up as 2^53.
    let large = 53f64.exp2();
    store.scope(|| EXACT.add(1.0, ("a",)));
    flush(&mut message, &store, &mut receiver);
    store.scope(|| {
        EXACT.add(large, ("a",));
        EXACT.add(2.0, ("a",));
    });
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.sums[&key("delta.exact", "a")], large);
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.sums[&key("delta.exact", "a")], large + 2.0);
    assert_eq!(flush(&mut message, &store, &mut receiver), 0);
}

#[test]
fn a_histogram_of_negative_values_has_no_sum_and_its_next_one_has() {
    let (store, mut message) = (Store::new(), message(Delta));
    let mut sum = |value: f64| {
        store.scope(|| SIGNED.record(value));
        let requests = message.requests(&store, usize::MAX);
        let Data::Histogram(histogram) = data(&decoded(requests[0].body()), "delta.signed") else { panic!() };
        requests.into_iter().for_each(|request| message.delivered(request));
        histogram.data_points[0].sum
    };
    assert_eq!(sum(2.0), Some(2.0));
    assert_eq!(sum(-3.0), None);
    assert_eq!(sum(4.0), Some(4.0));
}

#[test]
fn exemplars_are_those_of_what_came() {
    let (store, mut message) = (Store::new(), message(Delta));
    store.take_exemplars(|| Some(metercast_core::SpanContext::new([1; 16], [2; 8])));
    let mut exemplars = |value: f64| {
        store.scope(|| TIMES.record(value, ("a",)));
        let requests = message.requests(&store, usize::MAX);
        let Data::Histogram(histogram) = data(&decoded(requests[0].body()), "delta.times") else { panic!() };
        requests.into_iter().for_each(|request| message.delivered(request));
        histogram.data_points[0].exemplars.len()
    };
    assert_eq!(exemplars(0.5), 1);
    assert_eq!(exemplars(10.0), 1);
    assert_eq!(exemplars(11.0), 1);
}

#[test]
fn observed_totals_may_pause_and_begin_anew() {
    let (store, mut message, mut receiver) = (Store::new(), message(Delta), Receiver::default());
    let total = Arc::new(AtomicU64::new(5));
    let seen = Arc::clone(&total);
    let _observation = store.scope(|| {
        SEEN.observe(move |o| match seen.load(Relaxed) {
            0 => {}
            total => o.set(total, ("a",)),
        })
    });
    for (value, expected) in [(5, 5), (5, 5), (9, 9), (0, 9), (12, 12), (3, 15)] {
        total.store(value, Relaxed);
        flush(&mut message, &store, &mut receiver);
        assert_eq!(receiver.count("delta.seen", "a"), expected, "at {value}");
    }
}

#[test]
fn a_series_of_several_parts_is_told_once_however_they_come_and_go() {
    let (store, mut message, mut receiver) = (Store::new(), message(Delta), Receiver::default());
    let seen = Arc::new(AtomicU64::new(0));
    let of_callback = Arc::clone(&seen);
    let _observation = store.scope(|| {
        MIXED_SEEN.observe(move |o| match of_callback.load(Relaxed) {
            0 => {}
            total => o.set(total, ("a",)),
        })
    });
    let mut flush = || {
        flush(&mut message, &store, &mut receiver);
        receiver.count("delta.mixed", "a")
    };
    store.scope(|| MIXED.add(1, (&String::from("a"),)));
    assert_eq!(flush(), 1);
    seen.store(10, Relaxed);
    assert_eq!(flush(), 11);
    store.scope(|| u64_counter!("delta.mixed", "", 100, "text" => "a"));
    assert_eq!(flush(), 111);
    seen.store(0, Relaxed);
    store.scope(|| u64_counter!("delta.mixed", "", 200, "text" => "a"));
    assert_eq!(flush(), 311);
    seen.store(30, Relaxed);
    assert_eq!(flush(), 331);
}

#[test]
fn histograms_that_say_nothing_are_exponential_for_who_prefers_that_and_only_for_them() {
    let exponential = OtlpOptions { histograms: HistogramAggregation::Exponential, ..OtlpOptions::default() };
    let kind = |message: &mut OtlpMessage, store: &Store, name| {
        let mut body = Vec::new();
        message.encode(store, &mut body);
        matches!(data(&decoded(&body), name), Data::ExponentialHistogram(_))
    };
    for in_time in [true, false] {
        let store = Store::new();
        let mut message = OtlpMessage::with_options(&[], exponential);
        if in_time {
            message.prepare(&store);
        }
        store.scope(|| {
            PLAIN.record(1.0);
            DECLARED.record(1.0);
            WIDTHS.record(1.0, ("a",));
        });
        message.prepare(&store);
        store.scope(|| PLAIN.record(2.0));
        assert!(kind(&mut message, &store, "delta.plain"));
        assert!(!kind(&mut message, &store, "delta.declared"));
        assert!(kind(&mut message, &store, "delta.widths"));
        let mut other = OtlpMessage::new(&[]);
        assert!(!kind(&mut other, &store, "delta.plain"));
        assert!(kind(&mut other, &store, "delta.widths"));
    }
}

#[test]
fn nothing_expires_before_it_has_arrived() {
    for temporality in [Delta, Cumulative] {
        let (store, mut message) = (Store::new(), message(temporality));
        store.set_expiry(Some(Expiry::after(Duration::ZERO)));
        store.scope(|| COUNTS.add(3, ("a",)));
        for _ in 0..5 {
            // Others read as well, and nobody hears of it.
            store.collect();
            let (_, points) = sum_of(&message.requests(&store, usize::MAX), "delta.counts");
            assert_eq!(points[0].value, Some(NumberValue::AsInt(3)));
        }
        for request in message.requests(&store, usize::MAX) {
            message.delivered(request);
        }
        (0..2).for_each(|_| drop(store.collect()));
        assert!(message.requests(&store, usize::MAX).is_empty());
    }
}
