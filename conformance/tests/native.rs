//! A Prometheus that takes native histograms asks for protobuf, and stores what was recorded.

use conformance::oracle::prometheus::Prometheus;
use conformance::use_programs;
use metercast::config::{Config, Prometheus as Listener};
use metercast::{Store, Telemetry, metrics, u64_counter};

metrics! {
    /// Sizes of orders.
    static SIZES: Histogram<f64> = "native.sizes" { exponential: true, labels: { of: &str } };
    /// What nobody recorded.
    static NONE: Histogram<f64> = "native.none" { exponential: true };
    /// Times, in classic buckets.
    static TIMES: Histogram<f64> = "native.times" { unit: "s", buckets: [1, 2] };
}

#[test]
fn a_prometheus_stores_native_histograms_as_they_were_recorded() {
    let name = "a_prometheus_stores_native_histograms_as_they_were_recorded";
    if !use_programs(name, "prometheus") {
        return;
    }
    let store = Store::new();
    let small: Vec<f64> = (1..=1000).map(|at| f64::from(at) / 100.0).collect();
    let wide = [1e-9, 0.0, 2.5, -3.0, 1e12];
    store.scope(|| {
        small.iter().for_each(|value| SIZES.record(*value, ("small",)));
        wide.iter().for_each(|value| SIZES.record(*value, ("wide",)));
        [0.5, 1.5, 1.5, 9.0].iter().for_each(|value| TIMES.record(*value));
        NONE.bind();
        u64_counter!("native.orders", "Orders", 7, "side" => "buy");
    });
    let listener = Listener::listen("127.0.0.1:0");
    let config = Config::builder().environment(false).exporter("scrape", listener).build().expect("valid");
    let telemetry = Telemetry::builder(config).store(store).start().expect("it listens");
    let address = telemetry.scrape_address().expect("a listener").to_string();
    let mut prometheus = Prometheus::start(&address, &[("0".to_owned(), "/metrics".to_owned())]);
    let stored = prometheus.read_back(1).remove("0").expect("the page");
    stored.expect("Prometheus takes the page");

    let value = |query: &str| match &prometheus.series(query)[..] {
        [(_, value)] => *value,
        other => panic!("{query} finds {other:?}"),
    };
    let near = |got: f64, expected: f64, part: f64| {
        assert!((got - expected).abs() <= part * expected.abs(), "{got} instead of {expected}");
    };
    assert_eq!(value(r#"histogram_count(native_sizes{of="small"})"#), 1000.0);
    near(value(r#"histogram_sum(native_sizes{of="small"})"#), small.iter().sum(), 1e-12);
    assert_eq!(value(r#"histogram_count(native_sizes{of="wide"})"#), 5.0);
    near(value(r#"histogram_sum(native_sizes{of="wide"})"#), wide.iter().sum(), 1e-12);
    // By how far a bucket at the scale for 1000 values between 0.01 and 10 reaches.
    for (quantile, expected) in [(0.1, 1.0), (0.5, 5.0), (0.9, 9.0), (1.0, 10.0)] {
        let query = format!(r#"histogram_quantile({quantile}, native_sizes{{of="small"}})"#);
        near(value(&query), expected, 0.05);
    }
    // The buckets end where their values are.
    near(value(r#"histogram_fraction(-Inf, 5, native_sizes{of="small"})"#), 0.5, 0.02);
    assert_eq!(value(r#"histogram_fraction(-Inf, -1e-100, native_sizes{of="wide"})"#), 0.2);
    near(value(r#"histogram_fraction(-Inf, 1e-100, native_sizes{of="wide"})"#), 0.4, 1e-12);
    near(value(r#"histogram_fraction(1e-10, 3.5, native_sizes{of="wide"})"#), 0.4, 1e-12);
    assert_eq!(value("histogram_count(native_none)"), 0.0);
    // Of native histograms the classic buckets are not stored twice; of others they are.
    assert_eq!(prometheus.series("native_sizes_bucket"), []);
    assert_eq!(value(r#"native_times_seconds_bucket{le=~"2|2.0"}"#), 3.0);
    assert_eq!(value("native_times_seconds_count"), 4.0);
    assert_eq!(value(r#"native_orders_total{side="buy"}"#), 7.0);
    telemetry.shutdown().expect("a clean end");
}
