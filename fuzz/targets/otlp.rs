//! Any recordings as an OTLP message: decoded by the published definition, it is the snapshot.

#![no_main]

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use metercast::reading::ExponentialBuckets;
use metercast::snapshot::{Family, Point, Series};
use metercast::{Kind, LabelSet, OtlpMessage, Snapshot, Value};
use metercast_fuzz::{Input, stores};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{self as common, InstrumentationScope};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

const CUMULATIVE: i32 = 2;

/// The message that a snapshot should be.
fn expected(snapshot: &Snapshot, resource: &[(String, Value)]) -> ExportMetricsServiceRequest {
    let mut scopes: BTreeMap<(&str, &str), Vec<Metric>> = BTreeMap::new();
    for family in &snapshot.families {
        let scope = family.definition.scope();
        scopes.entry((scope.name, scope.version)).or_default().push(metric(family, snapshot.time));
    }
    let scope_metrics = scopes.into_iter().map(|((name, version), metrics)| ScopeMetrics {
        scope: Some(InstrumentationScope {
            name: name.to_owned(),
            version: version.to_owned(),
            ..Default::default()
        }),
        metrics,
        ..Default::default()
    });
    let attributes = resource.iter().map(|(key, value)| pair(key, value)).collect();
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes, ..Default::default() }),
            scope_metrics: scope_metrics.collect(),
            ..Default::default()
        }],
    }
}

fn metric(family: &Family, time: SystemTime) -> Metric {
    let definition = &family.definition;
    let numbers = || family.series.iter().map(|series| number(series, time)).collect();
    let sum = |is_monotonic| {
        Data::Sum(Sum { data_points: numbers(), aggregation_temporality: CUMULATIVE, is_monotonic })
    };
    let data = match definition.kind() {
        Kind::Counter => sum(true),
        Kind::UpDownCounter => sum(false),
        Kind::Gauge => Data::Gauge(Gauge { data_points: numbers() }),
        Kind::Histogram if is_exponential(family) => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: family.series.iter().map(|series| exponential(series, time)).collect(),
            aggregation_temporality: CUMULATIVE,
        }),
        Kind::Summary => Data::Summary(Summary {
            data_points: family.series.iter().map(|series| summary(series, time)).collect(),
        }),
        Kind::Histogram => Data::Histogram(Histogram {
            data_points: family.series.iter().map(|series| histogram(series, time)).collect(),
            aggregation_temporality: CUMULATIVE,
        }),
        other => panic!("a new kind: {other:?}"),
    };
    Metric {
        name: definition.name().to_owned(),
        description: definition.description().to_owned(),
        unit: definition.unit().to_owned(),
        data: Some(data),
        ..Default::default()
    }
}

fn number(series: &Series, time: SystemTime) -> NumberDataPoint {
    let value = match series.point {
        Point::I64(value) => Number::AsInt(value),
        Point::U64(value) if value <= i64::MAX as u64 => Number::AsInt(value as i64),
        Point::U64(value) => Number::AsDouble(value as f64),
        Point::F64(value) => Number::AsDouble(value),
        ref other => panic!("no number: {other:?}"),
    };
    NumberDataPoint {
        attributes: pairs(&series.labels),
        start_time_unix_nano: nanoseconds(series.started),
        time_unix_nano: nanoseconds(time.max(series.started)),
        value: Some(value),
        ..Default::default()
    }
}

fn histogram(series: &Series, time: SystemTime) -> HistogramDataPoint {
    let Point::Histogram(buckets) = &series.point else { panic!("no histogram: {:?}", series.point) };
    // A sum of what may be negative is left out, since receivers take it for a counter.
    let counts_below_zero = buckets.bounds.iter().any(|bound| *bound < 0.0);
    HistogramDataPoint {
        attributes: pairs(&series.labels),
        start_time_unix_nano: nanoseconds(series.started),
        time_unix_nano: nanoseconds(time.max(series.started)),
        count: buckets.counts.iter().sum(),
        sum: (buckets.sum >= 0.0 && !counts_below_zero).then_some(buckets.sum),
        bucket_counts: buckets.counts.clone(),
        explicit_bounds: buckets.bounds.to_vec(),
        ..Default::default()
    }
}

/// Two definitions may differ in it; the first one that is used says it for both.
fn is_exponential(family: &Family) -> bool {
    family.series.iter().any(|series| matches!(series.point, Point::Exponential(_)))
}

fn exponential(series: &Series, time: SystemTime) -> ExponentialHistogramDataPoint {
    let Point::Exponential(value) = &series.point else { panic!("not exponential: {:?}", series.point) };
    let buckets = |buckets: &ExponentialBuckets| {
        let (offset, bucket_counts) = (buckets.offset, buckets.counts.clone());
        (!bucket_counts.is_empty()).then_some(Buckets { offset, bucket_counts })
    };
    let all = [&value.positive, &value.negative];
    ExponentialHistogramDataPoint {
        attributes: pairs(&series.labels),
        start_time_unix_nano: nanoseconds(series.started),
        time_unix_nano: nanoseconds(time.max(series.started)),
        count: value.zero_count + all.iter().flat_map(|buckets| &buckets.counts).sum::<u64>(),
        // As for histograms.
        sum: (value.sum >= 0.0 && value.negative.counts.is_empty()).then_some(value.sum),
        scale: value.scale,
        zero_count: value.zero_count,
        positive: buckets(&value.positive),
        negative: buckets(&value.negative),
        min: value.min,
        max: value.max,
        ..Default::default()
    }
}

