//! Pushes to the real Pushgateway, and what it then shows.
#![cfg(feature = "otlp")]

use std::time::Duration;

use conformance::oracle::pushgateway::Pushgateway as Gateway;
use conformance::{http, use_programs};
use metercast::{Pushgateway, Store, f64_gauge, f64_histogram, u64_counter};

/// The gateway's page, without what it says of itself.
fn lines_of(gateway: &Gateway, name: &str) -> Vec<String> {
    let page = String::from_utf8(http::get(&format!("{}/metrics", gateway.url()))).unwrap();
    let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ', '_']));
    page.lines().filter(of_name).map(str::to_owned).collect()
}

#[test]
fn the_gateway_shows_what_was_pushed_in_each_group() {
    if !use_programs("the_gateway_shows_what_was_pushed_in_each_group", "prometheus-pushgateway") {
        return;
    }
    let gateway = Gateway::start();
    let odd = "a/b c\"\\\nü";
    let first = Pushgateway::to(gateway.url(), "batch").group("instance", "first");
    let second = Pushgateway::to(gateway.url(), "batch").group("instance", odd);
    let store = Store::new();
    store.scope(|| {
        u64_counter!("rows", "Rows imported", 3, "table" => "a");
        f64_histogram!("took", "Took", 0.3);
        f64_gauge!("level", "Level", f64::MIN_POSITIVE);
    });
    first.put(&store).unwrap();
    second.put(&store).unwrap();
    let shown = |value: &str, instance: &str| {
        format!("rows_total{{instance=\"{instance}\",job=\"batch\",table=\"a\"}} {value}")
    };
    let escaped = "a/b c\\\"\\\\\\nü";
    let mut expected = vec![shown("3", escaped), shown("3", "first")];
    expected.sort();
    let mut lines = lines_of(&gateway, "rows_total");
    lines.sort();
    assert_eq!(lines, expected);
    assert_eq!(lines_of(&gateway, "took_count").len(), 2);

    // POST leaves what it does not name, PUT does not.
    let less = Store::new();
    less.scope(|| u64_counter!("rows", "Rows imported", 5, "table" => "a"));
    first.post(&less).unwrap();
    assert!(lines_of(&gateway, "rows_total").contains(&shown("5", "first")));
    assert_eq!(lines_of(&gateway, "level").len(), 2);
    first.put(&less).unwrap();
    assert_eq!(lines_of(&gateway, "level").len(), 1);

    second.delete().unwrap();
    first.delete().unwrap();
    assert!(lines_of(&gateway, "rows_total").is_empty());
}

#[test]
fn what_the_gateway_refuses_is_said_in_its_words() {
    if !use_programs("what_the_gateway_refuses_is_said_in_its_words", "prometheus-pushgateway") {
        return;
    }
    let gateway = Gateway::start();
    let store = Store::new();
    store.scope(|| {
        // The gateway sets the label, and then two series are one.
        u64_counter!("rows", "Rows imported", 1, "instance" => "a");
        u64_counter!("rows", "Rows imported", 2, "instance" => "b");
    });
    let error = Pushgateway::to(gateway.url(), "batch").group("instance", "x").put(&store).unwrap_err();
    assert_eq!(error.status(), Some(400));
    assert!(
        error.to_string().contains("answered 400, \"pushed metrics are invalid or inconsistent"),
        "{error}"
    );
    let nowhere = Pushgateway::to(&format!("{}/nowhere", gateway.url()), "batch").put(&store).unwrap_err();
    assert_eq!(nowhere.status(), Some(404), "{nowhere}");
}

#[test]
fn the_gateway_shows_what_a_running_program_has_put_last() {
    if !use_programs("the_gateway_shows_what_a_running_program_has_put_last", "prometheus-pushgateway") {
        return;
    }
    let gateway = Gateway::start();
    let exporter = metercast::config::Pushgateway::to(gateway.url(), "checkout").group("instance", "a");
    let config = metercast::Config::builder().environment(false).exporter("till", exporter).build().unwrap();
    let store = Store::new();
    let telemetry = metercast::Telemetry::builder(config).store(store.clone()).start().unwrap();
    for expected in 1..=2 {
        store.scope(|| u64_counter!("receipts", "Receipts", 1));
        telemetry.flush(Duration::from_secs(60)).unwrap();
        let shown = format!("receipts_total{{instance=\"a\",job=\"checkout\"}} {expected}");
        assert_eq!(lines_of(&gateway, "receipts_total"), [shown]);
    }
    store.scope(|| u64_counter!("receipts", "Receipts", 1));
    telemetry.shutdown().unwrap();
    assert_eq!(lines_of(&gateway, "receipts_total"), ["receipts_total{instance=\"a\",job=\"checkout\"} 3"]);
}
