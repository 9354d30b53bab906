//! What several libraries measure under one name, with labels that tell them apart and without.

use metercast_core::{Instrument, InstrumentBuilder, KeyValue, Kind, NumberType, Store, ValueRef};

use super::conflicts::{page, samples};
use super::formats::OPEN;
use crate::export::prometheus::{PageFormat, PageOptions};

fn of(kind: Kind, name: &'static str, scope: &'static str) -> InstrumentBuilder {
    Instrument::builder(kind, NumberType::F64, name).scope(scope, "")
}

#[test]
fn what_is_known_of_a_scope_stands_on_every_line() {
    let attributes = [
        KeyValue::new("plugin.name", "a\"b"),
        KeyValue::new("n", 0.5),
        KeyValue::new("version", "not this one"),
    ];
    let level = Instrument::builder(Kind::Gauge, NumberType::F64, "scopes.level").scope("lib", "1.2");
    let level = level.scope_schema("http://schema/1").scope_attributes(attributes).build().unwrap();
    let store = Store::new();
    store.scope(|| level.set(1.5, [("k", ValueRef::from("v")), ("otel_scope_name", ValueRef::from("mine"))]));
    let (page, said) = page(PageOptions::new().scope_labels(true));
    assert_eq!(
        samples(&page, &store, PageFormat::default())[1],
        "scopes_level{otel_scope_name=\"lib\",otel_scope_version=\"1.2\",otel_scope_schema_url=\"http://schema/1\",\
         otel_scope_n=\"0.5\",otel_scope_plugin_name=\"a\\\"b\",k=\"v\",exported_otel_scope_name=\"mine\"} 1.5"
    );
    assert_eq!(said.lock().unwrap().len(), 1, "a label was moved");
}

#[test]
fn sums_and_histograms_of_scopes_are_told_apart_by_labels_and_added_up_without() {
    let store = Store::new();
    store.scope(|| {
        for (scope, amount) in [("a", 1.0), ("b", 2.0)] {
            of(Kind::Counter, "scopes.sum", scope).build().unwrap().add(amount, []);
        }
        for (scope, bounds) in [("a", &[1.0, 2.0, 4.0][..]), ("b", &[0.5, 1.0, 4.0, 8.0])] {
            let times = of(Kind::Histogram, "scopes.time", scope).bounds(bounds).build().unwrap();
            [0.25, 0.75, 1.5, 3.0, 6.0, 9.0].into_iter().for_each(|value| times.record(value, []));
        }
    });
    for format in [PageFormat::default(), OPEN] {
        let (page, said) = page(PageOptions::new());
        let lines = samples(&page, &store, format);
        let samples: Vec<_> = lines.iter().filter(|line| !line.starts_with('#')).collect();
        let number = |number: &str| if format == OPEN { format!("{number}.0") } else { number.to_owned() };
        assert_eq!(samples.len(), 6);
        assert_eq!(samples[0], "scopes_sum_total 3");
        for (line, (bound, count)) in samples[1..4].iter().zip([("1", 4), ("4", 8), ("+Inf", 12)]) {
            let bound = if bound == "+Inf" { bound.to_owned() } else { number(bound) };
            assert_eq!(**line, format!("scopes_time_bucket{{le=\"{bound}\"}} {count}"));
        }
        assert_eq!(*said.lock().unwrap(), [""; 0]);
    }
    let (page, said) = page(PageOptions::new().scope_labels(true));
    let lines = samples(&page, &store, PageFormat::default());
    assert_eq!(lines.iter().filter(|line| line.starts_with("# TYPE")).count(), 2);
    assert_eq!(
        lines[1..3],
        ["scopes_sum_total{otel_scope_name=\"a\"} 1", "scopes_sum_total{otel_scope_name=\"b\"} 2"]
    );
    assert!(lines.contains(&"scopes_time_bucket{otel_scope_name=\"b\",le=\"8\"} 5".to_owned()), "{lines:?}");
    assert_eq!(*said.lock().unwrap(), [""; 0]);
}

#[test]
fn of_gauges_of_scopes_the_first_stays_and_that_is_said_unless_labels_tell_them_apart() {
    let store = Store::new();
    store.scope(|| {
        for (scope, value) in [("a", 1.0), ("b", 2.0)] {
            of(Kind::Gauge, "scopes.gauge", scope).build().unwrap().set(value, []);
        }
    });
    for (with_labels, count) in [(false, 1), (true, 2)] {
        let (page, said) = page(PageOptions::new().scope_labels(with_labels));
        assert_eq!(samples(&page, &store, PageFormat::default()).len(), 1 + count);
        assert_eq!(said.lock().unwrap().len(), 2 - count);
    }
}

#[test]
fn metrics_of_two_kinds_in_two_scopes_are_not_on_one_page() {
    let store = Store::new();
    store.scope(|| {
        of(Kind::UpDownCounter, "scopes.kinds", "a").build().unwrap().add(1.0, []);
        of(Kind::Histogram, "scopes.kinds", "b").build().unwrap().record(1.0, []);
    });
    assert_eq!(store.collect().len(), 2);
    let (page, said) = page(PageOptions::new().scope_labels(true));
    let lines = samples(&page, &store, PageFormat::default());
    assert_eq!(lines, ["# TYPE scopes_kinds gauge", "scopes_kinds{otel_scope_name=\"a\"} 1"]);
    let said = said.lock().unwrap();
    assert!(said.len() == 1 && said[0].contains("the second is left out"), "{said:?}");
}
