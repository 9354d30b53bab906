//! Our bytes, decoded by the published definition of OTLP, say what the store says.

mod delta;
mod json;
mod random;
mod reshape;
mod scopes;
mod shapes;
mod size;
mod truth;

use std::time::{Duration, UNIX_EPOCH};

use metercast_core::{KeyValue, metrics, u64_counter};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{self as common, InstrumentationScope};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as NumberValue;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};
use prost::Message as _;

use super::*;
use crate::snapshot::{Point, Snapshot};

metrics! {
    /// Orders accepted.
    static ORDERS: Counter<u64> = "orders.placed" { unit: "{order}", labels: { side: &str, "http.ok": bool } };
    /// Paid.
    static PAID: Counter<f64> = "orders.paid" { unit: "EUR" };
    /// Orders that are not settled yet.
    static ACTIVE: UpDownCounter<i64> = "orders.active";
    static BALANCE: UpDownCounter<f64> = "orders.balance";
    static TEMPERATURE: Gauge<f64> = "room.temperature" { unit: "Cel" };
    static DEPTH: Gauge<i64> = "queue.depth";
    static LIMIT: Gauge<u64> = "book.limit";
    /// Time from acceptance to settlement.
    static SETTLE: Histogram<f64> = "order.settle.duration" {
        unit: "s", buckets: [0.25, 1.0, 10.0], labels: { side: &str }
    };
    static SIZE: Histogram<u64> = "order.size" { buckets: [0.0, 8.0] };
    static CHANGE: Histogram<f64> = "price.change" { buckets: [-1.0, 0.0, 1.0] };
    static SPREAD: Histogram<f64> = "spread" { exponential: true, labels: { lane: u8 } };
    static ONE_WAY: Histogram<f64> = "two.ways" { buckets: [0.5] };
    static OTHER_WAY: Histogram<f64> = "two.ways" { exponential: true };
    static LOSS: Histogram<f64> = "loss" { exponential: true };
    static TRIGGERS: Frequency<u64> = "executor.triggers" { labels: { trigger: &str } };
    static RESULT: Summary<u64> = "result.size" { quantiles: [0.0, 0.5], window_seconds: 300 };
}

/// What was recorded, and when it was read.
struct Read {
    store: Store,
    snapshot: Snapshot,
}

fn read(record: impl FnOnce()) -> Read {
    let store = Store::new();
    store.scope(record);
    Read { snapshot: Snapshot::of(&store), store }
}

impl Read {
    fn message(&self, resource: &[(String, Value)]) -> Vec<u8> {
        let mut message = Vec::new();
        let points = OtlpMessage::new(resource).encode_at(self.snapshot.time, &self.store, &mut message);
        assert_eq!(points, self.snapshot.points());
        message
    }

    fn decoded(&self, resource: &[(String, Value)]) -> ExportMetricsServiceRequest {
        decoded(&self.message(resource))
    }
}

fn decoded(message: &[u8]) -> ExportMetricsServiceRequest {
    let decoded = ExportMetricsServiceRequest::decode(message).expect("our bytes are a request");
    // The same message as prost writes it: no field stands there that says nothing, no length is too wide.
    assert_eq!(decoded.encoded_len(), message.len());
    decoded
}

/// All metrics of all scopes, in their order.
fn metrics_of(request: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    request.resource_metrics[0].scope_metrics.iter().flat_map(|scope| &scope.metrics)
}

fn data(request: &ExportMetricsServiceRequest, name: &str) -> Data {
    metrics_of(request).find(|metric| metric.name == name).unwrap().data.clone().unwrap()
}

