//! Our bytes, decoded by the published definition of OTLP, say what the store says.

use std::time::Duration;

use metercast_core::{KeyValue, Store, f64_gauge, metrics, u64_counter};
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
}

fn snapshot(record: impl FnOnce()) -> Snapshot {
    let store = Store::new();
    store.scope(record);
    Snapshot::of(&store)
}

fn decoded(snapshot: &Snapshot, resource: &Attributes) -> ExportMetricsServiceRequest {
    let bytes = request(snapshot, resource);
    let decoded = ExportMetricsServiceRequest::decode(&bytes[..]).expect("our bytes are a request");
    // The same message as prost writes it: no field stands there that says nothing, no length is too wide.
    assert_eq!(decoded.encoded_len(), bytes.len());
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
fn point(snapshot: &Snapshot, name: &str, value: NumberValue) -> NumberDataPoint {
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
    let snapshot = snapshot(|| {
        ORDERS.add(3, ("buy", true));
        PAID.add(2.5);
        ACTIVE.add(-2);
        BALANCE.add(-0.5);
        TEMPERATURE.set(-40.0);
        DEPTH.set(-7);
        LIMIT.set(1000);
    });
    let request = decoded(&snapshot, &[]);
    let point = |name, value| point(&snapshot, name, value);
    let orders = NumberDataPoint {
        attributes: vec![pair("http.ok", AnyValue::BoolValue(true)), pair("side", text("buy"))],
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
    let request = decoded(
        &snapshot(|| {
            PAID.add(1.0);
            ORDERS.add(1, ("buy", true));
            ACTIVE.add(1);
        }),
        &[],
    );
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
    let snapshot = snapshot(|| {
        // On a bound is in the bucket below.
        for value in [0.25, 0.5, 10.0, 11.0, 12.0] {
            SETTLE.record(value, ("buy",));
        }
    });
    let expected = HistogramDataPoint {
        attributes: vec![pair("side", text("buy"))],
        start_time_unix_nano: unix_nanoseconds(snapshot.families[0].series[0].started),
        time_unix_nano: unix_nanoseconds(snapshot.time),
        count: 5,
        sum: Some(33.75),
        bucket_counts: vec![1, 1, 1, 2],
        explicit_bounds: vec![0.25, 1.0, 10.0],
        ..HistogramDataPoint::default()
    };
    assert_eq!(
        data(&decoded(&snapshot, &[]), "order.settle.duration"),
        Data::Histogram(Histogram { data_points: vec![expected], aggregation_temporality: 2 })
    );
}

#[test]
fn a_histogram_of_values_that_may_be_negative_has_no_sum() {
    let request = decoded(
        &snapshot(|| {
            CHANGE.record(5.0);
            SIZE.record(0);
        }),
        &[],
    );
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
        let snapshot = snapshot(|| LIMIT.set(value));
        let request = decoded(&snapshot, &[]);
        assert_eq!(data(&request, "book.limit"), gauge(point(&snapshot, "book.limit", expected)), "{value}");
    }
    let snapshot = snapshot(|| ORDERS.add(u64::MAX, ("buy", true)));
    let Data::Sum(sum) = data(&decoded(&snapshot, &[]), "orders.placed") else { unreachable!() };
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
    let snapshot = snapshot(|| u64_counter!("typed.labels", "", 1, labels));

    let expected: Vec<_> = values.into_iter().map(|(key, _, value)| pair(key, value)).collect();
    let request = decoded(&snapshot, &resource);
    assert_eq!(request.resource_metrics[0].resource.as_ref().unwrap().attributes, expected);
    let Data::Sum(sum) = data(&request, "typed.labels") else { unreachable!() };
    assert_eq!(sum.data_points[0].attributes, expected);
}

#[test]
fn metrics_stand_under_the_crate_that_defines_them() {
    let snapshot = snapshot(|| {
        ORDERS.add(1, ("buy", true));
        ACTIVE.add(1);
        // Not a number: dropped, which core counts in a metric of its own.
        TEMPERATURE.set(f64::NAN);
    });
    let request = decoded(&snapshot, &[]);
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
    let core = snapshot.family("metercast.recordings.dropped").unwrap().definition.scope();
    let mut expected = vec![
        (ours.0, ours.1, vec!["orders.active".to_owned(), "orders.placed".to_owned()]),
        (core.name.to_owned(), core.version.to_owned(), vec!["metercast.recordings.dropped".to_owned()]),
    ];
    expected.sort();
    assert_eq!(scopes, expected);
}

#[test]
fn nothing_recorded_is_nothing_to_send() {
    assert_eq!(request(&snapshot(|| {}), &[("service.name".to_owned(), "orders".into())]), []);
}

#[test]
fn the_same_snapshot_is_the_same_bytes() {
    let snapshot = snapshot(|| {
        for side in ["sell", "buy", "hold"] {
            ORDERS.add(1, (side, false));
        }
    });
    assert_eq!(request(&snapshot, &[]), request(&snapshot.clone(), &[]));
}

#[test]
fn a_point_is_never_from_before_its_start() {
    let mut snapshot = snapshot(|| ACTIVE.add(1));
    let started = snapshot.families[0].series[0].started;
    snapshot.time = started - Duration::from_secs(3600);
    let Data::Sum(sum) = data(&decoded(&snapshot, &[]), "orders.active") else { unreachable!() };
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
fn whatever_was_recorded_is_what_is_decoded() {
    // A deterministic walk: labels of many lengths, so that points and messages pass every width of a length.
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..60 {
        let mut expected = Vec::new();
        let snapshot = snapshot(|| {
            for series in 0..next() % 40 {
                let label = "é".repeat((next() % 400) as usize);
                let (count, value) = (next() >> (next() % 64), f64::from_bits(next()));
                let labels = vec![KeyValue::new("n", series), KeyValue::new("text", label.clone())];
                u64_counter!("walk.count", "", count, labels.clone());
                expected.push((series, label.clone(), "walk.count", number_of(count)));
                if value.is_finite() {
                    f64_gauge!("walk.value", "", value, labels);
                    expected.push((series, label, "walk.value", NumberValue::AsDouble(value)));
                }
            }
        });
        let request = if snapshot.families.is_empty() {
            assert_eq!(super::request(&snapshot, &[]), []);
            continue;
        } else {
            decoded(&snapshot, &[])
        };
        let mut found: Vec<_> = metrics_of(&request)
            .flat_map(|metric| {
                let points = match metric.data.as_ref().unwrap() {
                    Data::Sum(sum) => &sum.data_points,
                    Data::Gauge(gauge) => &gauge.data_points,
                    _ => unreachable!("only these were recorded"),
                };
                points.iter().map(|point| (metric.name.as_str(), point))
            })
            .collect();
        assert_eq!(found.len(), expected.len(), "round {round}");
        for (series, label, name, value) in expected {
            let attributes = vec![pair("n", AnyValue::IntValue(series as i64)), pair("text", text(&label))];
            let at = found
                .iter()
                .position(|(metric, point)| *metric == name && point.attributes == attributes)
                .unwrap_or_else(|| panic!("round {round}: {name} {series} is missing"));
            assert_eq!(found.swap_remove(at).1.value, Some(value), "round {round}");
        }
    }
}

fn number_of(count: u64) -> NumberValue {
    i64::try_from(count).map_or(NumberValue::AsDouble(count as f64), NumberValue::AsInt)
}
