//! Recording into a series that is there asks for no memory, whatever its kind and however its labels are given.

mod heap;

use std::sync::Mutex;
use std::time::Duration;

use metercast_core::{
    Instrument, KeyValue, Kind, NumberType, Store, ValueRef, f64_counter, f64_gauge, f64_histogram_with_unit,
    f64_up_down_counter, i64_up_down_counter, labels, metrics, u64_counter, u64_histogram,
};

labels! {
    /// The side of an order.
    enum Side { Buy, Sell }
    /// What made it run.
    one_of Trigger { "manual", "timer" } else "other"
    /// An answer.
    range Status { 100..=599 } else "invalid"
}

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "free.bare";
    /// In doubles.
    static BARE_SECONDS: Counter<f64> = "free.bare.seconds";
    /// With labels that the types bound.
    static TYPED: Counter<u64> = "free.typed" { labels: { side: Side, hot: bool } };
    /// With labels that they do not.
    static DYNAMIC: Counter<f64> = "free.dynamic" { labels: { side: Side, name: &str, code: Option<u16> } };
    /// More labels than are packed.
    static WIDE: Counter<u64> = "free.wide" { labels: { a: &str, b: &str, c: &str, d: &str, e: &str } };
    /// With labels that have a fallback.
    static BOUNDED: Counter<u64> = "free.bounded" { labels: { trigger: Trigger, status: Status } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "free.active";
    /// Up and down, by side.
    static ACTIVE_TYPED: UpDownCounter<i64> = "free.active.typed" { labels: { side: Side } };
    /// Up and down, by name.
    static ACTIVE_DYNAMIC: UpDownCounter<f64> = "free.active.dynamic" { labels: { name: &str } };
    /// A level.
    static LEVEL: Gauge<i64> = "free.level";
    /// A level, by side.
    static LEVEL_TYPED: Gauge<u64> = "free.level.typed" { labels: { side: Side } };
    /// A level, by name.
    static LEVEL_DYNAMIC: Gauge<f64> = "free.level.dynamic" { labels: { name: &str } };
    /// A distribution.
    static SIZES: Histogram<u64> = "free.sizes" { unit: "By" };
    /// A distribution, by side.
    static SIZES_TYPED: Histogram<u64> = "free.sizes.typed" { buckets: [1, 2], labels: { side: Side } };
    /// A distribution, by name.
    static DURATION: Histogram<f64> = "free.duration" { unit: "s", labels: { name: &str, code: u16 } };
    /// Exponential.
    static WIDTHS: Histogram<f64> = "free.widths" { exponential: true, labels: { name: &str } };
    /// Quantiles.
    static RESULTS: Summary<f64> = "free.results" { labels: { name: &str } };
    /// How often.
    static TRIGGERS: Frequency<u64> = "free.triggers" { labels: { trigger: Trigger } };
    /// How often, by name.
    static NAMES: Frequency<u64> = "free.names" { labels: { name: &str } };
}

/// One recording of every kind, in every form that labels take, but for lists.
fn record(n: u64, name: &str, long: &str) {
    BARE.add(n);
    BARE_SECONDS.add(0.5);
    TYPED.add(n, (Side::Sell, n.is_multiple_of(2)));
    DYNAMIC.add(0.5, (Side::Buy, name, Some(200)));
    DYNAMIC.add(0.5, (Side::Buy, name, None));
    WIDE.add(n, ("a", "b", name, "d", "e"));
    BOUNDED.add(n, ("timer", 200));
    BOUNDED.add(n, ("whatever", 7));
    ACTIVE.add(1);
    ACTIVE.add(-1);
    ACTIVE_TYPED.add(1, (Side::Buy,));
    ACTIVE_TYPED.add(-1, (Side::Buy,));
    ACTIVE_DYNAMIC.add(-0.5, (name,));
    LEVEL.set(-3);
    LEVEL.add(1);
    LEVEL_TYPED.set(n, (Side::Sell,));
    LEVEL_DYNAMIC.set(0.25, (name,));
    LEVEL_DYNAMIC.add(0.25, (name,));
    SIZES.record(n);
    SIZES_TYPED.record(n, (Side::Sell,));
    DURATION.record(0.01, (name, 200));
    RESULTS.record(n as f64, (name,));
    TRIGGERS.record("timer");
    TRIGGERS.record("'; drop table");
    NAMES.record(name);

    u64_counter!("free.site.bare", "Bare", n);
    u64_counter!("free.site.literal", "Literal", n, "side" => "buy", "hot" => true);
    u64_counter!("free.site.dynamic", "Dynamic", n, "name" => name, "code" => 200);
    u64_counter!("free.site.long", "Long", n, "name" => long);
    f64_counter!("free.site.seconds", "Seconds", 0.5, "name" => name);
    i64_up_down_counter!("free.site.active", "Active", -1, "name" => name);
    f64_up_down_counter!("free.site.weight", "Weight", 0.5, "side" => "buy");
    f64_gauge!("free.site.level", "Level", 0.5, "name" => name);
    f64_gauge!("free.site.level.literal", "Level", 0.5, "side" => "buy");
    u64_histogram!("free.site.sizes", "Sizes", n, "name" => name);
    u64_histogram!("free.site.sizes.literal", "Sizes", n, "side" => "buy");
    f64_histogram_with_unit!("free.site.duration", "Duration", "s", Duration::from_millis(2), "name" => name);
}

