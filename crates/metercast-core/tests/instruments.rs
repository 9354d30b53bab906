//! Instruments that are made at run time are what declared ones are.

use std::thread;
use std::time::Duration;

use metercast_core::reading::{Family, Point};
use metercast_core::{
    Instrument, InstrumentBuilder, InstrumentError, KeyValue, Kind, LabelRef, NumberType, Store, ValueRef,
    Visibility, metrics, u64_counter,
};

fn counter(name: &'static str) -> InstrumentBuilder {
    Instrument::builder(Kind::Counter, NumberType::U64, name)
}

fn text<'a>(key: &'a str, value: &'a str) -> LabelRef<'a> {
    (key, ValueRef::from(value))
}

/// Each series as `labels value`.
fn shown(family: &Family) -> Vec<String> {
    let value = |point: &Point| match point {
        Point::U64(value) => value.to_string(),
        Point::I64(value) => value.to_string(),
        Point::F64(value) => value.to_string(),
        Point::Histogram(histogram) => format!("{:?} {}", histogram.counts, histogram.sum),
        Point::Exponential(exponential) => format!("{} {}", exponential.count(), exponential.sum),
        Point::Summary(summary) => format!("{} {}", summary.count, summary.sum),
        other => format!("{other:?}"),
    };
    family
        .series
        .iter()
        .map(|series| format!("{} {}", series.labels, value(&series.point)).trim().to_owned())
        .collect()
}

fn families(store: &Store, name: &str) -> Vec<Family> {
    store.collect().into_iter().filter(|family| family.definition.name() == name).collect()
}

fn only(store: &Store, name: &str) -> Vec<String> {
    let families = families(store, name);
    assert_eq!(families.len(), 1, "{name}");
    shown(&families[0])
}

fn dropped(store: &Store, reason: &str) -> String {
    let of_reason = format!("{{reason={reason:?}}} ");
    let all = families(store, "metercast.recordings.dropped");
    all.iter()
        .flat_map(shown)
        .find_map(|line| Some(line.strip_prefix(&of_reason)?.to_owned()))
        .unwrap_or_default()
}

