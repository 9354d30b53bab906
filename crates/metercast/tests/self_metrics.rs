//! Every exporter says how it is: how much it handed over, how long that took, when it last worked.

mod support;

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metercast::config::{ConfigBuilder, Otlp, Prometheus, Stdout};
use metercast::view::{Projection, View};
use metercast::{Config, Store, Telemetry, u64_counter};
use support::{NOBODY, Receiver, scrape, value};

/// A writer that takes everything.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A page, a push and a print, over a store with one counter.
fn three(endpoint: &str) -> ConfigBuilder {
    Config::builder()
        .environment(false)
        .exporter("page", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", Otlp::to(endpoint))
        .exporter("print", Stdout::default().writer(Nowhere))
}

fn start(builder: ConfigBuilder) -> Telemetry {
    let store = Store::new();
    store.scope(|| u64_counter!("orders", "", 1));
    let config = builder.build().unwrap();
    Telemetry::builder(config).store(store).log(support::log().0).start().unwrap()
}

fn labels(name: &str, component: &str) -> String {
    format!("{{otel_component_name=\"{name}\",otel_component_type=\"{component}\"}}")
}

const PUSHES: [(&str, &str); 2] =
    [("push", "otlp_http_metric_exporter"), ("print", "stdout_metric_exporter")];
const PAGE: (&str, &str) = ("page", "prometheus_http_text_metric_exporter");

#[test]
fn an_operator_sees_the_health_of_each_exporter_on_the_page() {
    let receiver = Receiver::start();
    let telemetry = start(three(&receiver.endpoint));
    let minute = Duration::from_secs(60);
    // The second reading of each is measured, and seen by whoever reads after it.
    telemetry.flush(minute).unwrap();
    telemetry.flush(minute).unwrap();
    let address = telemetry.scrape_address().unwrap();
    scrape(address);
    let page = scrape(address);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    for (name, component) in PUSHES {
        let of = |metric: &str| value(&page, &format!("{metric}{}", labels(name, component)));
        assert!(of("otel_sdk_exporter_metric_data_point_exported_total").unwrap() >= 2.0, "{page}");
        assert_eq!(of("otel_sdk_exporter_metric_data_point_inflight"), Some(0.0));
        assert_eq!(of("otel_sdk_exporter_operation_duration_seconds_count"), Some(2.0));
        assert_eq!(of("metercast_exporter_failures_total"), Some(0.0));
    }
    for (name, component) in PUSHES.into_iter().chain([PAGE]) {
        let of = |metric: &str| value(&page, &format!("{metric}{}", labels(name, component)));
        assert!(of("otel_sdk_metric_reader_collection_duration_seconds_count").unwrap() >= 1.0, "{page}");
        let last = of("metercast_exporter_last_success_seconds").unwrap();
        assert!((now - last).abs() < 600.0, "{last}");
    }
    telemetry.shutdown().unwrap();
}

#[test]
fn an_exporter_that_fails_is_seen_and_has_no_last_success() {
    let telemetry = start(three(&format!("http://{NOBODY}")));
    assert!(telemetry.flush(Duration::from_secs(1)).is_err());
    let page = scrape(telemetry.scrape_address().unwrap());
    let (name, component) = PUSHES[0];
    let of = |metric: &str| value(&page, &format!("{metric}{}", labels(name, component)));
    assert!(of("metercast_exporter_failures_total").unwrap() >= 1.0, "{page}");
    assert_eq!(of("metercast_exporter_last_success_seconds"), None);
    let (name, component) = PUSHES[1];
    let other = value(&page, &format!("metercast_exporter_failures_total{}", labels(name, component)));
    assert_eq!(other, Some(0.0));
    let _ = telemetry.shutdown_within(Duration::from_millis(100));
}

#[test]
fn a_page_counts_its_points_at_each_scrape() {
    let telemetry =
        start(Config::builder().environment(false).exporter("page", Prometheus::listen("127.0.0.1:0")));
    let address = telemetry.scrape_address().unwrap();
    let metric = format!("otel_sdk_exporter_metric_data_point_exported_total{}", labels(PAGE.0, PAGE.1));
    let mut so_far = 0;
    for _ in 0..3 {
        let page = scrape(address);
        assert_eq!(value(&page, &metric).unwrap_or_default(), f64::from(so_far), "{page}");
        let of_histogram = |line: &&str| line.contains("_bucket{") || line.contains("_sum{");
        so_far += page.lines().filter(|line| !line.starts_with('#') && !of_histogram(line)).count() as u32;
    }
    telemetry.shutdown().unwrap();
}

#[test]
fn a_limit_that_an_exporter_reached_is_seen_by_metric_until_it_is_lifted_and_said_once_of_all() {
    const OVERFLOWED: &str = "metercast_exporter_series_overflowed";
    let limited = |limit: Option<usize>| {
        let view = |projection: Projection| match limit {
            Some(limit) => projection.view(View::of("orders.by.path").limit(limit)),
            None => projection,
        };
        let builder = Config::builder().environment(false);
        let builder = builder
            .exporter("page", Prometheus::listen("127.0.0.1:0").projection(view(Projection::new())))
            .exporter("print", Stdout::default().writer(Nowhere).projection(view(Projection::new())));
        builder.build().unwrap()
    };
    let store = Store::new();
    let order = |path: usize| {
        store.scope(|| u64_counter!("orders.by.path", "", 1, "path" => path.to_string()));
    };
    let (log, said) = support::log();
    let telemetry = Telemetry::builder(limited(Some(3))).store(store.clone()).log(log).start().unwrap();
    let page = || scrape(telemetry.scrape_address().unwrap());
    (0..3).for_each(order);
    page();
    assert!(!page().contains(OVERFLOWED), "nothing is beyond");
    (3..10).for_each(order);
    telemetry.flush(Duration::from_secs(60)).unwrap();
    page();
    let shown = page();
    for (name, component) in [PAGE, ("print", "stdout_metric_exporter")] {
        let labels = labels(name, component).replace('}', ",metric=\"orders.by.path\"}");
        assert_eq!(value(&shown, &format!("{OVERFLOWED}{labels}")), Some(7.0), "{shown}");
    }
    let overflow = "orders_by_path_total{otel_metric_overflow=\"true\"}";
    assert_eq!(value(&shown, overflow), Some(7.0), "{shown}");
    let lines = || -> Vec<String> {
        let said = said.lock().unwrap();
        said.iter().map(|(_, line)| line.clone()).filter(|line| line.contains("orders.by.path")).collect()
    };
    let [line] = &lines()[..] else { panic!("{:?}", lines()) };
    assert!(line.contains("limit of 3") && line.contains("raise the limit"), "{line}");

    telemetry.reload(limited(None)).unwrap();
    page();
    let shown = page();
    assert!(!shown.contains(OVERFLOWED), "{shown}");
    assert_eq!(lines().len(), 1);
    telemetry.shutdown().unwrap();
}

#[test]
fn without_self_metrics_two_scrapes_of_an_idle_program_are_the_same_bytes() {
    let receiver = Receiver::start();
    let telemetry = start(three(&receiver.endpoint).self_metrics(false));
    telemetry.flush(Duration::from_secs(60)).unwrap();
    let address = telemetry.scrape_address().unwrap();
    let first = scrape(address);
    assert_eq!(scrape(address), first);
    assert!(first.contains("orders_total 1\n") && !first.contains("component"), "{first}");
    telemetry.shutdown().unwrap();
}