/// What begins and ends.
fn begin_and_end(name: &str) {
    drop((ACTIVE.guard(), ACTIVE_TYPED.guard((Side::Buy,)), ACTIVE_DYNAMIC.guard((name,))));
    drop((
        SIZES.start(),
        SIZES_TYPED.start((Side::Sell,)),
        DURATION.start((name, 200)),
        RESULTS.start((name,)),
    ));
    SIZES.start().discard();
}

/// What is asked of the system is counted for all threads together, so one test at a time runs.
static ALONE: Mutex<()> = Mutex::new(());

/// Whether `f` asks for no memory, neither the global allocator nor, for cells, the system. `f` gets a new store, makes ready,
/// and says what must ask for nothing.
fn assert_free<R: FnOnce()>(make_ready: impl Fn(&Store) -> R) {
    let _alone = ALONE.lock();
    // Of the system it is known for the whole process only, so what the harness does meanwhile is forgiven twice. Cells come
    // a kibibyte or more at a time.
    let of_system = (0..3).map(|_| {
        let store = Store::new();
        // Values of histograms are kept as they are until the first reading, for which there is room of its own.
        store.scope(|| drop(make_ready(&store)));
        store.collect();
        let record = store.scope(|| make_ready(&store));
        let mut asked = 0;
        let (_, in_all) = store.scope(|| heap::growth(|| asked = heap::allocations(record)));
        assert_eq!(asked, 0);
        in_all
    });
    let least = of_system.min().unwrap_or_default();
    assert!(least < 1024, "{least} bytes of the system");
}

#[test]
fn the_heap_that_counts_sees_what_the_engine_asks_for() {
    let _alone = ALONE.lock();
    let store = Store::new();
    assert!(heap::allocations(|| store.scope(|| DYNAMIC.add(1.0, (Side::Buy, "a", None)))) > 0);
    if heap::system().is_some() {
        let kept = Store::new();
        let (here, in_all) = heap::growth(|| kept.scope(|| BARE.add(1)));
        assert!(in_all > here + 4096, "cells are seen too: {here} and {in_all} bytes");
    }
}

#[test]
fn no_recording_into_a_series_that_is_there_asks_for_memory() {
    let (name, long) = (String::from("checkout"), "x".repeat(100));
    let rounds = || {
        (0..100).for_each(|n| record(n, &name, &long));
        begin_and_end(&name);
    };
    assert_free(|_| {
        rounds();
        rounds
    });
    assert_free(|store| {
        rounds();
        store.collect();
        rounds
    });
}

#[test]
fn no_recording_through_a_handle_asks_for_memory_in_its_scope_or_outside() {
    let name = String::from("checkout");
    let bind = || {
        (
            (
                BARE.bind(),
                TYPED.bind((Side::Buy, true)),
                DYNAMIC.bind((Side::Buy, &name, None)),
                NAMES.bind(&name),
            ),
            (ACTIVE.bind(), ACTIVE_TYPED.bind((Side::Buy,)), ACTIVE_DYNAMIC.bind((&name,))),
            (LEVEL.bind(), LEVEL_TYPED.bind((Side::Buy,)), LEVEL_DYNAMIC.bind((&name,))),
            (
                SIZES.bind(),
                SIZES_TYPED.bind((Side::Buy,)),
                DURATION.bind((&name, 200)),
                RESULTS.bind((&name,)),
            ),
        )
    };
    let other = Store::new();
    assert_free(|_| {
        let (counters, ups, levels, sizes) = bind();
        let round = move || {
            counters.0.add(1);
            counters.1.add(1);
            counters.2.add(0.5);
            counters.3.add(1);
            ups.0.add(1);
            ups.1.add(-1);
            ups.2.add(0.5);
            levels.0.set(1);
            levels.1.add(1);
            levels.2.set(0.5);
            sizes.0.record(1);
            sizes.1.record(1);
            sizes.2.record(0.5);
            sizes.3.record(0.5);
        };
        round();
        other.scope(round);
        let (bind, other) = (&bind, &other);
        move || {
            round();
            other.scope(round);
            bind();
        }
    });
}