#[test]
fn equal_builds_give_the_same_instrument_and_others_another() {
    let build = |builder: InstrumentBuilder| builder.build().unwrap();
    let first = build(counter("same.builds").unit("By").description("Bytes"));
    let owned = Instrument::builder(Kind::Counter, NumberType::U64, String::from("same.builds"))
        .unit(String::from("By"))
        .description(" Bytes\n".to_owned())
        .place("elsewhere.toml", 7);
    assert_eq!(first, build(owned));
    let scoped =
        |version: &'static str| counter("same.builds").unit("By").description("Bytes").scope("lib", version);
    let attributes = |keys: [&'static str; 2]| keys.map(|key| KeyValue::new(key, 1));
    let others = [
        build(counter("same.builds").unit("By")),
        build(counter("same.builds").description("Bytes")),
        build(counter("same.builds").unit("By").description("Bytes").visibility(Visibility::Private)),
        build(counter("same.builds").unit("By").description("Bytes").observable()),
        build(scoped("1")),
        build(scoped("2")),
        build(scoped("1").scope_schema("http://schema")),
        build(scoped("1").scope_attributes(attributes(["a", "b"]))),
    ];
    for (at, other) in others.iter().enumerate() {
        assert!(first != *other && !others[..at].contains(other), "{at}");
    }
    assert_eq!(others[7], build(scoped("1").scope_attributes(attributes(["b", "a"]))));
}

#[test]
fn an_instrument_is_defined_where_it_is_built_or_where_it_says() {
    let store = Store::new();
    let line = line!() + 1;
    let here = counter("place.here").build().unwrap();
    let there = counter("place.there").place(String::from("metrics.toml"), 12).build().unwrap();
    store.scope(|| [here, there].map(|instrument| instrument.add(1u64, [])));
    let place = |name| families(&store, name)[0].definition.place().to_string();
    assert_eq!(place("place.here"), format!("{}:{line}", file!()));
    assert_eq!(place("place.there"), "metrics.toml:12");
}

#[test]
fn labels_in_any_order_are_one_series() {
    let requests = counter("any.order").build().unwrap();
    let keys = ["method", "route", "status", "a key of more than two words"];
    let store = Store::new();
    let mut orders = 0;
    store.scope(|| {
        for round in 0..3 {
            for at in 0..256 {
                let order = [at & 3, at >> 2 & 3, at >> 4 & 3, at >> 6 & 3];
                let mut sorted = order;
                sorted.sort_unstable();
                if sorted != [0, 1, 2, 3] {
                    continue;
                }
                orders += 1;
                let other = if round == 2 { "a value that is too long to be put into words" } else { "x" };
                requests.add(1u64, order.map(|at| text(keys[at], if at == 3 { other } else { keys[at] })));
            }
        }
    });
    assert_eq!(orders, 3 * 24);
    let shown = only(&store, "any.order");
    assert_eq!(shown.len(), 2);
    assert!(shown[0].ends_with(" 24") && shown[1].ends_with(" 48"), "{shown:?}");
}

#[test]
fn keys_may_be_others_each_time_and_as_many_as_there_are() {
    let things = counter("many.keys").build().unwrap();
    let store = Store::new();
    store.scope(|| {
        for round in 0..2 {
            for n in 0..500 {
                let (key, next) = (format!("key.{n}"), format!("next.{n}"));
                let mut labels = vec![text(&key, "v"), text(&next, "w")];
                if round == 1 {
                    labels.reverse();
                }
                things.add(1u64, labels);
            }
            for count in 0..60usize {
                let keys: Vec<String> = (0..count).map(|n| format!("k{n}")).collect();
                things.add(1u64, keys.iter().map(|key| text(key, "v")));
            }
        }
    });
    let shown = only(&store, "many.keys");
    assert_eq!(shown.len(), 560);
    assert!(shown.iter().all(|series| series.ends_with('2')), "{shown:?}");
}

#[test]
fn keys_and_values_are_taken_as_call_sites_take_them() {
    let things = counter("odd.labels").build().unwrap();
    let store = Store::new();
    store.scope(|| {
        things.add(1u64, [text("a", "1"), text("a", "2")]);
        things.add(1u64, [text("", "1"), text("b", "2")]);
        things
            .add(1u64, [("a", ValueRef::Absent), ("c", ValueRef::from(u64::MAX)), ("d", ValueRef::from(-1))]);
        things.add(1u64, [("c", ValueRef::from(true)), ("d", ValueRef::from(0.5))]);
        things.add(1u64, [("c", ValueRef::from(&None::<&str>))]);
    });
    assert_eq!(
        only(&store, "odd.labels"),
        ["1", "{a=\"2\"} 1", "{b=\"2\"} 1", "{c=true,d=0.5} 1", "{c=18446744073709551615,d=-1} 1"]
    );
    let problems: Vec<String> = store.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_key_of_any_length_is_bounded_and_takes_nothing_from_other_instruments() {
    let (long, other) = (counter("keys.long").build().unwrap(), counter("keys.of.others").build().unwrap());
    let store = Store::new();
    store.scope(|| {
        let key = "k".repeat(20 << 20);
        (0..2).for_each(|_| long.add(1u64, [text(&key, "v")]));
        assert!(other.prepare([text("keys.fresh", "v")]).is_some(), "there is room for its keys");
    });
    assert_eq!(only(&store, "keys.long"), [format!("{{{}=\"v\"}} 2", "k".repeat(1024))]);
    let said = store.problems();
    assert!(
        said.len() == 1 && said[0].message.ends_with("whose key or value is over 1 KiB; it is cut"),
        "{said:?}"
    );
}

#[test]
fn every_kind_records_as_declared_ones_do() {
    let build = |kind, number, name| Instrument::builder(kind, number, name);
    let seconds = build(Kind::Counter, NumberType::F64, "kinds.seconds").build().unwrap();
    let open = build(Kind::UpDownCounter, NumberType::I64, "kinds.open").build().unwrap();
    let level = build(Kind::Gauge, NumberType::F64, "kinds.level").build().unwrap();
    let sizes = build(Kind::Histogram, NumberType::U64, "kinds.sizes").bounds(&[1.0, 10.0]).build().unwrap();
    let widths = build(Kind::Histogram, NumberType::F64, "kinds.widths").exponential().build().unwrap();
    let window = Duration::from_millis(59_500);
    let times =
        build(Kind::Summary, NumberType::F64, "kinds.times").quantiles(&[0.5], window).build().unwrap();
    let store = Store::new();
    for labels in [vec![], vec![text("k", "v")]] {
        store.scope(|| {
            for _ in 0..2 {
                seconds.add(0.25, labels.clone());
                open.add(5i64, labels.clone());
                open.add(-3i64, labels.clone());
                level.set(1.5, labels.clone());
                level.add(0.5, labels.clone());
                sizes.record(7u64, labels.clone());
                widths.record(7.0, labels.clone());
                times.record(7.0, labels.clone());
            }
        });
    }
    let expected = ["0.5", "4", "2", "[0, 2, 0] 14", "2 14", "2 14"];
    for (name, expected) in ["seconds", "open", "level", "sizes", "widths", "times"].into_iter().zip(expected)
    {
        let name = format!("kinds.{name}");
        assert_eq!(only(&store, &name), [expected.to_owned(), format!("{{k=\"v\"}} {expected}")], "{name}");
    }
    let Point::Summary(times) = &families(&store, "kinds.times")[0].series[0].point else { panic!() };
    assert_eq!((times.quantiles.len(), times.quantiles[0].0), (1, 0.5));
}

#[test]
fn what_does_not_fit_kind_or_number_is_dropped_and_counted() {
    let store = Store::new();
    let things = counter("fits.counter").build().unwrap();
    let level = Instrument::builder(Kind::Gauge, NumberType::F64, "fits.level").build().unwrap();
    let seen = counter("fits.observed").observable().build().unwrap();
    store.scope(|| {
        things.add(1i64, []);
        things.add(1.0, []);
        things.set(1u64, []);
        things.record(1u64, []);
        level.record(1.0, []);
        level.set(1u64, []);
        seen.add(1u64, []);
        seen.bind([]).add(1u64);
        things.bind([]).add(1.5);
        things.bind([]).set(1u64);
        drop(things.observe(|o| o.set(1u64, [])));
        seen.observe(|o| o.set(1.5, [])).forever();
        level.set(f64::NAN, []);
        level.bind([text("a", "b")]).set(f64::INFINITY);
        let seconds = Instrument::builder(Kind::Counter, NumberType::F64, "fits.seconds").build().unwrap();
        seconds.add(-1.0, [text("a", "b")]);
    });
    assert_eq!(only(&store, "fits.counter"), ["0"], "it was bound");
    assert!(families(&store, "fits.level").is_empty());
    assert_eq!(dropped(&store, "not_finite"), "2");
    assert_eq!(dropped(&store, "out_of_range"), "1");
    // Each reading runs the callback.
    assert_eq!(dropped(&store, "invalid_definition"), (11 + 5).to_string());
}

#[test]
fn handles_record_where_they_were_bound() {
    let bound_in = Store::new();
    let bind = |kind, number, name| {
        let instrument = Instrument::builder(kind, number, name).build().unwrap();
        bound_in.scope(|| [instrument.bind([]), instrument.bind([text("b", "2"), text("a", "1")])])
    };
    let totals = bind(Kind::Counter, NumberType::U64, "bound.totals");
    let open = bind(Kind::UpDownCounter, NumberType::F64, "bound.open");
    let level = bind(Kind::Gauge, NumberType::I64, "bound.level");
    let sizes = bind(Kind::Histogram, NumberType::U64, "bound.sizes");
    for at in 0..2 {
        totals[at].add(3u64);
        open[at].add(-1.5);
        level[at].set(4i64);
        level[at].add(-5i64);
        sizes[at].record(20u64);
    }
    for (name, value) in [("totals", "3"), ("open", "-1.5"), ("level", "-1")] {
        let expected = [value.to_owned(), format!("{{a=\"1\",b=\"2\"}} {value}")];
        assert_eq!(only(&bound_in, &format!("bound.{name}")), expected);
    }
    assert_eq!(only(&bound_in, "bound.sizes").len(), 2);
}

#[test]
fn callbacks_say_values_until_they_are_dropped() {
    let store = Store::new();
    let level =
        Instrument::builder(Kind::Gauge, NumberType::F64, "observed.level").observable().build().unwrap();
    let observation = store.scope(|| {
        level.observe(|o| {
            o.set(1.0, [text("a", "1"), text("b", "2")]);
            o.set(2.0, [text("b", "2"), text("a", "1")]);
            o.set(3.0, []);
        })
    });
    assert_eq!(only(&store, "observed.level"), ["3", "{a=\"1\",b=\"2\"} 2"]);
    drop(observation);
    assert!(families(&store, "observed.level").is_empty());
}

#[test]
fn two_stores_may_use_one_name_for_two_kinds_and_one_store_may_not() {
    let sum = counter("one.name").build().unwrap();
    let level = Instrument::builder(Kind::Gauge, NumberType::U64, "one.name").build().unwrap();
    let (first, second, both) = (Store::new(), Store::new(), Store::new());
    first.scope(|| sum.add(1u64, []));
    second.scope(|| level.set(2u64, []));
    assert_eq!(
        (only(&first, "one.name"), only(&second, "one.name")),
        (vec!["1".to_owned()], vec!["2".to_owned()])
    );
    assert!(first.problems().is_empty() && second.problems().is_empty());
    both.scope(|| {
        sum.add(1u64, []);
        level.set(2u64, []);
    });
    assert_eq!(only(&both, "one.name"), ["1"]);
    let problems = both.problems();
    assert!(problems.len() == 1 && problems[0].message.contains("the second is left out"), "{problems:?}");
}

metrics! {
    /// Declared and built.
    static DECLARED: Counter<u64> = "declared.too" { labels: { tenant: &str } };
}

#[test]
fn what_is_declared_and_what_is_built_is_one_metric() {
    let store = Store::new();
    let built = counter("declared.too").description("Declared and built.").build().unwrap();
    let scoped = counter("declared.too")
        .description("Declared and built.")
        .scope("metercast-core", env!("CARGO_PKG_VERSION"));
    let scoped = scoped.build().unwrap();
    store.scope(|| {
        DECLARED.add(1, ("a",));
        built.add(2u64, [text("tenant", "a")]);
        u64_counter!("declared.too", "Declared and built.", 4, "tenant" => "a");
        scoped.add(8u64, [text("tenant", "a")]);
    });
    assert_eq!(only(&store, "declared.too"), ["{tenant=\"a\"} 15"]);
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}

#[test]
fn scopes_have_names_of_their_own() {
    let store = Store::new();
    let of_program = counter("of.scopes").build().unwrap();
    let of = |attribute: i64| {
        let builder = counter("of.scopes").scope("lib", "1").scope_schema("http://schema/1");
        builder.scope_attributes([KeyValue::new("n", attribute)]).build().unwrap()
    };
    let level =
        Instrument::builder(Kind::Gauge, NumberType::F64, "of.scopes").scope("other", "").build().unwrap();
    store.scope(|| {
        of_program.add(1u64, []);
        of(1).add(2u64, []);
        of(2).add(4u64, []);
        of(2).add(8u64, []);
        level.set(0.5, []);
    });
    let families = families(&store, "of.scopes");
    let scopes: Vec<_> =
        families.iter().map(|family| (family.definition.scope(), shown(family).concat())).collect();
    let named: Vec<_> = scopes.iter().map(|(scope, value)| (scope.name, scope.version, &**value)).collect();
    assert_eq!(named, [("", "", "1"), ("lib", "1", "2"), ("lib", "1", "12"), ("other", "", "0.5")]);
    assert_eq!(scopes[2].0.schema_url, "http://schema/1");
    assert_eq!(scopes[2].0.attributes, [KeyValue::new("n", 2)]);
    assert!(store.problems().is_empty(), "{:?}", store.problems());
    assert!(store.problems().is_empty());
}

#[test]
fn within_a_scope_a_name_is_one_metric() {
    let store = Store::new();
    let sum = counter("in.scope").scope("lib", "1").build().unwrap();
    let level =
        Instrument::builder(Kind::Gauge, NumberType::U64, "in.scope").scope("lib", "1").build().unwrap();
    store.scope(|| {
        sum.add(1u64, []);
        level.set(1u64, []);
    });
    assert_eq!(only(&store, "in.scope"), ["1"]);
    assert_eq!(store.problems().len(), 1);
}

#[test]
fn a_series_is_removed_from_every_scope() {
    let store = Store::new();
    let of = |scope: &'static str| counter("removed.scopes").scope(scope, "").build().unwrap();
    store.scope(|| ["a", "b"].map(|scope| of(scope).add(1u64, [text("k", "v")])));
    assert_eq!(families(&store, "removed.scopes").len(), 2);
    assert!(store.remove("removed.scopes", [KeyValue::new("k", "v")]));
    assert!(families(&store, "removed.scopes").is_empty());
}

#[test]
fn names_that_differ_only_in_case_are_two_metrics_and_said_once_in_each_store() {
    let build = |name, scope| {
        let builder = counter(name);
        let builder = if scope { builder.scope("lib", "") } else { builder };
        builder.build().unwrap()
    };
    for _ in 0..2 {
        let store = Store::new();
        store.scope(|| {
            for _ in 0..2 {
                build("cased.Requests", false).add(1u64, []);
                build("cased.requests", true).add(2u64, []);
            }
            assert_eq!(store.problems(), [], "each scope has its own names");
            (0..2).for_each(|_| build("cased.requests", false).add(4u64, []));
        });
        assert_eq!(only(&store, "cased.Requests"), ["2"]);
        let problems: Vec<String> = store.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "metric \"cased.requests\" differs from \"cased.Requests\" in nothing but case, and is another metric: write both alike"
            ]
        );
    }
}

