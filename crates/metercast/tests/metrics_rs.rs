//! Pages in the profile of the `metrics` crates are line for line those of their exporter, and in an order that stays.

use std::sync::{Arc, Mutex};

use metercast::{Format, KeyValue, Log, PageFormat, PageOptions, Profile, PrometheusPage, Store};
use metercast::{f64_gauge, i64_up_down_counter, u64_counter, u64_counter_with_unit, u64_gauge};
use metrics_exporter_prometheus::PrometheusBuilder;

metercast::metrics! {
    /// Time to send "all".
    static SEND: Histogram<f64> = "ws.send-duration" { buckets: [0.005, 0.1, 1.0, 2.5e6], labels: { kind: &str } };
    static PLAIN: Histogram<f64> = "plain" { buckets: [0.005, 0.1, 1.0, 2.5e6] };
    static DECLARED: Counter<u64> = "declared" { labels: { size: Size, kind: Kind } };
    static RECENT: Summary<f64> = "recent" { quantiles: [0.0, 0.5, 0.999], labels: { z: &str, a: &str } };
}

metercast::labels! {
    enum Size { Small, Large }
    enum Kind { New, Old }
}

/// The lines, sorted: theirs come in no order.
fn sorted(page: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = page.lines().collect();
    lines.sort_unstable();
    lines
}

/// The same recordings with their macros and with ours.
fn both() -> (String, String) {
    let builder = PrometheusBuilder::new().set_buckets(&[0.005, 0.1, 1.0, 2.5e6]).unwrap();
    let recorder = builder.build_recorder();
    let theirs = recorder.handle();
    let numbers = [0.0, -0.0, 1.0, 0.1 + 0.2, 1e15, 1e21, -2.5e-7, 5e-324, f64::MAX, 123_456_789.25];
    metrics::with_local_recorder(&recorder, || {
        metrics::describe_counter!("ws.connections", "Connections \"opened\"\nso far");
        metrics::counter!("ws.connections").increment(7);
        metrics::counter!("http-requests_total", "method" => "GET", "path" => "/a\"b\nc", "9.x" => "é")
            .increment(3);
        metrics::counter!("bytes.sent", metrics::Unit::Bytes.as_str() => "x").increment(u64::MAX);
        for (n, number) in numbers.into_iter().enumerate() {
            metrics::gauge!("some.numbers", "n" => n.to_string(), "a:b" => "c").set(number);
        }
        metrics::gauge!("pool.size").set(4);
        metrics::gauge!("pool.active").increment(-3);
        metrics::describe_histogram!("ws.send-duration", "Time to send \"all\".");
        for (kind, value) in [("a", 0.25), ("a", 1e22), ("b", 1e-9), ("b", 0.005)] {
            metrics::histogram!("ws.send-duration", "kind" => kind).record(value);
        }
        metrics::histogram!("plain").record(0.5);
        metrics::counter!("literal", "z" => "1", "b" => "2", "a" => "3").increment(1);
        metrics::gauge!("literal.level", "to" => "x", "from" => "y").set(2);
        let list = vec![metrics::Label::new("z", "1"), metrics::Label::new("y", "2".repeat(100))];
        metrics::counter!("listed", list).increment(1);
        for kind in ["new", "old"] {
            metrics::counter!("declared", "size" => "small", "kind" => kind).increment(1);
        }
    });

    let store = Store::new();
    store.scope(|| {
        u64_counter!("ws.connections", "Connections \"opened\"\nso far", 7);
        u64_counter!("http-requests_total", "", 3, "method" => "GET", "path" => "/a\"b\nc", "9.x" => "é");
        u64_counter_with_unit!("bytes.sent", "", "By", u64::MAX, "bytes" => "x");
        for (n, number) in numbers.into_iter().enumerate() {
            f64_gauge!("some.numbers", "", number, "n" => n.to_string(), "a:b" => "c");
        }
        u64_gauge!("pool.size", "", 4);
        i64_up_down_counter!("pool.active", "", -3);
        for (kind, value) in [("a", 0.25), ("a", 1e22), ("b", 1e-9), ("b", 0.005)] {
            SEND.record(value, (kind,));
        }
        PLAIN.record(0.5);
        u64_counter!("literal", "", 1, "z" => "1", "b" => "2", "a" => "3");
        u64_gauge!("literal.level", "", 2, "to" => "x", "from" => "y");
        u64_counter!("listed", "", 1, [KeyValue::new("z", "1"), KeyValue::new("y", "2".repeat(100))]);
        for kind in [Kind::New, Kind::Old] {
            DECLARED.add(1, (Size::Small, kind));
        }
    });
    (theirs.render(), page(&store))
}

/// Our page of what was recorded.
fn page(store: &Store) -> String {
    let options = PageOptions::new().profile(Profile::MetricsRs);
    PrometheusPage::with("test", options, &[], Log::to(|_, line| panic!("{line}"))).render(store)
}

#[test]
fn quantiles_of_nothing_are_zero_as_they_are_there() {
    let builder = PrometheusBuilder::new().set_quantiles(&[0.0, 0.5, 0.999]).unwrap();
    let recorder = builder.build_recorder();
    metrics::with_local_recorder(&recorder, || drop(metrics::histogram!("recent", "z" => "1", "a" => "2")));
    let store = Store::new();
    let _bound = store.scope(|| RECENT.bind(("1", "2")));
    let (ours, theirs) = (page(&store), recorder.handle().render());
    assert!(theirs.contains("recent{z=\"1\",a=\"2\",quantile=\"0.5\"} 0\n"), "{theirs}");
    assert_eq!(sorted(&ours), sorted(&theirs));
}

#[test]
fn the_lines_are_those_of_the_other_exporter() {
    let (theirs, ours) = both();
    assert_eq!(sorted(&ours), sorted(&theirs));
}

#[test]
fn a_label_that_only_openmetrics_moves_is_said_to_be_moved_there() {
    let store = Store::new();
    store.scope(|| u64_counter!("moved", "", 1, "__res" => "x"));
    let said = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&said);
    let log = Log::to(move |_, line| lines.lock().unwrap().push(line.to_owned()));
    let page = PrometheusPage::with("test", PageOptions::new().profile(Profile::MetricsRs), &[], log);
    assert!(page.render(&store).contains("moved{__res=\"x\"} 1\n"));
    assert_eq!(*said.lock().unwrap(), [""; 0]);
    let format = PageFormat { format: Format::OpenMetrics1, ..PageFormat::default() };
    let body = page.render_as(&store, format);
    assert!(body.contains("exported___res=\"x\""), "{body}");
    let said = said.lock().unwrap();
    assert!(said[0].contains(" is exported___res on the OpenMetrics page, where "), "{said:?}");
}
