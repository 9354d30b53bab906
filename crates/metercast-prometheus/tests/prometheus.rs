//! Collectors of the prometheus crate, on our pages and in our pushes.

#![cfg(feature = "prometheus")]

use std::collections::HashMap;
use std::sync::{LazyLock, mpsc};

use metercast::testing::isolated;
use metercast::view::{Filter, Projection, View};
use metercast::{
    Config, Format, InMemoryReader, Log, OtlpMessage, OtlpOptions, PageFormat, PrometheusPage, Store,
    Telemetry, assert_counter,
    config::{self, TemporalityPreference},
    u64_counter,
};
use metercast_prometheus::{collector, registry};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value as NumberValue};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, MetricFamily, MetricType};
use prometheus::{
    CounterVec, Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, Opts, Registry, TextEncoder,
};
use prost::Message;

/// Their page.
fn theirs(registry: &Registry) -> String {
    let mut page = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn ours(store: &Store) -> String {
    PrometheusPage::new("own", Log::default()).render(store)
}

fn in_format(store: &Store, format: Format) -> String {
    let format = PageFormat { format, ..PageFormat::default() };
    PrometheusPage::new("own", Log::default()).render_as(store, format)
}

/// Samples with their labels in order and their values as numbers, and what stands above them.
fn sorted(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = page
        .lines()
        .map(|line| {
            if line.starts_with('#') {
                return line.to_owned();
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.trim_end_matches('}').split("\",").map(|label| label.trim_end_matches('"'));
            // Prometheus does not tell a label without a value from none.
            let mut labels: Vec<&str> = labels.filter(|label| !label.ends_with('=')).collect();
            labels.sort_unstable();
            format!("{name} {labels:?} {:?}", value.parse::<f64>().unwrap())
        })
        .collect();
    lines.sort();
    lines
}

fn problems(store: &Store) -> Vec<String> {
    store.problems().iter().map(ToString::to_string).collect()
}

/// A bit of everything that the crate has.
fn filled() -> Registry {
    let labels = HashMap::from([("zone".to_owned(), "eu \"1\"\\\n".to_owned())]);
    let registry = Registry::new_custom(Some("shop".to_owned()), Some(labels)).unwrap();
    let total =
        IntCounterVec::new(Opts::new("orders_total", "Orders\nplaced \\ by side."), &["side"]).unwrap();
    total.with_label_values(&["buy"]).inc_by(3);
    total.with_label_values(&["é"]).inc_by(1 << 52);
    let busy = CounterVec::new(Opts::new("busy_seconds", "No suffix."), &["a__b", "B"]).unwrap();
    busy.with_label_values(&["1", ""]).inc_by(0.1 + 0.2);
    let odd = GaugeVec::new(Opts::new("odd__name:of", "Odd."), &["of"]).unwrap();
    for (of, value) in [
        ("nan", f64::NAN),
        ("inf", f64::INFINITY),
        ("ninf", f64::NEG_INFINITY),
        ("least", 5e-324),
        ("max", f64::MAX),
    ] {
        odd.with_label_values(&[of]).set(value);
    }
    let level = IntGauge::new("level", "Level.").unwrap();
    level.set(-7);
    let wait = HistogramVec::new(
        HistogramOpts::new("wait_seconds", "Time to wait.").buckets(vec![0.005, 0.1, 1.0, 1e6]),
        &["queue"],
    )
    .unwrap();
    for value in [0.001, 0.1, 0.11, 7.0, 2e6] {
        wait.with_label_values(&["main"]).observe(value);
    }
    wait.with_label_values(&["empty"]);
    let usual = Histogram::with_opts(HistogramOpts::new("usual", "With the usual buckets.")).unwrap();
    usual.observe(-3.0);
    for collector in [
        Box::new(total) as Box<dyn Collector>,
        Box::new(busy),
        Box::new(odd),
        Box::new(level),
        Box::new(wait),
        Box::new(usual),
    ] {
        registry.register(collector).unwrap();
    }
    registry
}

#[test]
fn our_page_has_the_lines_of_their_encoder() {
    let (store, registry) = (Store::new(), filled());
    let _handle = store.scope(|| metercast_prometheus::registry(&registry));
    let page = ours(&store);
    assert_eq!(sorted(&page), sorted(&theirs(&registry)));
    assert_eq!(ours(&store), page, "the same bytes again");
    assert_eq!(problems(&store), [""; 0]);
    // What OpenMetrics does not allow for counters is not said.
    let open = in_format(&store, Format::OpenMetrics1);
    for line in
        ["# TYPE shop_orders counter", "# TYPE shop_busy_seconds unknown", "# TYPE shop_odd__name:of gauge"]
    {
        assert!(open.lines().any(|there| there == line), "{line}\n{open}");
    }
    assert!(open.contains("shop_orders_total{side=\"buy\","), "{open}");
}

#[test]
fn collectors_without_a_registry_and_those_of_the_process_are_read_too() {
    let store = Store::new();
    let process = prometheus::process_collector::ProcessCollector::for_self();
    let hits = IntCounter::new("hits_total", "Hits.").unwrap();
    let handles = store.scope(|| [collector(process), collector(hits.clone())]);
    hits.inc();
    let page = ours(&store);
    let registry = Registry::new();
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self())).unwrap();
    registry.register(Box::new(hits)).unwrap();
    // Processor time and memory go on while the test runs.
    let without_values = |page: String| {
        let lines = page.lines().map(|line| match line.split_once(' ') {
            Some((name, _)) if name != "#" => name.to_owned(),
            _ => line.to_owned(),
        });
        lines.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(without_values(page), without_values(theirs(&registry)));
    drop(handles);
    assert_eq!(ours(&store), "");
}

#[test]
fn the_registry_that_is_always_there_is_a_registry_like_others() {
    let store = Store::new();
    let _handle = store.scope(|| registry(&prometheus::default_registry()));
    let added = IntCounter::new("added_later_total", "Later.").unwrap();
    prometheus::register(Box::new(added.clone())).unwrap();
    added.inc_by(2);
    assert!(ours(&store).lines().any(|line| line == "added_later_total 2"));
}

#[test]
fn views_filters_and_asserts_see_them_as_they_see_ours() {
    isolated(|store| {
        let registry = filled();
        let _handle = metercast_prometheus::registry(&registry);
        u64_counter!("orders.own", "Ours", 1);
        assert_counter!("shop_orders_total", 3, "side" => "buy", "zone" => "eu \"1\"\\\n");
        let page =
            |projection| PrometheusPage::new("own", Log::default()).projection(projection).render(store);
        let lines = |page: String| {
            page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
        };
        let only = page(Projection::new().filter(Filter::new().include("shop_level")));
        assert_eq!(lines(only), [r#"shop_level{zone="eu \"1\"\\\n"} -7"#]);
        // A metric that gets another name is named as ours are.
        let view = View::of("shop_orders_total").rename("orders.theirs").keep_labels(["zone"]);
        let renamed = page(Projection::new().filter(Filter::new().include("shop_orders*")).view(view));
        assert_eq!(lines(renamed), [r#"orders_theirs_total{zone="eu \"1\"\\\n"} 4503599627370499"#]);
        // Some of its own bounds; others cannot be had.
        let view = |bound: f64| View::of("shop_wait_seconds").buckets([bound]).drop_labels(["zone"]);
        let of = |bound| {
            let all =
                page(Projection::new().filter(Filter::new().include("shop_wait_seconds")).view(view(bound)));
            lines(all)
                .into_iter()
                .filter(|line| line.contains("main") && line.contains("_bucket"))
                .collect::<Vec<_>>()
        };
        let bucket =
            |le: &str, count| format!("shop_wait_seconds_bucket{{queue=\"main\",le=\"{le}\"}} {count}");
        assert_eq!(of(0.1), [bucket("0.1", 2), bucket("+Inf", 5)]);
        assert_eq!(of(0.2).len(), 5);
        // In another unit the name says which.
        let view = View::of("shop_level").unit("Cel");
        let warm = page(Projection::new().filter(Filter::new().include("shop_level")).view(view));
        assert!(lines(warm)[0].starts_with("shop_level_celsius{"));
        let reader = InMemoryReader::new(store.clone());
        let snapshot = reader.collect();
        assert_eq!(snapshot.family("shop_usual").unwrap().definition.scope().name, "metercast-prometheus");
    });
}

/// What a receiver has that adds deltas up: by metric and labels, counts or the counts of buckets.
#[derive(Default)]
struct Receiver {
    sums: HashMap<String, f64>,
    counts: HashMap<String, Vec<u64>>,
    cumulative: usize,
}

impl Receiver {
    fn flush(&mut self, message: &mut OtlpMessage, store: &Store) {
        for request in message.requests(store, usize::MAX) {
            self.receive(request.body());
            message.delivered(request);
        }
    }

    fn receive(&mut self, body: &[u8]) {
        let request = ExportMetricsServiceRequest::decode(body).unwrap();
        let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        for metric in scopes.flat_map(|scope| scope.metrics) {
            let key = |attributes: &[_]| format!("{} {attributes:?}", metric.name);
            match metric.data.clone().unwrap() {
                Data::Sum(sum) => {
                    self.cumulative += usize::from(sum.aggregation_temporality != 1);
                    for point in sum.data_points {
                        assert!(point.start_time_unix_nano < point.time_unix_nano);
                        let value = match point.value.unwrap() {
                            NumberValue::AsDouble(value) => value,
                            NumberValue::AsInt(value) => value as f64,
                        };
                        *self.sums.entry(key(&point.attributes)).or_default() += value;
                    }
                }
                Data::Histogram(histogram) => {
                    self.cumulative += usize::from(histogram.aggregation_temporality != 1);
                    for point in histogram.data_points {
                        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                        *self.sums.entry(key(&point.attributes)).or_default() += point.sum.unwrap();
                        let counts = self.counts.entry(key(&point.attributes)).or_default();
                        counts.resize(point.bucket_counts.len(), 0);
                        counts.iter_mut().zip(point.bucket_counts).for_each(|(to, count)| *to += count);
                    }
                }
                Data::Gauge(_) | Data::Summary(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn of(&self, name: &str, label: &str) -> (f64, Vec<u64>) {
        let is_it = |key: &&String| key.starts_with(&format!("{name} ")) && key.contains(label);
        let sum = self.sums.iter().find(|(key, _)| is_it(key)).map_or(0.0, |(_, sum)| *sum);
        (
            sum,
            self.counts
                .iter()
                .find(|(key, _)| is_it(key))
                .map(|(_, counts)| counts.clone())
                .unwrap_or_default(),
        )
    }
}

fn delta() -> OtlpMessage {
    let mut options = OtlpOptions::default();
    options.temporality = TemporalityPreference::Delta;
    OtlpMessage::with_options(&[], options)
}

#[test]
fn deltas_add_up_to_what_was_counted_whatever_comes_goes_and_begins_anew() {
    let (store, registry) = (Store::new(), Registry::new());
    let total = IntCounterVec::new(Opts::new("jobs_total", "Jobs."), &["kind"]).unwrap();
    let times =
        HistogramVec::new(HistogramOpts::new("times", "Times.").buckets(vec![1.0, 2.0]), &["kind"]).unwrap();
    registry.register(Box::new(total.clone())).unwrap();
    registry.register(Box::new(times.clone())).unwrap();
    let _handle = store.scope(|| metercast_prometheus::registry(&registry));
    let (mut message, mut receiver) = (delta(), Receiver::default());
    let mut other = delta();
    let (mut jobs, mut counts, mut sum) = (0.0, [0, 0, 0], 0.0);
    for round in 0..40u64 {
        if round % 7 == 6 {
            // Who counts begins anew.
            total.reset();
            times.remove_label_values(&["a"]).unwrap();
        }
        total.with_label_values(&["a"]).inc_by(round % 5);
        jobs += (round % 5) as f64;
        for value in [0.5, 1.5, 9.0].iter().take(round as usize % 4) {
            times.with_label_values(&["a"]).observe(*value);
            counts[if *value > 2.0 { 2 } else { *value as usize }] += 1;
            sum += value;
        }
        match round % 3 {
            // What is refused comes with the next; another reader does not disturb.
            0 => drop(message.requests(&store, usize::MAX)),
            1 => drop(other.requests(&store, usize::MAX)),
            _ => {}
        }
        // Each time before a start, so that no count is lost to it.
        receiver.flush(&mut message, &store);
        assert_eq!(receiver.of("jobs_total", "\"a\"").0, jobs, "in round {round}");
        let (was, buckets) = receiver.of("times", "\"a\"");
        assert_eq!((was, &buckets[..]), (sum, if sum > 0.0 { &counts[..] } else { &[] }), "in round {round}");
    }
    assert_eq!(receiver.cumulative, 0);
}

#[test]
fn totals_are_pushed_under_the_names_that_they_have() {
    let (store, registry) = (Store::new(), filled());
    let _handle = store.scope(|| metercast_prometheus::registry(&registry));
    let (mut message, mut body) = (OtlpMessage::new(&[]), Vec::new());
    message.encode(&store, &mut body);
    let request = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let scope = &request.resource_metrics[0].scope_metrics[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "metercast-prometheus");
    let names: Vec<&str> = scope.metrics.iter().map(|metric| &*metric.name).collect();
    assert_eq!(
        names,
        [
            "shop_busy_seconds",
            "shop_level",
            "shop_odd__name:of",
            "shop_orders_total",
            "shop_usual",
            "shop_wait_seconds"
        ]
    );
    let Some(Data::Sum(sum)) = &scope.metrics[3].data else { panic!("{:?}", scope.metrics[3]) };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    assert_eq!(sum.data_points[0].value, Some(NumberValue::AsDouble(3.0)));
}

#[test]
fn a_name_that_the_program_has_itself_stays_its_own_on_every_page() {
    for first in ["theirs", "ours"] {
        let store = Store::new();
        let registry = Registry::new();
        let theirs = IntCounter::new("http_requests_total", "Theirs.").unwrap();
        let gauge = Gauge::new("wait_sum", "Theirs.").unwrap();
        theirs.inc_by(5);
        registry.register(Box::new(theirs)).unwrap();
        registry.register(Box::new(gauge)).unwrap();
        let (log, said) = captured();
        let page = PrometheusPage::new("own", log);
        let handle = || store.scope(|| metercast_prometheus::registry(&registry));
        // Spelled in another way, and only with a suffix the same.
        let record = || {
            store.scope(|| {
                u64_counter!("http.requests", "Ours", 1);
                metercast::f64_histogram!("wait", "Ours", 0.5);
            });
        };
        let _handle = if first == "theirs" {
            let handle = handle();
            assert!(page.render(&store).contains("http_requests_total 5"));
            record();
            handle
        } else {
            record();
            handle()
        };
        for _ in 0..2 {
            let text = page.render(&store);
            assert!(
                text.contains("\nhttp_requests_total 1\n") && !text.contains("Theirs"),
                "{first}: {text}"
            );
            assert_eq!(text.matches("\nwait_sum").count(), 1, "{text}");
            let open =
                page.render_as(&store, PageFormat { format: Format::OpenMetrics1, ..PageFormat::default() });
            assert_eq!(open.matches("\nwait_sum").count(), 1, "{open}");
            assert_eq!(open.matches("http_requests_total").count(), 1, "{open}");
        }
        let said = said.lock().unwrap().join("\n");
        assert_eq!(said.matches("\"http_requests_total\" (").count(), 1, "{said}");
        assert!(said.contains("prometheus.rs:") && said.contains("left out"), "{said}");
    }
}

fn captured() -> (Log, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let to = std::sync::Arc::clone(&said);
    (Log::to(move |_, line| to.lock().unwrap().push(line.to_owned())), said)
}

/// A collector that says whatever it is given.
struct Odd(Vec<MetricFamily>);

impl Collector for Odd {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.clone()
    }
}

fn metric_family(name: &str, of: MetricType, metrics: Vec<proto::Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_field_type(of);
    family.set_metric(metrics);
    family
}

#[test]
fn families_that_contradict_themselves_are_left_out_and_the_rest_is_read() {
    let store = Store::new();
    let bucket = |bound, up_to| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(up_to);
        bucket
    };
    let histogram = |buckets, count| {
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(count);
        let mut metric = proto::Metric::default();
        metric.set_histogram(histogram);
        metric
    };
    let gauge = |value| {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value);
        proto::Metric::from_gauge(gauge)
    };
    let summary = {
        let quantile = |at, value| {
            let mut quantile = proto::Quantile::default();
            quantile.set_quantile(at);
            quantile.set_value(value);
            quantile
        };
        let mut summary = proto::Summary::default();
        summary.set_sample_count(3);
        summary.set_sample_sum(4.5);
        summary.set_quantile(vec![quantile(0.5, 1.0), quantile(0.9, f64::NAN)]);
        let mut metric = proto::Metric::default();
        metric.set_summary(summary);
        metric
    };
    let families = vec![
        metric_family(
            "down",
            MetricType::HISTOGRAM,
            vec![histogram(vec![bucket(1.0, 5), bucket(2.0, 4)], 9)],
        ),
        metric_family("fewer", MetricType::HISTOGRAM, vec![histogram(vec![bucket(1.0, 5)], 4)]),
        metric_family(
            "unsorted",
            MetricType::HISTOGRAM,
            vec![histogram(vec![bucket(2.0, 1), bucket(1.0, 2)], 2)],
        ),
        metric_family("twice", MetricType::GAUGE, vec![gauge(1.0), gauge(2.0)]),
        metric_family("two_kinds", MetricType::GAUGE, vec![gauge(1.0)]),
        metric_family("two_kinds", MetricType::COUNTER, vec![gauge(2.0)]),
        metric_family("untyped", MetricType::UNTYPED, vec![gauge(2.0)]),
        metric_family("", MetricType::GAUGE, vec![gauge(2.0)]),
        metric_family("bad name!", MetricType::GAUGE, vec![gauge(6.0)]),
        metric_family("sizes", MetricType::SUMMARY, vec![summary]),
    ];
    let _handle = store.scope(|| collector(Odd(families)));
    let page = ours(&store);
    let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            "bad_name_ 6",
            r#"sizes{quantile="0.5"} 1"#,
            r#"sizes{quantile="0.9"} NaN"#,
            "sizes_sum 4.5",
            "sizes_count 3",
            "twice 1",
            "two_kinds 1",
        ]
    );
    let said = problems(&store);
    for part in [
        "\"down\" of the producer at",
        "\"fewer\"",
        "buckets that count down",
        "the bounds 2 and 1, which do not increase",
        "\"twice\" is said twice",
        "\"two_kinds\" is a gauge",
        "\"untyped\"",
        "has no name",
    ] {
        assert!(said.iter().any(|problem| problem.contains(part)), "{part}: {said:#?}");
    }
    assert_eq!((ours(&store), problems(&store)), (page, said));
}

#[test]
fn one_that_panics_is_left_out_and_one_that_hangs_is_served_as_it_was() {
    struct Panics;
    impl Collector for Panics {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }
        fn collect(&self) -> Vec<MetricFamily> {
            panic!("no disk")
        }
    }
    /// The second time it says that it is in, and waits.
    struct Hangs(IntCounter, mpsc::SyncSender<()>, std::sync::Mutex<mpsc::Receiver<()>>);
    impl Collector for Hangs {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }
        fn collect(&self) -> Vec<MetricFamily> {
            self.0.inc();
            if self.0.get() == 2 {
                self.1.send(()).unwrap();
                let _ = self.2.lock().unwrap().recv();
            }
            self.0.collect()
        }
    }
    let store = Store::new();
    let config =
        Config::builder().environment(false).exporter("own", config::Prometheus::listen("127.0.0.1:0"));
    let telemetry = Telemetry::builder(config.build().unwrap()).store(store.clone()).log(Log::to(|_, _| {}));
    let _telemetry = telemetry.start().unwrap();
    let ((gate, wait), (entered, is_in)) = (mpsc::channel(), mpsc::sync_channel(1));
    let calls = IntCounter::new("calls_total", "Calls.").unwrap();
    let fine = IntCounter::new("fine_total", "Fine.").unwrap();
    let hangs = Hangs(calls, entered, std::sync::Mutex::new(wait));
    let _handles = store.scope(|| [collector(Panics), collector(hangs), collector(fine.clone())]);
    // A machine that is busy may take longer than there is time for a reading.
    let until = |line: &str| while !ours(&store).lines().any(|there| there == line) {};
    while is_in.try_recv().is_err() {
        ours(&store);
    }
    assert!(ours(&store).lines().any(|line| line == "calls_total 1"), "what it said last is served");
    for total in 1..4 {
        fine.inc();
        until(&format!("fine_total {total}"));
    }
    let late = ours(&store);
    let late = late.lines().find(|line| line.starts_with("metercast_observables_late_total"));
    assert!(late.unwrap().contains(r#"metric="a collector of prometheus""#), "{late:?}");
    assert!(
        problems(&store).iter().any(|problem| problem.contains("panicked: no disk")),
        "{:?}",
        problems(&store)
    );
    drop(gate);
}

#[test]
fn a_hundred_thousand_series_are_bounded_and_harmless() {
    let (store, registry) = (Store::new(), Registry::new());
    let many = IntCounterVec::new(Opts::new("many_total", "Many."), &["id"]).unwrap();
    for at in 0..100_000 {
        many.with_label_values(&[&at.to_string()]).inc();
    }
    registry.register(Box::new(many)).unwrap();
    let _handle = store.scope(|| metercast_prometheus::registry(&registry));
    let page = ours(&store);
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("many_total")).collect();
    assert_eq!(lines.len(), 10_001);
    assert!(lines.contains(&r#"many_total{otel_metric_overflow="true"} 90000"#));
    assert!(problems(&store)[0].contains("its limit of 10000 series"));
    let (mut message, mut receiver) = (delta(), Receiver::default());
    receiver.flush(&mut message, &store);
    receiver.flush(&mut message, &store);
    assert_eq!(receiver.sums.values().sum::<f64>(), 100_000.0 + 1.0);
}

#[test]
fn a_registry_in_a_static_is_passed_as_it_is() {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let registry = Registry::new();
        registry.register(Box::new(IntCounter::new("lazy_total", "Lazy.").unwrap())).unwrap();
        registry
    });
    let store = Store::new();
    store.scope(|| registry(&REGISTRY).forever());
    assert_eq!(ours(&store).lines().last(), Some("lazy_total 0"));
}
