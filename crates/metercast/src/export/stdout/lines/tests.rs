//! What a line says.

use std::sync::Arc;

use metercast_core::{Instrument, KeyValue, Kind, NumberType, metrics, u64_counter};

use super::*;

metrics! {
    /// Whole numbers up and down.
    static DEPTH: UpDownCounter<i64> = "stdout.depth" { unit: "{item}" };
    /// Doubles.
    static HEAT: Gauge<f64> = "stdout.heat" { unit: "Cel" };
    /// Buckets with bounds.
    static WAIT: Histogram<f64> = "stdout.wait" { unit: "s", buckets: [0.5, 1] };
    /// Buckets that follow the values.
    static SIZE: Histogram<f64> = "stdout.size" { exponential: true };
    /// Quantiles.
    static AGE: Summary<f64> = "stdout.age" { quantiles: [0.5] };
}

/// The lines of a store, without the times, which come first.
fn lines(store: &Store) -> Vec<String> {
    let mut out = Vec::new();
    let count = write(&mut Plan::new(Arc::default(), "print"), store, UNIX_EPOCH, b"", &mut out);
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let (times, rest) = line.split_at(line.find("\"name\"").unwrap());
            let read = "{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"started\":\"20";
            assert!(times.starts_with(read), "{line}");
            rest.to_owned()
        })
        .collect();
    assert_eq!(count, lines.len() as u64);
    lines
}

#[test]
fn every_kind_has_its_line_in_the_order_of_names() {
    let store = Store::new();
    store.scope(|| {
        DEPTH.add(-3);
        HEAT.set(36.6);
        [0.25, 0.5, 0.75, 7.0].into_iter().for_each(|value| WAIT.record(value));
        [1.0, 0.0].into_iter().for_each(|value| SIZE.record(value));
        AGE.record(2.0);
        u64_counter!("stdout.calls", "Calls", u64::MAX, "path" => "a\"b\n", "ok" => true, "code" => 200, "share" => 0.5);
    });
    assert_eq!(
        lines(&store),
        [
            "\"name\":\"stdout.age\",\"kind\":\"summary\",\"labels\":{},\"count\":1,\"sum\":2,\"quantiles\":[[0.5,2]]}",
            "\"name\":\"stdout.calls\",\"kind\":\"counter\",\
             \"labels\":{\"path\":\"a\\\"b\\n\",\"ok\":true,\"code\":200,\"share\":0.5},\"value\":18446744073709551615}",
            "\"name\":\"stdout.depth\",\"kind\":\"up_down_counter\",\"unit\":\"{item}\",\"labels\":{},\"value\":-3}",
            "\"name\":\"stdout.heat\",\"kind\":\"gauge\",\"unit\":\"Cel\",\"labels\":{},\"value\":36.6}",
            "\"name\":\"stdout.size\",\"kind\":\"histogram\",\"labels\":{},\"count\":2,\"sum\":1,\"min\":0,\"max\":1,\
             \"scale\":20,\"zero_count\":1,\"positive\":{\"offset\":-1,\"counts\":[1]},\"negative\":{\"offset\":0,\"counts\":[]}}",
            "\"name\":\"stdout.wait\",\"kind\":\"histogram\",\"unit\":\"s\",\"labels\":{},\"count\":4,\"sum\":8.5,\
             \"bounds\":[0.5,1],\"counts\":[2,1,1]}",
        ]
    );
}

#[test]
fn a_scope_that_is_given_at_run_time_stands_on_the_line() {
    let store = Store::new();
    let of = |scope: &'static str, version: &'static str| {
        Instrument::builder(Kind::Counter, NumberType::U64, "stdout.scoped").scope(scope, version)
    };
    let attributes = [KeyValue::new("b", true), KeyValue::new("a", "x")];
    store.scope(|| {
        of("a", "").build().unwrap().add(1u64, []);
        let rich = of("b", "2").scope_schema("http://schema").scope_attributes(attributes).build().unwrap();
        rich.add(2u64, []);
    });
    let line = |scope: &str, value: u64| {
        format!(
            "\"name\":\"stdout.scoped\",\"kind\":\"counter\",\"scope\":{{{scope}}},\"labels\":{{}},\"value\":{value}}}"
        )
    };
    assert_eq!(
        lines(&store),
        [
            line("\"name\":\"a\"", 1),
            line(
                "\"name\":\"b\",\"version\":\"2\",\"schema_url\":\"http://schema\",\
                 \"attributes\":{\"a\":\"x\",\"b\":true}",
                2
            )
        ]
    );
}

#[test]
fn a_label_that_is_absent_is_left_out() {
    let store = Store::new();
    let key = |value: Option<Value>| value;
    store.scope(|| {
        u64_counter!("stdout.absent", "", 1, "a" => key(None), "b" => key(Some(1.into())));
    });
    assert_eq!(
        lines(&store),
        ["\"name\":\"stdout.absent\",\"kind\":\"counter\",\"labels\":{\"b\":1},\"value\":1}"]
    );
}

#[test]
fn an_empty_store_has_no_line() {
    assert_eq!(lines(&Store::new()), [""; 0]);
}

#[test]
fn attributes_of_the_resource_stand_at_the_end_of_every_line() {
    let store = Store::new();
    store.scope(|| u64_counter!("stdout.calls", "Calls", 1));
    let attributes = [
        ("service.name".to_owned(), Value::from("a\"b")),
        ("replicas".to_owned(), Value::from(3)),
        ("share".to_owned(), Value::from(0.5)),
        ("is.spare".to_owned(), Value::from(false)),
    ];
    let mut out = Vec::new();
    let plan = &mut Plan::new(Arc::default(), "print");
    assert_eq!(write(plan, &store, UNIX_EPOCH, &resource(&attributes), &mut out), 1);
    let expected = ",\"value\":1,\"resource\":{\"service.name\":\"a\\\"b\",\"replicas\":3,\"share\":0.5,\"is.spare\":false}}\n";
    let line = String::from_utf8(out).unwrap();
    assert!(line.ends_with(expected), "{line}");
    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(read["resource"]["service.name"], "a\"b");
    assert_eq!(resource(&[]), b"");
}
