//! What the instruments of a meter are: their names, units, scopes, boundaries and attributes.

mod support;

use std::sync::Arc;

use metercast_core::{KeyValue as Label, Store};
use metercast_opentelemetry::MeterProvider;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use support::{family, lines, problems};

fn meter(store: &Store, name: &'static str) -> Meter {
    MeterProvider::of(store.clone()).meter(name)
}

#[test]
fn name_unit_description_and_scope_are_kept() {
    let store = Store::new();
    let scope = InstrumentationScope::builder(String::from("lib"))
        .with_version("1.2")
        .with_schema_url("https://opentelemetry.io/schemas/1.30.0")
        .with_attributes([KeyValue::new("plugin", "importer"), KeyValue::new("level", 3)])
        .build();
    let meter = MeterProvider::of(store.clone()).meter_with_scope(scope);
    let counter = meter.u64_counter("requests").with_unit("{request}").with_description("Requests answered");
    counter.build().add(1, &[]);
    let definition = family(&store, "requests").definition;
    assert_eq!((definition.unit(), definition.description()), ("{request}", "Requests answered"));
    let scope = definition.scope();
    assert_eq!((scope.name, scope.version), ("lib", "1.2"));
    assert_eq!(scope.schema_url, "https://opentelemetry.io/schemas/1.30.0");
    assert_eq!(scope.attributes, [Label::new("level", 3), Label::new("plugin", "importer")]);
}

#[test]
fn scopes_may_have_instruments_of_one_name() {
    let store = Store::new();
    for (name, amount) in [("a", 1), ("b", 2)] {
        meter(&store, name).u64_counter("requests").build().add(amount, &[]);
    }
    // Another kind even.
    meter(&store, "c").f64_gauge("requests").build().record(0.5, &[]);
    let families = store.collect();
    let seen: Vec<_> = families
        .iter()
        .map(|family| format!("{} {:?}", family.definition.scope().name, family.series[0].point))
        .collect();
    assert_eq!(seen, ["a U64(1)", "b U64(2)", "c F64(0.5)"]);
    assert_eq!(store.problems(), []);
}

#[test]
fn scopes_that_differ_in_attributes_or_schema_only_are_two() {
    let store = Store::new();
    let provider = MeterProvider::of(store.clone());
    let builder = || InstrumentationScope::builder("lib");
    let scopes = [
        builder().build(),
        builder().with_attributes([KeyValue::new("a", 1)]).build(),
        builder().with_attributes([KeyValue::new("a", 2)]).build(),
        builder().with_schema_url("https://example.com/1").build(),
    ];
    for scope in scopes {
        provider.meter_with_scope(scope).u64_counter("requests").build().add(1, &[]);
    }
    assert_eq!(store.collect().len(), 4);
}

#[test]
fn equal_instruments_are_one_metric() {
    let store = Store::new();
    for _ in 0..3 {
        meter(&store, "lib").u64_counter("requests").with_unit("1").build().add(1, &[]);
    }
    assert_eq!(lines(&store, "requests"), ["3"]);
    assert_eq!(store.problems(), []);
}

#[test]
fn of_two_descriptions_the_first_stays_and_it_is_said_once() {
    let store = Store::new();
    for description in ["One", "Two", "Two"] {
        meter(&store, "lib").u64_counter("described").with_description(description).build().add(1, &[]);
    }
    assert_eq!(lines(&store, "described"), ["3"]);
    assert_eq!(family(&store, "described").definition.description(), "One");
    let problems = problems(&store, "described");
    let both = "has two descriptions, \"One\" at the meter \"lib\" and \"Two\" at the meter \"lib\"";
    assert!(problems.len() == 1 && problems[0].starts_with(both), "{problems:?}");
}

#[test]
fn two_kinds_under_one_name_are_said_once_and_the_first_stays() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    let (counter, gauge) = (meter.u64_counter("both").build(), meter.f64_gauge("both").build());
    counter.add(1, &[]);
    assert_eq!(lines(&store, "both"), ["1"]);
    gauge.record(2.0, &[]);
    counter.add(1, &[]);
    assert_eq!(lines(&store, "both"), ["2"]);
    assert_eq!(lines(&store, "both"), ["2"]);
    assert_eq!(problems(&store, "both").len(), 1, "{:?}", store.problems());
}

#[test]
fn names_that_differ_only_in_case_are_one_instrument_and_it_is_said_once() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    for name in ["Case.Of.Requests", "case.of.requests", "case.of.requests"] {
        meter.u64_counter(name).build().add(1, &[]);
    }
    assert_eq!(lines(&store, "Case.Of.Requests"), ["3"]);
    let problems = problems(&store, "Case.Of.Requests");
    assert!(problems.len() == 1 && problems[0].contains("\"case.of.requests\""), "{problems:?}");
    self::meter(&store, "other").u64_counter("case.OF.requests").build().add(1, &[]);
    assert_eq!(lines(&store, "case.OF.requests"), ["1"], "another library spells as it likes");
}

#[test]
fn a_name_that_is_not_allowed_is_said_once_and_disturbs_nothing() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    for _ in 0..3 {
        let bad = meter.u64_counter("9 lives").build();
        bad.add(1, &[]);
        meter.f64_histogram("").build().record(1.0, &[]);
        meter.u64_observable_gauge("ä").with_callback(|observer| observer.observe(1, &[])).build();
    }
    meter.u64_counter("good").build().add(1, &[]);
    assert_eq!(store.collect().len(), 1);
    assert_eq!(lines(&store, "good"), ["1"]);
    for name in ["9 lives", "", "ä"] {
        assert_eq!(problems(&store, name).len(), 1, "{name}: {:?}", store.problems());
    }
}