fn pair(key: &str, value: AnyValue) -> common::KeyValue {
    common::KeyValue {
        key: key.to_owned(),
        value: Some(common::AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

fn text(text: &str) -> AnyValue {
    AnyValue::StringValue(text.to_owned())
}

/// A point between the start of `name` and the time of the snapshot.
fn point(read: &Read, name: &str, value: NumberValue) -> NumberDataPoint {
    let snapshot = &read.snapshot;
    NumberDataPoint {
        start_time_unix_nano: unix_nanoseconds(snapshot.family(name).unwrap().series[0].started),
        time_unix_nano: unix_nanoseconds(snapshot.time),
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn gauge(point: NumberDataPoint) -> Data {
    Data::Gauge(Gauge { data_points: vec![point] })
}

fn sum(point: NumberDataPoint, is_monotonic: bool) -> Data {
    Data::Sum(Sum { data_points: vec![point], aggregation_temporality: 2, is_monotonic })
}

#[test]
fn every_kind_arrives_as_what_it_is() {
    let read = read(|| {
        ORDERS.add(3, ("buy", true));
        PAID.add(2.5);
        ACTIVE.add(-2);
        BALANCE.add(-0.5);
        TEMPERATURE.set(-40.0);
        DEPTH.set(-7);
        LIMIT.set(1000);
    });
    let request = read.decoded(&[]);
    let point = |name, value| point(&read, name, value);
    let orders = NumberDataPoint {
        attributes: vec![pair("side", text("buy")), pair("http.ok", AnyValue::BoolValue(true))],
        ..point("orders.placed", NumberValue::AsInt(3))
    };
    assert_eq!(data(&request, "orders.placed"), sum(orders, true));
    assert_eq!(data(&request, "orders.paid"), sum(point("orders.paid", NumberValue::AsDouble(2.5)), true));
    assert_eq!(data(&request, "orders.active"), sum(point("orders.active", NumberValue::AsInt(-2)), false));
    assert_eq!(
        data(&request, "orders.balance"),
        sum(point("orders.balance", NumberValue::AsDouble(-0.5)), false)
    );
    assert_eq!(
        data(&request, "room.temperature"),
        gauge(point("room.temperature", NumberValue::AsDouble(-40.0)))
    );
    assert_eq!(data(&request, "queue.depth"), gauge(point("queue.depth", NumberValue::AsInt(-7))));
    assert_eq!(data(&request, "book.limit"), gauge(point("book.limit", NumberValue::AsInt(1000))));
}

#[test]
fn name_description_and_unit_arrive_and_families_keep_their_order() {
    let read = read(|| {
        PAID.add(1.0);
        ORDERS.add(1, ("buy", true));
        ACTIVE.add(1);
    });
    let request = read.decoded(&[]);
    let told: Vec<_> = metrics_of(&request)
        .map(|metric| (metric.name.as_str(), metric.description.as_str(), metric.unit.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("orders.active", "Orders that are not settled yet.", ""),
            ("orders.paid", "Paid.", "EUR"),
            ("orders.placed", "Orders accepted.", "{order}"),
        ]
    );
}

#[test]
fn a_histogram_arrives_with_its_bounds_counts_and_sum() {
    let read = read(|| {
        // On a bound is in the bucket below.
        for value in [0.25, 0.5, 10.0, 11.0, 12.0] {
            SETTLE.record(value, ("buy",));
        }
    });
    let expected = HistogramDataPoint {
        attributes: vec![pair("side", text("buy"))],
        start_time_unix_nano: unix_nanoseconds(read.snapshot.families[0].series[0].started),
        time_unix_nano: unix_nanoseconds(read.snapshot.time),
        count: 5,
        sum: Some(33.75),
        bucket_counts: vec![1, 1, 1, 2],
        explicit_bounds: vec![0.25, 1.0, 10.0],
        ..HistogramDataPoint::default()
    };
    assert_eq!(
        data(&read.decoded(&[]), "order.settle.duration"),
        Data::Histogram(Histogram { data_points: vec![expected], aggregation_temporality: 2 })
    );
}

#[test]
fn a_histogram_of_values_that_may_be_negative_has_no_sum() {
    let read = read(|| {
        CHANGE.record(5.0);
        SIZE.record(0);
    });
    let request = read.decoded(&[]);
    let sum_of = |name| match data(&request, name) {
        Data::Histogram(histogram) => histogram.data_points[0].sum,
        _ => unreachable!("it is a histogram"),
    };
    assert_eq!(sum_of("price.change"), None);
    assert_eq!(sum_of("order.size"), Some(0.0));
}

#[test]
fn a_number_beyond_63_bits_arrives_as_a_double_and_never_as_zero() {
    let largest = i64::MAX as u64;
    for (value, expected) in [
        (0, NumberValue::AsInt(0)),
        (largest, NumberValue::AsInt(i64::MAX)),
        (largest + 1, NumberValue::AsDouble(9_223_372_036_854_775_808.0)),
        (u64::MAX, NumberValue::AsDouble(18_446_744_073_709_551_616.0)),
    ] {
        let read = read(|| LIMIT.set(value));
        let request = read.decoded(&[]);
        assert_eq!(data(&request, "book.limit"), gauge(point(&read, "book.limit", expected)), "{value}");
    }
    let read = read(|| ORDERS.add(u64::MAX, ("buy", true)));
    let Data::Sum(sum) = data(&read.decoded(&[]), "orders.placed") else { unreachable!() };
    assert_eq!(sum.data_points[0].value, Some(NumberValue::AsDouble(18_446_744_073_709_551_616.0)));
}

#[test]
fn attributes_keep_their_types_in_the_resource_and_at_the_points() {
    let values: Vec<(&str, Value, AnyValue)> = vec![
        ("a", "".into(), text("")),
        ("b", "größe \u{1f980}".into(), text("größe \u{1f980}")),
        ("c", false.into(), AnyValue::BoolValue(false)),
        ("d", true.into(), AnyValue::BoolValue(true)),
        ("e", 0i64.into(), AnyValue::IntValue(0)),
        ("f", i64::MIN.into(), AnyValue::IntValue(i64::MIN)),
        ("g", 0.0.into(), AnyValue::DoubleValue(0.0)),
        ("h", (-1.5e300).into(), AnyValue::DoubleValue(-1.5e300)),
        ("i", "x".repeat(1000).into(), text(&"x".repeat(1000))),
    ];
    let labels: Vec<_> = values.iter().map(|(key, value, _)| KeyValue::new(*key, value.clone())).collect();
    let resource: Vec<_> = values.iter().map(|(key, value, _)| ((*key).to_owned(), value.clone())).collect();
    let read = read(|| u64_counter!("typed.labels", "", 1, labels));

    let expected: Vec<_> = values.into_iter().map(|(key, _, value)| pair(key, value)).collect();
    let request = read.decoded(&resource);
    assert_eq!(request.resource_metrics[0].resource.as_ref().unwrap().attributes, expected);
    let Data::Sum(sum) = data(&request, "typed.labels") else { unreachable!() };
    assert_eq!(sum.data_points[0].attributes, expected);
}

#[test]
fn metrics_stand_under_the_crate_that_defines_them() {
    let read = read(|| {
        ORDERS.add(1, ("buy", true));
        ACTIVE.add(1);
        // Not a number: dropped, which core counts in a metric of its own.
        TEMPERATURE.set(f64::NAN);
    });
    let request = read.decoded(&[]);
    assert_eq!(request.resource_metrics.len(), 1);
    let scopes: Vec<_> = request.resource_metrics[0]
        .scope_metrics
        .iter()
        .map(|scope| {
            let InstrumentationScope { name, version, .. } = scope.scope.clone().unwrap();
            (name, version, scope.metrics.iter().map(|metric| metric.name.clone()).collect::<Vec<_>>())
        })
        .collect();
    let ours = (env!("CARGO_PKG_NAME").to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let core = read.snapshot.family("metercast.recordings.dropped").unwrap().definition.scope();
    let mut expected = vec![
        (ours.0, ours.1, vec!["orders.active".to_owned(), "orders.placed".to_owned()]),
        (core.name.to_owned(), core.version.to_owned(), vec!["metercast.recordings.dropped".to_owned()]),
    ];
    expected.sort();
    assert_eq!(scopes, expected);
}

#[test]
fn nothing_recorded_is_nothing_to_send() {
    assert!(read(|| {}).message(&[("service.name".to_owned(), "orders".into())]).is_empty());
}

#[test]
fn a_message_is_appended_and_depends_on_no_message_before() {
    let read = read(|| {
        for side in ["sell", "buy", "hold"] {
            ORDERS.add(1, (side, false));
        }
        SETTLE.record(1.0, ("buy",));
    });
    let first = read.message(&[]);
    let mut message = OtlpMessage::new(&[]);
    let mut out = b"before".to_vec();
    for _ in 0..3 {
        message.encode_at(read.snapshot.time, &read.store, &mut out);
    }
    assert!(out == [b"before", &first[..], &first, &first].concat());

    // Of another store, with other metrics.
    let other = self::read(|| DEPTH.set(3));
    out.clear();
    message.encode_at(other.snapshot.time, &other.store, &mut out);
    assert!(out == other.message(&[]));
    out.clear();
    message.encode_at(read.snapshot.time, &read.store, &mut out);
    assert!(out == first);
}

#[test]
fn a_point_is_never_from_before_its_start() {
    let mut read = read(|| ACTIVE.add(1));
    let started = read.snapshot.families[0].series[0].started;
    read.snapshot.time = started - Duration::from_secs(3600);
    let Data::Sum(sum) = data(&read.decoded(&[]), "orders.active") else { unreachable!() };
    assert_eq!(sum.data_points[0].start_time_unix_nano, unix_nanoseconds(started));
    assert_eq!(sum.data_points[0].time_unix_nano, unix_nanoseconds(started));
}

#[test]
fn times_are_nanoseconds_and_stay_in_what_64_bits_hold() {
    let after = |since| UNIX_EPOCH + since;
    assert_eq!(
        unix_nanoseconds(after(Duration::from_nanos(1_700_000_000_123_456_789))),
        1_700_000_000_123_456_789
    );
    assert_eq!(unix_nanoseconds(UNIX_EPOCH - Duration::from_secs(1)), 0);
    assert_eq!(unix_nanoseconds(after(Duration::from_secs(1 << 40))), u64::MAX);
}

#[test]
fn exponential_buckets_arrive_as_they_are() {
    let read = read(|| {
        for value in [0.0, 1.0, 1.5, 700.0, 700.0] {
            SPREAD.record(value, (7,));
        }
        LOSS.record(-2.0);
        LOSS.record(4.0);
    });
    let request = read.decoded(&[]);
    let point_of = |name| match data(&request, name) {
        Data::ExponentialHistogram(histogram) => {
            assert_eq!((histogram.aggregation_temporality, histogram.data_points.len()), (2, 1));
            histogram.data_points[0].clone()
        }
        _ => unreachable!("it is an exponential histogram"),
    };
    let spread = point_of("spread");
    assert_eq!(spread.attributes, [pair("lane", AnyValue::IntValue(7))]);
    assert_eq!((spread.count, spread.zero_count, spread.sum), (5, 1, Some(1402.5)));
    assert_eq!(spread.negative, None);
    // In the bucket at index `i` are the values above `base^i`, `base` being `2^(2^-scale)`.
    let positive = spread.positive.unwrap();
    let index = |value: f64| (value.log2() * f64::from(spread.scale).exp2()).ceil() as i32 - 1;
    assert_eq!(positive.offset, index(1.0));
    assert_eq!(positive.bucket_counts.iter().sum::<u64>(), 4);
    assert_eq!(positive.bucket_counts[(index(700.0) - index(1.0)) as usize], 2);

    let loss = point_of("loss");
    assert_eq!((loss.count, loss.sum), (2, None), "a sum that a negative value is in is no counter");
    assert_eq!(loss.negative.unwrap().bucket_counts, [1]);
}

#[test]
fn a_histogram_arrives_with_the_buckets_of_its_store() {
    let mut message = OtlpMessage::new(&[]);
    let mut sent = |record: &dyn Fn()| {
        let (read, mut out) = (read(record), Vec::new());
        assert_eq!(message.encode_at(read.snapshot.time, &read.store, &mut out), 1);
        data(&decoded(&out), "two.ways")
    };
    for _ in 0..2 {
        assert!(matches!(sent(&|| ONE_WAY.record(1.0)), Data::Histogram(_)));
        assert!(matches!(sent(&|| OTHER_WAY.record(1.0)), Data::ExponentialHistogram(_)));
    }
}

#[test]
fn a_summary_arrives_with_its_quantiles() {
    let read = read(|| (1..=100).for_each(|size| RESULT.record(size)));
    let Point::Summary(expected) = &read.snapshot.family("result.size").unwrap().series[0].point else {
        unreachable!()
    };
    let Data::Summary(summary) = data(&read.decoded(&[]), "result.size") else { unreachable!() };
    let [point] = &summary.data_points[..] else { panic!("{summary:?}") };
    assert_eq!((point.count, point.sum), (100, 5050.0));
    let quantiles: Vec<_> = point.quantile_values.iter().map(|at| (at.quantile, at.value)).collect();
    assert_eq!(quantiles, expected.quantiles);
    assert_eq!(quantiles.len(), 2);
}

#[test]
fn a_frequency_is_a_counter_under_one_key_that_is_the_same_for_prometheus() {
    let read = read(|| TRIGGERS.record("timer"));
    let Data::Sum(sum) = data(&read.decoded(&[]), "executor.triggers") else { unreachable!() };
    assert!(sum.is_monotonic);
    assert_eq!(sum.data_points[0].attributes, [pair("trigger", text("timer"))]);
    let page = crate::PrometheusPage::new("test", crate::Log::to(|_, _| {})).render(&read.store);
    assert!(page.contains(r#"{trigger="timer"} 1"#), "{page}");
}