#[test]
fn what_is_off_or_senseless_asks_for_no_memory_either() {
    let senseless = || {
        BARE_SECONDS.add(-1.0);
        BARE_SECONDS.add(f64::NAN);
        DYNAMIC.add(f64::INFINITY, (Side::Buy, "a", None));
        DURATION.record(f64::NAN, ("a", 1));
    };
    assert_free(|_| {
        senseless();
        senseless
    });
    assert_free(|store| {
        store.set_enabled(false);
        || record(1, "new", "newer")
    });
}

#[test]
fn lists_of_labels_ask_for_no_memory_beyond_their_own() {
    let list = [KeyValue::new("name", "a"), KeyValue::new("code", 200)];
    assert_free(|_| {
        let record = || u64_counter!("free.list", "List", 1, &list[..]);
        record();
        record
    });
}

#[test]
fn a_scope_that_is_entered_again_asks_for_no_memory() {
    let outer = Store::new();
    let enter = || outer.scope(|| record(1, "a", "b"));
    assert_free(|_| {
        enter();
        enter
    });
}

#[test]
fn a_reading_asks_for_no_memory_for_each_histogram_whatever_is_wanted_of_them() {
    let _alone = ALONE.lock();
    let asked = |series: u64, is_late: bool| {
        let store = Store::new();
        let read = || store.read(|reading| reading.families().for_each(|family| family.each(|_| {})));
        let record = || {
            store.scope(|| {
                for n in 0..series {
                    let name = n.to_string();
                    for value in [0.001, 1.0, -1.0, n as f64 + 0.5, 100.0] {
                        DURATION.record(value, (&name, 1));
                        WIDTHS.record(value, (&name,));
                    }
                }
            });
        };
        if is_late {
            record();
            read();
        }
        let exponential = store.want_exponential(Some("free.duration"));
        let bounds =
            ["free.duration", "free.widths"].map(|metric| store.want_bounds(metric, &[0.3]).unwrap());
        record();
        (0..3).for_each(|_| read());
        let asked = heap::allocations(read);
        drop((exponential, bounds));
        asked
    };
    for is_late in [false, true] {
        let (few, many) = (asked(20, is_late), asked(500, is_late));
        // Lists grow.
        assert!(many <= few + 20, "{few} and {many} times, late: {is_late}");
    }
}

#[test]
fn an_instrument_of_run_time_asks_for_no_memory_however_its_labels_are_given() {
    let build = |kind, number, name| Instrument::builder(kind, number, name).build().unwrap();
    let calls = build(Kind::Counter, NumberType::U64, "free.built.calls");
    let open = build(Kind::UpDownCounter, NumberType::I64, "free.built.open");
    let level = build(Kind::Gauge, NumberType::F64, "free.built.level");
    let sizes = build(Kind::Histogram, NumberType::U64, "free.built.sizes");
    let times = build(Kind::Summary, NumberType::F64, "free.built.times");
    let long = "a text that is longer than what is put into words";
    let keys: Vec<String> = (0..12).map(|n| format!("key.{n}")).collect();
    let record = || {
        // All orders of up to four keys, then more keys, and texts that are kept as texts.
        for at in 0..256 {
            let places = [at & 3, at >> 2 & 3, at >> 4 & 3, at >> 6 & 3];
            let different = (1..4).take_while(|at| !places[..*at].contains(&places[*at])).count() + 1;
            calls.add(1u64, places[..different].iter().map(|at| (&*keys[*at], ValueRef::from("v"))));
        }
        for count in 0..=keys.len() {
            let labels = || keys[..count].iter().map(|key| (&**key, ValueRef::from(true)));
            calls.add(1u64, labels());
            open.add(-1i64, labels());
            level.set(1.0, labels());
            level.add(1.0, labels());
            sizes.record(7u64, labels());
            times.record(7.0, labels());
        }
        calls.add(1u64, [("long", ValueRef::from(long))]);
        calls.add(1u64, [("n", ValueRef::from(1)), ("absent", ValueRef::Absent)]);
    };
    let store = Store::new();
    store.scope(|| {
        let bound = [calls.bind([]), calls.bind([("long", ValueRef::from(long))])];
        (0..3).for_each(|_| record());
        store.collect();
        record();
        let asked = heap::allocations(|| {
            record();
            bound.iter().for_each(|bound| bound.add(1u64));
        });
        assert_eq!(asked, 0);
    });
}
