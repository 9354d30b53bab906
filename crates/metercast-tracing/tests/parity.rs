//! The same events give the same points here as in tracing-opentelemetry's layer over OpenTelemetry's SDK.

use std::collections::BTreeMap;

use metercast::Store;
use metercast::reading::Point;
use metercast_tracing::Metrics;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use tracing::{Level, debug, error, info, span, trace, warn};
use tracing_opentelemetry::MetricsLayer;
use tracing_subscriber::layer::SubscriberExt;

/// What a program logs that was written for the other layer.
fn program() {
    info!(monotonic_counter.orders = 1, side = "buy", region = "eu");
    info!(monotonic_counter.orders = 2u64, region = "eu", side = "buy");
    warn!(monotonic_counter.orders = 4, side = "sell", retry = true, attempt = 3, share = 0.5);
    info!(monotonic_counter.seconds = 0.25);
    info!(monotonic_counter.seconds = 1.5f64);
    info!(counter.open = 5);
    info!(counter.open = -7);
    info!(counter.open = 1u64, "with a message of {} words", 5);
    info!(counter.level = -0.5, of = ?Some("debug"), shown = %"display");
    debug!(histogram.bytes = 1200u64, "fine");
    trace!(histogram.bytes = 8u64, "fine");
    info!(histogram.wait = 0.02);
    info!(histogram.wait = 11.5);
    error!(gauge.depth = 3, queue = "main");
    error!(gauge.depth = -4, queue = "main");
    info!(gauge.heat = 21.5);
    info!(gauge.full = 9u64);
    // Two in one event, with the same labels.
    info!(monotonic_counter.both = 1, gauge.both.too = 2, a = 1);
    // Not a number: an attribute of what else is there.
    info!(monotonic_counter.plain = 1, monotonic_counter.odd = "text", gauge.odd = true);
    // Nothing at all.
    info!(orders = 5, "no metric");
    let span = span!(Level::INFO, "span", monotonic_counter.of_span = 1, tenant = "a");
    let _entered = span.enter();
    info!(monotonic_counter.in_span = 1);
    let none: Option<u64> = None;
    info!(monotonic_counter.none = none, monotonic_counter.some = Some(3u64));
    info!(monotonic_counter.dynamic = &7u64 as &dyn tracing::Value);
}

/// Kind and name of each series with its labels, and its value as text.
type Points = BTreeMap<String, String>;

fn ours() -> Points {
    let store = Store::new();
    let subscriber = tracing_subscriber::registry().with(Metrics::new().layer());
    store.scope(|| tracing::subscriber::with_default(subscriber, program));
    assert!(store.problems().is_empty(), "{:?}", store.problems());
    let mut points = Points::new();
    for family in store.collect() {
        for series in &family.series {
            let labels = series.labels.iter().map(|(key, value)| format!("{key}={value}"));
            let key = format!("{} {:?}", family.definition.name(), labels.collect::<Vec<_>>());
            let value = match &series.point {
                Point::U64(value) => value.to_string(),
                Point::I64(value) => value.to_string(),
                Point::F64(value) => format!("{value:?}"),
                Point::Histogram(buckets) => {
                    format!("{:?} {} {:?} {:?}", buckets.bounds, buckets.count(), buckets.counts, buckets.sum)
                }
                other => panic!("{other:?}"),
            };
            points.insert(key, format!("{} {value}", family.definition.kind()));
        }
    }
    points
}

fn theirs() -> Points {
    let exporter = InMemoryMetricExporter::default();
    let provider =
        SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    let subscriber = tracing_subscriber::registry().with(MetricsLayer::new(provider.clone()));
    tracing::subscriber::with_default(subscriber, program);
    provider.force_flush().unwrap();
    let mut points = Points::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            match metric.data() {
                AggregatedMetrics::F64(data) => put(&mut points, metric, data, |value| format!("{value:?}")),
                AggregatedMetrics::U64(data) => put(&mut points, metric, data, u64::to_string),
                AggregatedMetrics::I64(data) => put(&mut points, metric, data, i64::to_string),
            }
        }
    }
    provider.shutdown().unwrap();
    points
}

fn put<T: Copy + Into<Number>>(
    points: &mut Points,
    metric: &Metric,
    data: &MetricData<T>,
    text: impl Fn(&T) -> String,
) {
    let key = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
        let mut labels: Vec<String> =
            attributes.map(|label| format!("{}={}", label.key, label.value)).collect();
        labels.sort();
        format!("{} {labels:?}", metric.name())
    };
    match data {
        MetricData::Sum(sum) => {
            let kind = if sum.is_monotonic() { "counter" } else { "up-down counter" };
            for point in sum.data_points() {
                points.insert(key(&mut point.attributes()), format!("{kind} {}", text(&point.value())));
            }
        }
        MetricData::Gauge(gauge) => {
            for point in gauge.data_points() {
                points.insert(key(&mut point.attributes()), format!("gauge {}", text(&point.value())));
            }
        }
        MetricData::Histogram(histogram) => {
            for point in histogram.data_points() {
                let bounds: Vec<f64> = point.bounds().collect();
                let counts: Vec<u64> = point.bucket_counts().collect();
                let Number(sum) = point.sum().into();
                let value = format!("{bounds:?} {} {counts:?} {sum:?}", point.count());
                points.insert(key(&mut point.attributes()), format!("histogram {value}"));
            }
        }
        MetricData::ExponentialHistogram(_) => panic!("{metric:?}"),
    }
}

struct Number(f64);

impl From<f64> for Number {
    fn from(value: f64) -> Number {
        Number(value)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Number {
        Number(value as f64)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number(value as f64)
    }
}

#[test]
fn the_same_events_give_the_same_points() {
    let (ours, theirs) = (ours(), theirs());
    assert!(ours.len() > 15, "{ours:#?}");
    assert_eq!(ours, theirs);
}
