//! Registries of the prometheus-client crate, on our pages and in our pushes.

#![cfg(feature = "prometheus-client")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use metercast::{Format, Log, OtlpMessage, PageFormat, PrometheusPage, Store};
use metercast_prometheus::{client_collector, registry};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::{CounterWithExemplar, HistogramWithExemplars};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::metrics::{MetricType, gauge::ConstGauge};
use prometheus_client::registry::{Registry, Unit};
use prost::Message;

type Labels = Vec<(&'static str, &'static str)>;

fn theirs(registry: &Registry) -> String {
    let mut page = String::new();
    text::encode(&mut page, registry).unwrap();
    page
}

fn ours(store: &Store) -> String {
    let format = PageFormat { format: Format::OpenMetrics1, ..PageFormat::default() };
    PrometheusPage::new("own", Log::default()).render_as(store, format)
}

/// Samples with their labels in order and their numbers as numbers, and what stands above them.
fn sorted(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = page
        .lines()
        .map(|line| {
            if line.starts_with('#') {
                // The library ends each text with a full stop of its own.
                return line.trim_end_matches('.').to_owned();
            }
            let (sample, exemplar) = line.split_once(" # ").unwrap_or((line, ""));
            let (series, value) = sample.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.trim_end_matches('}').split("\",").map(|label| label.trim_end_matches('"'));
            let mut labels: Vec<String> =
                labels.filter(|label| !label.ends_with('=')).map(in_numbers).collect();
            labels.sort_unstable();
            let (of, numbers) = exemplar.split_once("} ").unwrap_or_default();
            let numbers = numbers.split(' ').map(|number| number.parse::<f64>().ok()).collect::<Vec<_>>();
            format!("{name} {labels:?} {:?} {of} {numbers:?}", value.parse::<f64>().unwrap())
        })
        .collect();
    lines.sort();
    lines
}

/// A bound as a number, since the two spell them differently.
fn in_numbers(label: &str) -> String {
    match label.strip_prefix("le=\"").and_then(|bound| bound.parse::<f64>().ok()) {
        Some(bound) => format!("le={bound:?}"),
        None => label.to_owned(),
    }
}

fn problems(store: &Store) -> Vec<String> {
    store.problems().iter().map(ToString::to_string).collect()
}

/// A bit of everything that the crate has.
fn filled() -> Registry {
    let mut registry =
        Registry::with_prefix_and_labels("shop", [("zone".into(), "eu \"1\"\\\n".into())].into_iter());
    let orders = Family::<Labels, Counter>::default();
    orders.get_or_create(&vec![("side", "buy")]).inc_by(3);
    orders.get_or_create(&vec![("side", "é,x=\"")]).inc_by(u64::MAX);
    registry.register("orders", "Orders placed", orders);
    let busy = Counter::<f64, AtomicU64>::default();
    busy.inc_by(0.1 + 0.2);
    registry.register_with_unit("busy", "Time at work", Unit::Seconds, busy);
    let level: Gauge = Gauge::default();
    level.set(-7);
    registry.register("level", "Level", level);
    let heat = Family::<Labels, Gauge<f64, AtomicU64>>::default();
    for (of, value) in
        [("nan", f64::NAN), ("inf", f64::INFINITY), ("ninf", f64::NEG_INFINITY), ("max", f64::MAX)]
    {
        heat.get_or_create(&vec![("of", of)]).set(value);
    }
    registry.register_with_unit("heat", "Heat", Unit::Celsius, heat);
    let wait = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new([0.005, 0.1, 1.0, 1e6]));
    for value in [0.001, 0.1, 0.11, 7.0, 2e6] {
        wait.get_or_create(&vec![("queue", "main")]).observe(value);
    }
    let _ = wait.get_or_create(&vec![("queue", "empty")]);
    registry.register_with_unit("wait", "Time to wait", Unit::Seconds, wait);
    registry.register("build", "The build", Info::new(vec![("version", "1.2.3")]));
    let sub = registry.sub_registry_with_prefix("sub");
    let sampled = CounterWithExemplar::<Labels>::default();
    let time = UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
    sampled.inc_by(
        2,
        Some(vec![("trace_id", "0af7651916cd43dd8448eb211c80319c"), ("span_id", "b7ad6b7169203331")]),
        Some(time),
    );
    sub.register("sampled", "With an exemplar", sampled);
    let times = HistogramWithExemplars::<Labels>::new([1.0, 2.0].into_iter());
    times.observe(0.5, Some(vec![("user", "a")]), Some(time));
    times.observe(1.5, Some(vec![]), Some(time));
    times.observe(9.0, None, None);
    sub.register("times", "With exemplars", times);
    registry
}