fn summary(series: &Series, time: SystemTime) -> SummaryDataPoint {
    let Point::Summary(value) = &series.point else { panic!("no summary: {:?}", series.point) };
    let quantiles = value.quantiles.iter();
    SummaryDataPoint {
        attributes: pairs(&series.labels),
        start_time_unix_nano: nanoseconds(series.started),
        time_unix_nano: nanoseconds(time.max(series.started)),
        count: value.count,
        sum: if value.sum > 0.0 { value.sum } else { 0.0 },
        quantile_values: quantiles
            .map(|(quantile, value)| ValueAtQuantile { quantile: *quantile, value: *value })
            .collect(),
        ..Default::default()
    }
}

fn pairs(labels: &LabelSet) -> Vec<common::KeyValue> {
    labels.iter().map(|(key, value)| pair(key, value)).collect()
}

fn pair(key: &str, value: &Value) -> common::KeyValue {
    let value = match value {
        Value::String(text) => AnyValue::StringValue(text.to_string()),
        Value::Bool(truth) => AnyValue::BoolValue(*truth),
        Value::I64(whole) => AnyValue::IntValue(*whole),
        Value::F64(double) => AnyValue::DoubleValue(*double),
        // OTLP has no whole number above 63 bits.
        Value::U64(whole) => AnyValue::StringValue(whole.to_string()),
        other => panic!("a value of a new type: {other:?}"),
    };
    common::KeyValue {
        key: key.to_owned(),
        value: Some(common::AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut resource = BTreeMap::new();
    for _ in 0..input.below(4) {
        resource.insert(input.key(), input.value());
    }
    let resource: Vec<(String, Value)> = resource.into_iter().collect();
    let Some(recorded) = stores(&mut input) else { return };
    let snapshot = Snapshot::of(&recorded.all);
    let mut bytes = Vec::new();
    let points = OtlpMessage::new(&resource).encode(&recorded.all, &mut bytes);
    assert_eq!(points, snapshot.points());
    if snapshot.families.is_empty() {
        assert!(bytes.is_empty(), "nothing is no message");
        return;
    }
    let decoded = ExportMetricsServiceRequest::decode(&bytes[..]).expect("our bytes are a request");
    let (decoded, expected) = (in_order(decoded), in_order(expected(&snapshot, &resource)));
    // As bytes, since NaN is not equal to itself.
    if decoded.encode_to_vec() != expected.encode_to_vec() {
        panic!("decoded: {decoded:#?}\nexpected: {expected:#?}");
    }
});

/// Points stand in the order of their first use, attributes in that of the program, and the times of two readings differ.
fn in_order(mut request: ExportMetricsServiceRequest) -> ExportMetricsServiceRequest {
    let metrics = request
        .resource_metrics
        .iter_mut()
        .flat_map(|resource| &mut resource.scope_metrics)
        .flat_map(|scope| &mut scope.metrics);
    let by_key = |attributes: &mut Vec<common::KeyValue>| attributes.sort_by(|a, b| a.key.cmp(&b.key));
    for data in metrics.filter_map(|metric| metric.data.as_mut()) {
        match data {
            Data::Gauge(Gauge { data_points }) | Data::Sum(Sum { data_points, .. }) => {
                for point in &mut *data_points {
                    by_key(&mut point.attributes);
                    point.time_unix_nano = 0;
                }
                data_points.sort_by_cached_key(|point| bytes_of(&point.attributes));
            }
            Data::Histogram(Histogram { data_points, .. }) => {
                for point in &mut *data_points {
                    by_key(&mut point.attributes);
                    point.time_unix_nano = 0;
                }
                data_points.sort_by_cached_key(|point| bytes_of(&point.attributes));
            }
            Data::ExponentialHistogram(ExponentialHistogram { data_points, .. }) => {
                for point in &mut *data_points {
                    by_key(&mut point.attributes);
                    point.time_unix_nano = 0;
                }
                data_points.sort_by_cached_key(|point| bytes_of(&point.attributes));
            }
            Data::Summary(Summary { data_points }) => {
                for point in &mut *data_points {
                    by_key(&mut point.attributes);
                    point.time_unix_nano = 0;
                }
                data_points.sort_by_cached_key(|point| bytes_of(&point.attributes));
            }
        }
    }
    request
}

/// What tells attributes apart, NaN included.
fn bytes_of(attributes: &[common::KeyValue]) -> Vec<u8> {
    attributes.iter().flat_map(|attribute| attribute.encode_to_vec()).collect()
}