#[test]
fn what_makes_no_sense_is_not_built_and_is_a_problem() {
    let store = Store::new();
    let build = |kind, number, name: &str| Instrument::builder(kind, number, name.to_owned());
    let bad = [
        build(Kind::Counter, NumberType::U64, "9 lives"),
        build(Kind::Counter, NumberType::I64, "bad.total"),
        build(Kind::UpDownCounter, NumberType::U64, "bad.open"),
        build(Kind::Histogram, NumberType::F64, "bad.observed").observable(),
        build(Kind::Histogram, NumberType::F64, "bad.bounds").bounds(&[2.0, 1.0]),
        build(Kind::Histogram, NumberType::F64, "bad.nan").bounds(&[f64::NAN]),
        build(Kind::Histogram, NumberType::F64, "bad.quantiles").quantiles(&[0.5], Duration::from_secs(1)),
        build(Kind::Summary, NumberType::F64, "bad.summary").exponential(),
        build(Kind::Summary, NumberType::F64, "bad.quantile").quantiles(&[1.5], Duration::from_secs(1)),
        build(Kind::Summary, NumberType::F64, "bad.window").quantiles(&[0.5], Duration::ZERO),
        build(Kind::Gauge, NumberType::F64, "bad.gauge").bounds(&[1.0]),
    ];
    let count = bad.len();
    store.scope(|| bad.map(|builder| builder.build().unwrap_err()));
    let problems = store.problems();
    assert_eq!(problems.len(), count, "{problems:?}");
    let error = build(Kind::Counter, NumberType::U64, "9 lives").build().unwrap_err();
    assert!(matches!(error, InstrumentError::Name { .. }));
    assert_eq!(
        error.to_string(),
        "metric \"9 lives\" is not made: the name does not begin with a letter; begin it with one of A-Z a-z"
    );
}

#[test]
fn threads_that_build_and_record_at_once_lose_nothing() {
    let store = Store::new();
    thread::scope(|threads| {
        for thread in 0..4usize {
            let store = &store;
            threads.spawn(move || {
                for n in 0..400usize {
                    let name = format!("threads.n{}", n % 20);
                    let requests = Instrument::builder(Kind::Counter, NumberType::U64, name).build().unwrap();
                    let mut labels = [text("a", "1"), text("b", "2"), text("c", "3")];
                    labels.rotate_left((n + thread) % 3);
                    store.scope(|| requests.add(1u64, labels));
                }
            });
        }
    });
    for n in 0..20 {
        assert_eq!(only(&store, &format!("threads.n{n}")), ["{a=\"1\",b=\"2\",c=\"3\"} 80"]);
    }
}

#[test]
fn switched_off_nothing_is_kept() {
    let store = Store::new();
    let things = counter("switched.off").build().unwrap();
    store.set_enabled(false);
    store.scope(|| {
        things.add(1u64, [text("a", "b")]);
        things.bind([text("a", "b")]).add(1u64);
        things.add(1.5, []);
    });
    store.set_enabled(true);
    assert!(store.collect().is_empty());
}