#[test]
fn our_page_has_the_lines_of_their_encoder() {
    let (store, registry) = (Store::new(), Arc::new(filled()));
    let _handle = store.scope(|| metercast_prometheus::registry(&registry));
    let page = ours(&store);
    assert_eq!(sorted(&page), sorted(&theirs(&registry)));
    assert_eq!(ours(&store), page, "the same bytes again");
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn totals_are_pushed_with_units_and_exemplars() {
    let store = Store::new();
    let _handle = store.scope(|| registry(&Arc::new(filled())));
    let (mut message, mut body) = (OtlpMessage::new(&[]), Vec::new());
    message.encode(&store, &mut body);
    let request = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let told: Vec<String> = metrics.iter().map(|metric| format!("{} {}", metric.name, metric.unit)).collect();
    assert_eq!(
        told,
        [
            "shop_build_info ",
            "shop_busy_seconds_total s",
            "shop_heat_celsius Cel",
            "shop_level ",
            "shop_orders_total ",
            "shop_sub_sampled_total ",
            "shop_sub_times ",
            "shop_wait_seconds s",
        ]
    );
    let types: Vec<String> = metrics.iter().map(|metric| format!("{:?}", metric.metadata[0].value)).collect();
    for (at, of) in
        ["info", "counter", "gauge", "gauge", "counter", "counter", "histogram"].iter().enumerate()
    {
        assert!(metrics[at].metadata[0].key == "prometheus.type" && types[at].contains(of), "{types:?}");
    }
    let Some(Data::Sum(info)) = &metrics[0].data else { panic!("{:?}", metrics[0]) };
    assert!(!info.is_monotonic, "the specification, \"Info\"");
    let Some(Data::Sum(sampled)) = &metrics[5].data else { panic!("{:?}", metrics[5]) };
    let exemplar = &sampled.data_points[0].exemplars[0];
    assert_eq!((exemplar.trace_id.len(), exemplar.span_id.len()), (16, 8));
    assert_eq!(exemplar.time_unix_nano, 1_700_000_000_500_000_000);
    let Some(Data::Histogram(times)) = &metrics[6].data else { panic!("{:?}", metrics[6]) };
    assert_eq!(times.data_points[0].exemplars[0].filtered_attributes[0].key, "user");
}

#[test]
fn a_registry_is_read_wherever_it_is_kept() {
    let hits: Counter = Counter::default();
    hits.inc();
    let made = || {
        let mut registry = Registry::default();
        registry.register("hits", "Hits", hits.clone());
        registry
    };
    let leaked: &'static Registry = Box::leak(Box::new(made()));
    let read = |read: &dyn Fn() -> metercast::Observation| {
        let store = Store::new();
        let _handle = store.scope(read);
        assert!(ours(&store).lines().any(|line| line == "hits_total 1"), "{}", ours(&store));
    };
    read(&|| registry(&Arc::new(made())));
    read(&|| registry(&Arc::new(Mutex::new(made()))));
    read(&|| registry(&Arc::new(RwLock::new(made()))));
    read(&|| registry(&leaked));
}

#[derive(Debug)]
struct Level(AtomicU64);

impl Collector for Level {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let level = ConstGauge::new(self.0.fetch_add(1, Relaxed) as i64);
        let metric = encoder.encode_descriptor("level", "Level", None, level.metric_type())?;
        level.encode(metric)
    }
}

#[test]
fn a_collector_without_a_registry_is_asked_each_time() {
    let store = Store::new();
    let _handle = store.scope(|| client_collector(Level(AtomicU64::new(5))));
    for value in 5..8 {
        assert!(ours(&store).lines().any(|line| line == format!("level {value}")));
    }
}

#[test]
fn a_name_that_has_its_suffix_already_does_not_get_it_twice() {
    let (store, mut made) = (Store::new(), Registry::default());
    let requests: Counter = Counter::default();
    requests.inc_by(4);
    made.register("http_requests_total", "Requests", requests);
    assert!(theirs(&made).contains("http_requests_total_total 4"));
    let _handle = store.scope(|| registry(&Arc::new(made)));
    assert!(ours(&store).lines().any(|line| line == "http_requests_total 4"));
}

/// Says that it is a counter, and writes a gauge.
#[derive(Debug)]
struct Lies;

impl EncodeMetric for Lies {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.encode_gauge(&5i64)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

/// Cannot be written.
#[derive(Debug)]
struct Fails;

impl EncodeMetric for Fails {
    fn encode(&self, _: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[test]
fn what_the_library_writes_wrongly_is_left_out_and_the_rest_is_read() {
    let (store, mut made) = (Store::new(), Registry::default());
    let total: Counter = Counter::default();
    total.inc_by(2);
    let twice: Gauge = Gauge::default();
    made.register("fine", "Fine", total.clone());
    // The library takes a name twice, names with spaces, and texts of several lines.
    made.register("twice", "First", twice.clone());
    made.register("twice", "Second", twice.clone());
    made.register("kinds", "One", total.clone());
    made.register("kinds", "Other", Histogram::new([1.0]));
    made.register("bad name!", "Bad", twice);
    made.register("lines", "One\nother_lines 5\nthird line of it", total.clone());
    made.register("lies", "Lies", Lies);
    let labels = Family::<Vec<(&str, &str)>, Counter>::default();
    labels.get_or_create(&vec![("bad key", "1"), ("a", "2"), ("a", "3")]).inc();
    made.register("labels", "Odd labels", labels);
    made.register("fails", "Cannot be written", Fails);
    made.register("behind", "Never reached", total);
    let _handle = store.scope(|| registry(&Arc::new(made)));
    let page = ours(&store);
    let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
    let expected =
        ["fine_total 2", "kinds_total 2", r#"labels_total{bad_key="1",a="3"} 1"#, "lines_total 2", "twice 0"];
    let has = |line: &str| samples.contains(&line);
    assert!(expected.iter().all(|line| has(line)), "{page}");
    assert!(!samples.iter().any(|line| line.contains("behind") || line.starts_with("lies")), "{page}");
    let said = problems(&store);
    for part in [
        "\"twice\" is said twice by producers",
        "\"lines\" of the producer at",
        "has a line that is no sample",
        "has a sample of another name",
        "is given the label \"a\" twice",
        "\"fails\" of the producer at",
        "cannot be written as text",
        "\"bad\" of the producer at",
    ] {
        assert!(said.iter().any(|problem| problem.contains(part)), "{part}: {said:#?}");
    }
    assert_eq!((ours(&store), problems(&store)), (page, said));
}