#[test]
fn boundaries_are_taken_and_without_them_they_are_of_the_unit() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    let advised = meter.f64_histogram("advised").with_boundaries(vec![0.5, 1.0]).build();
    advised.record(0.5, &[]);
    advised.record(7.0, &[]);
    meter.u64_histogram("none").with_boundaries(vec![]).build().record(7, &[]);
    meter.f64_histogram("seconds").with_unit("s").build().record(0.03, &[]);
    assert_eq!(lines(&store, "advised"), ["[0.5, 1.0] [1, 0, 1] 7.5"]);
    assert_eq!(lines(&store, "none"), ["[] [1] 7.0"]);
    assert!(lines(&store, "seconds")[0].contains("[0.005, "), "{:?}", lines(&store, "seconds"));
    assert_eq!(store.problems(), []);
}

#[test]
fn boundaries_that_make_no_sense_are_said_once_and_lose_no_measurement() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    for _ in 0..2 {
        let bounds = vec![2.0, 1.0, f64::NAN];
        meter.f64_histogram("senseless").with_unit("s").with_boundaries(bounds).build().record(0.03, &[]);
    }
    assert_eq!(family(&store, "senseless").series.len(), 1);
    assert!(lines(&store, "senseless")[0].ends_with(" 0.06"), "{:?}", lines(&store, "senseless"));
    assert_eq!(problems(&store, "senseless").len(), 1, "{:?}", store.problems());
}

#[test]
fn attributes_of_all_types_are_labels_in_any_order() {
    let store = Store::new();
    let counter = meter(&store, "lib").u64_counter("typed").build();
    let mut attributes = vec![
        KeyValue::new("bool", true),
        KeyValue::new("i64", -3),
        KeyValue::new("f64", 0.5),
        KeyValue::new("static", "a"),
        KeyValue::new("owned", String::from("b")),
        KeyValue::new("shared", Arc::<str>::from("c")),
    ];
    for _ in 0..attributes.len() {
        counter.add(1, &attributes);
        attributes.rotate_left(1);
    }
    let labels = r#"{bool=true,f64=0.5,i64=-3,owned="b",shared="c",static="a"}"#;
    assert_eq!(lines(&store, "typed"), [format!("{labels} 6")]);
}

#[test]
fn a_list_is_a_text_in_json() {
    let store = Store::new();
    let counter = meter(&store, "lib").u64_counter("lists").build();
    let list = |list: Array| KeyValue::new("list", Value::Array(list));
    counter.add(1, &[list(Array::Bool(vec![true, false])), KeyValue::new("plain", 1)]);
    counter.add(1, &[list(Array::I64(vec![1, -2]))]);
    counter.add(1, &[list(Array::F64(vec![1.0, f64::NAN]))]);
    counter.add(1, &[list(Array::String(vec![StringValue::from("a"), StringValue::from("\"b\"")]))]);
    let family = family(&store, "lists");
    let mut texts: Vec<_> =
        family.series.iter().map(|series| series.labels.get("list").unwrap().to_string()).collect();
    texts.sort();
    assert_eq!(texts, [r#"["a","\"b\""]"#, "[1,-2]", r#"[1.0,"NaN"]"#, "[true,false]"]);
}

#[test]
fn of_a_key_that_is_given_twice_the_last_value_stays() {
    let store = Store::new();
    let counter = meter(&store, "lib").u64_counter("twice").build();
    counter.add(1, &[KeyValue::new("a", 1), KeyValue::new("a", 2)]);
    assert_eq!(lines(&store, "twice"), ["{a=2} 1"]);
}

#[test]
fn ten_thousand_attributes_are_counted_together_and_it_is_said_once() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    let counter = meter.u64_counter("many").build();
    for times in 0..3 {
        let many: Vec<_> = (0..10_000).map(|at| KeyValue::new(format!("k{at}.{times}"), at)).collect();
        counter.add(1, &many);
        meter.u64_gauge("many.gauge").build().record(times, &many);
    }
    let most: Vec<_> = (0..128).map(|at| KeyValue::new(format!("k{at}"), at)).collect();
    counter.add(5, &most);
    assert_eq!(family(&store, "many").series.len(), 2);
    assert!(lines(&store, "many").contains(&"{otel.metric.overflow=true} 3".to_owned()));
    assert_eq!(lines(&store, "many.gauge"), ["{otel.metric.overflow=true} 2"]);
    assert_eq!((problems(&store, "many").len(), problems(&store, "many.gauge").len()), (1, 1));
}

#[test]
fn what_makes_no_sense_is_dropped() {
    let store = Store::new();
    let meter = meter(&store, "lib");
    let counter = meter.f64_counter("sense").build();
    counter.add(1.0, &[]);
    for senseless in [-1.0, f64::NAN, f64::INFINITY] {
        counter.add(senseless, &[]);
    }
    meter.f64_gauge("sense.gauge").build().record(f64::NAN, &[]);
    assert_eq!(lines(&store, "sense"), ["1.0"]);
    assert!(store.collect().iter().all(|family| family.definition.name() != "sense.gauge"));
}
