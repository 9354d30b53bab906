//! What is recorded is what is read, in every form that a recording can take.

use std::thread;

use metercast_core::reading::Point;
use metercast_core::{KeyValue, Store, labels, metrics};

labels! {
    /// The side of an order.
    enum Side { Buy, Sell }
    /// How a job ended.
    enum Outcome { Done, Failed, GaveUp = "gave-up" }
}

metrics! {
    /// Orders.
    static ORDERS: Counter<u64> = "orders" { unit: "{order}" };
    /// By side.
    static BY_SIDE: Counter<u64> = "orders.by.side" { labels: { side: Side } };
    /// By everything that is bounded.
    static DENSE: Counter<f64> = "dense" { labels: { side: Side, outcome: Outcome, hot: bool } };
    /// With a label that is not bounded.
    static BY_REGION: Counter<u64> = "orders.by.region" { labels: { side: Side, region: &str, "http.status": u16 } };
    /// In flight.
    static ACTIVE: UpDownCounter<i64> = "active";
    /// In flight by region.
    static ACTIVE_BY: UpDownCounter<i64> = "active.by" { labels: { region: &str } };
    /// In flight by side, with fractions.
    static WEIGHT: UpDownCounter<f64> = "weight" { labels: { side: Side } };
    /// A level.
    static LEVEL: Gauge<i64> = "level";
    /// A level by side.
    static LEVEL_BY: Gauge<f64> = "level.by" { labels: { side: Side } };
    /// How long.
    static DURATION: Histogram<f64> = "duration" { unit: "s", buckets: [1, 2.5, 10], labels: { side: Side } };
    /// How large.
    static SIZE: Histogram<u64> = "size" { unit: "By" };
    /// A timer in milliseconds.
    static WAITED: Histogram<u64> = "waited" { unit: "ms" };
}

/// All series of a store, a line each: `name{labels} value`.
fn lines(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    for family in store.collect() {
        for series in family.series {
            let point = match series.point {
                Point::U64(value) => value.to_string(),
                Point::I64(value) => value.to_string(),
                Point::F64(value) => format!("{value:?}"),
                Point::Histogram(buckets) => format!("{:?} sum {}", buckets.counts, buckets.sum),
                other => format!("{other:?}"),
            };
            lines.push(format!("{}{} {point}", family.definition.name(), series.labels));
        }
    }
    lines
}

fn recorded(record: impl FnOnce()) -> Vec<String> {
    let store = Store::new();
    store.scope(record);
    assert_eq!(store.problems(), []);
    lines(&store)
}

#[test]
fn counters_add_up() {
    let lines = recorded(|| {
        ORDERS.add(1);
        ORDERS.add(2);
        BY_SIDE.add(5, (Side::Sell,));
        for hot in [false, true] {
            DENSE.add(0.5, (Side::Buy, Outcome::GaveUp, hot));
        }
        BY_REGION.add(1, (Side::Buy, "eu", 200));
        BY_REGION.add(1, (Side::Buy, String::from("eu").as_str(), 200));
    });
    assert_eq!(
        lines,
        [
            "dense{hot=false,outcome=\"gave-up\",side=\"buy\"} 0.5",
            "dense{hot=true,outcome=\"gave-up\",side=\"buy\"} 0.5",
            "orders 3",
            "orders.by.region{http.status=200,region=\"eu\",side=\"buy\"} 2",
            "orders.by.side{side=\"sell\"} 5",
        ]
    );
}

#[test]
fn adding_zero_makes_a_series_appear() {
    let lines = recorded(|| {
        ORDERS.add(0);
        BY_SIDE.add(0, (Side::Buy,));
        ACTIVE.add(0);
        DENSE.add(0.0, (Side::Sell, Outcome::Done, true));
    });
    assert_eq!(
        lines,
        [
            "active 0",
            "dense{hot=true,outcome=\"done\",side=\"sell\"} 0.0",
            "orders 0",
            "orders.by.side{side=\"buy\"} 0"
        ]
    );
}

#[test]
fn an_up_down_counter_that_is_back_at_zero_is_still_there() {
    let lines = recorded(|| {
        ACTIVE.add(3);
        ACTIVE.add(-3);
        ACTIVE_BY.add(-2, ("eu",));
        WEIGHT.add(1.5, (Side::Buy,));
        WEIGHT.add(-0.5, (Side::Buy,));
    });
    assert_eq!(lines, ["active 0", "active.by{region=\"eu\"} -2", "weight{side=\"buy\"} 1.0"]);
}

#[test]
fn the_extremes_of_i64_are_kept() {
    let lines = recorded(|| {
        ACTIVE.add(i64::MIN);
        ACTIVE_BY.add(i64::MAX, ("max",));
        LEVEL.set(i64::MIN);
    });
    assert_eq!(
        lines,
        [
            format!("active {}", i64::MIN),
            format!("active.by{{region=\"max\"}} {}", i64::MAX),
            format!("level {}", i64::MIN)
        ]
    );
}

#[test]
fn a_guard_goes_down_in_the_store_and_series_it_went_up_in() {
    let (store, other) = (Store::new(), Store::new());
    let guards = store.scope(|| (ACTIVE.guard(), ACTIVE_BY.guard(("eu",)), WEIGHT.guard((Side::Sell,))));
    assert_eq!(lines(&store), ["active 1", "active.by{region=\"eu\"} 1", "weight{side=\"sell\"} 1.0"]);
    thread::spawn(move || other.scope(|| drop(guards))).join().unwrap();
    assert_eq!(lines(&store), ["active 0", "active.by{region=\"eu\"} 0", "weight{side=\"sell\"} 0.0"]);
}

#[test]
fn a_guard_goes_down_when_its_owner_panics() {
    let store = Store::new();
    let panicked = store.clone();
    let result = thread::spawn(move || {
        panicked.scope(|| {
            let _guard = ACTIVE.guard();
            panic!("on purpose");
        })
    })
    .join();
    assert!(result.is_err());
    assert_eq!(lines(&store), ["active 0"]);
}

#[test]
fn of_a_gauge_the_last_value_stays() {
    let lines = recorded(|| {
        LEVEL.set(5);
        LEVEL.set(-7);
        LEVEL.add(2);
        LEVEL_BY.add(1.5, (Side::Buy,));
        LEVEL_BY.set(0.0, (Side::Sell,));
    });
    assert_eq!(lines, ["level -5", "level.by{side=\"buy\"} 1.5", "level.by{side=\"sell\"} 0.0"]);
}

#[test]
fn histograms_count_into_buckets_whose_bounds_belong_to_them() {
    let lines = recorded(|| {
        for value in [0.5, 1.0, 1.1, 2.5, 10.0, 10.1, -3.0] {
            DURATION.record(value, (Side::Buy,));
        }
        SIZE.record(5);
    });
    assert_eq!(lines[0], "duration{side=\"buy\"} [3, 2, 1, 1] sum 22.2");
    assert!(lines[1].starts_with("size [0, 1, 0, 0"), "{lines:?}");
}

#[test]
fn a_timer_records_when_it_is_dropped_unless_it_is_discarded() {
    let store = Store::new();
    store.scope(|| {
        drop(DURATION.start((Side::Sell,)));
        DURATION.start((Side::Sell,)).discard();
    });
    let (timer, other) = (store.scope(|| WAITED.start()), Store::new());
    other.scope(|| drop(timer));
    let family = store.collect();
    let Point::Histogram(buckets) = &family[0].series[0].point else { panic!("{family:?}") };
    assert_eq!(buckets.counts, [1, 0, 0, 0]);
    assert!(buckets.sum > 0.0 && buckets.sum < 1.0);
    assert_eq!(family[1].definition.name(), "waited");
    assert!(other.collect().is_empty());
}

#[test]
fn what_makes_no_sense_is_dropped_and_counted() {
    let lines = recorded(|| {
        DENSE.add(f64::NAN, (Side::Buy, Outcome::Done, true));
        DENSE.add(-1.0, (Side::Buy, Outcome::Done, true));
        LEVEL_BY.set(f64::INFINITY, (Side::Buy,));
        DURATION.record(f64::NEG_INFINITY, (Side::Buy,));
        metercast_core::u64_counter!("calls", "Calls", -1);
        metercast_core::f64_counter!("calls.f", "Calls", f64::NAN, "a" => "b");
    });
    assert_eq!(
        lines,
        [
            "metercast.recordings.dropped{reason=\"not_finite\"} 4",
            "metercast.recordings.dropped{reason=\"out_of_range\"} 2"
        ]
    );
}

#[test]
fn call_sites_take_labels_in_every_form() {
    let route = String::from("/");
    let attributes = vec![KeyValue::new("http.route", "/"), KeyValue::new("status", 200)];
    let lines = recorded(|| {
        use metercast_core::*;
        u64_counter!("forms", "Forms", 1, "http.route" => "/", "status" => 200);
        u64_counter!("forms", "Forms", 1, "http.route" = "/", "status" = 200,);
        u64_counter!("forms", "Forms", 1, http.route = "/", status = 200);
        u64_counter!("forms", "Forms", 1, http.route => route, "status" => 200u16);
        u64_counter!("forms", "Forms", 1, "status" = 200, http.route = &route);
        u64_counter!("forms", "Forms", 1, attributes);
        u64_counter!("forms", "Forms", 1, &attributes);
        u64_counter!("forms", "Forms", 1, &attributes[..]);
        u64_counter!("forms", "Forms", 1, [KeyValue::new("status", 200), KeyValue::new("http.route", "/")]);
        u64_counter!(
            "forms",
            "Forms",
            1,
            vec![KeyValue::new("status", 200), KeyValue::new("http.route", "/")]
        );
        u64_counter!("forms", "Forms", 1, "http.route" => "/".to_owned(), "status" => 199 + 1);
        u64_counter!(forms, "Forms", 1, attributes.clone());
        u64_counter!(forms.dotted, "Forms", 1, "n" => -1, "m" => -1.5, "neg" => -i64::from(2u8));
        u64_counter!("forms", "Forms", 100);
        u64_counter!("forms", "Forms", 100, []);
    });
    assert_eq!(
        lines,
        ["forms 200", "forms{http.route=\"/\",status=200} 12", "forms.dotted{m=-1.5,n=-1,neg=-2} 1"]
    );
}

#[test]
fn every_call_site_macro_records_its_kind() {
    let store = Store::new();
    store.scope(|| {
        use metercast_core::*;
        u64_counter_with_unit!("a", "A", "{a}", 1);
        f64_counter_with_unit!("b", "B", "s", 1, "k" => "v");
        i64_up_down_counter!("c", "C", -1);
        i64_up_down_counter_with_unit!("d", "D", "{d}", 2, "k" => "v");
        f64_up_down_counter!("e", "E", -1.5, "k" => "v".to_string());
        f64_up_down_counter_with_unit!("f", "F", "s", 1);
        u64_gauge!("g", "G", 7);
        u64_gauge_with_unit!("h", "H", "By", 7, "k" => "v");
        i64_gauge!("i", "I", -7);
        i64_gauge_with_unit!("j", "J", "By", -7);
        f64_gauge!("k", "K", 1);
        f64_gauge_with_unit!("l", "L", "Cel", 20.5, "k" => "v");
        u64_histogram!("m", "M", 3);
        u64_histogram_with_unit!("n", "N", "By", 3, "k" => "v");
        f64_histogram!("o", "O", 3.5, "k" => "v");
        f64_histogram_with_unit!("p", "P", "s", std::time::Duration::from_millis(2));
    });
    let described: Vec<_> = store
        .collect()
        .iter()
        .map(|family| {
            let definition = &family.definition;
            format!(
                "{} {} {:?} {}",
                definition.name(),
                definition.kind(),
                definition.number(),
                definition.unit()
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            "a counter U64 {a}",
            "b counter F64 s",
            "c up-down counter I64 ",
            "d up-down counter I64 {d}",
            "e up-down counter F64 ",
            "f up-down counter F64 s",
            "g gauge U64 ",
            "h gauge U64 By",
            "i gauge I64 ",
            "j gauge I64 By",
            "k gauge F64 ",
            "l gauge F64 Cel",
            "m histogram U64 ",
            "n histogram U64 By",
            "o histogram F64 ",
            "p histogram F64 s"
        ]
    );
}

#[test]
fn a_definition_knows_its_crate_help_and_place() {
    let store = Store::new();
    store.scope(|| ORDERS.add(1));
    let definition = &store.collect()[0].definition;
    assert_eq!(definition.description(), "Orders.");
    assert_eq!(definition.scope().name, "metercast-core");
    assert!(definition.place().to_string().contains("recording.rs:"), "{}", definition.place());
}

#[test]
fn two_kinds_under_one_name_are_reported_once_and_the_second_is_left_out() {
    let store = Store::new();
    store.scope(|| {
        for _ in 0..3 {
            metercast_core::u64_counter!("twofold", "One", 1);
            metercast_core::f64_gauge!("twofold", "Two", 2.5);
            metercast_core::u64_counter!("innocent", "Three", 1);
        }
    });
    for _ in 0..2 {
        assert_eq!(lines(&store), ["innocent 3", "twofold 3"]);
    }
    let problems = store.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let text = problems[0].to_string();
    assert!(text.contains("a counter of u64") && text.contains("a gauge of f64"), "{text}");
    assert_eq!(text.matches("recording.rs:").count(), 2, "{text}");
}

#[test]
fn in_another_store_the_same_name_may_be_another_kind() {
    let store = Store::new();
    store.scope(|| metercast_core::u64_counter!("of.two.stores", "One", 1));
    let other = Store::new();
    other.scope(|| metercast_core::f64_gauge!("of.two.stores", "Two", 2.5));
    assert_eq!(lines(&store), ["of.two.stores 1"]);
    assert_eq!(lines(&other), ["of.two.stores 2.5"]);
    assert!(store.problems().is_empty() && other.problems().is_empty());
}

#[test]
fn an_invalid_name_is_reported_once_and_its_recordings_are_counted() {
    let store = Store::new();
    store.scope(|| {
        for _ in 0..2 {
            metercast_core::u64_counter!("bad name", "Bad", 1);
            metercast_core::u64_counter!("9th", "Bad", 1, "a" => String::new());
        }
    });
    assert_eq!(lines(&store), ["metercast.recordings.dropped{reason=\"invalid_definition\"} 4"]);
    assert_eq!(store.problems().len(), 2, "{:?}", store.problems());
}

#[test]
fn labels_that_are_odd_are_mended_and_reported_once() {
    let store = Store::new();
    store.scope(|| {
        for _ in 0..2 {
            let twice = [KeyValue::new("a", 1), KeyValue::new("a", 2)];
            metercast_core::u64_counter!("odd", "Odd", 1, twice);
            metercast_core::u64_counter!("odd", "Odd", 1, [KeyValue::new("", 1), KeyValue::new("a", 2)]);
        }
    });
    assert_eq!(lines(&store), ["odd{a=2} 4"]);
    let problems: Vec<_> = store.problems().iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("\"a\" twice") && problems[1].contains("without a name"), "{problems:?}");
}

#[test]
fn slots_that_another_metric_came_between_are_not_taken_for_neighbours() {
    labels! { enum Letter { A, B } }
    metrics! {
        /// Comes between.
        static BETWEEN: Counter<u64> = "between";
        /// Typed, after its two series were written as literals.
        static TYPED: Counter<u64> = "neighbours" { labels: { letter: Letter } };
    }
    let lines = recorded(|| {
        metercast_core::u64_counter!("neighbours", "Typed, after its two series were written as literals.", 1, "letter" => "a");
        BETWEEN.add(1);
        metercast_core::u64_counter!("neighbours", "Typed, after its two series were written as literals.", 1, "letter" => "b");
        for _ in 0..100 {
            TYPED.add(1, (Letter::B,));
        }
    });
    assert_eq!(lines, ["between 1", "neighbours{letter=\"a\"} 1", "neighbours{letter=\"b\"} 101"]);
}

#[test]
fn whole_numbers_above_i64_are_different_labels() {
    let lines = recorded(|| {
        for id in [u64::MAX, u64::MAX - 1, 1 << 63, 1] {
            metercast_core::u64_counter!("large.ids", "Large ids", 1, "id" => id);
        }
    });
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.contains(&"large.ids{id=18446744073709551615} 1".to_owned()), "{lines:?}");
}

#[test]
fn a_duration_is_recorded_in_the_unit_of_its_instrument() {
    let half = std::time::Duration::from_millis(500);
    let lines = recorded(|| {
        metercast_core::f64_gauge_with_unit!("d.ms", "D", "ms", half);
        metercast_core::f64_gauge_with_unit!("d.s", "D", "s", half);
        metercast_core::f64_gauge!("d.none", "D", half);
    });
    assert_eq!(lines, ["d.ms 500.0", "d.none 0.5", "d.s 0.5"]);
}

#[test]
fn labels_that_are_odd_in_the_program_text_are_reported_too() {
    let store = Store::new();
    store.scope(|| {
        metercast_core::u64_counter!("odd.text", "Odd", 1, "k" => 1, "k" => 2);
        metercast_core::u64_counter!("odd.text", "Odd", 1, "" => 1);
    });
    assert_eq!(lines(&store), ["odd.text 1", "odd.text{k=2} 1"]);
    assert_eq!(store.problems().len(), 2, "{:?}", store.problems());
}

#[test]
fn every_store_hears_of_a_definition_that_is_not_valid() {
    fn invalid() {
        metercast_core::u64_counter!("not valid", "Bad", 1);
    }
    for _ in 0..2 {
        let store = Store::new();
        store.scope(invalid);
        assert_eq!(store.problems().len(), 1, "{:?}", store.problems());
    }
}

#[test]
fn a_description_is_joined_to_a_line_for_each_paragraph() {
    metrics! {
        /// Orders accepted by
        /// the matching engine.
        ///
        /// Not those refused.
        static WRAPPED: Counter<u64> = "wrapped";
    }
    let store = Store::new();
    store.scope(|| WRAPPED.add(1));
    assert_eq!(
        store.collect()[0].definition.description(),
        "Orders accepted by the matching engine.\nNot those refused."
    );
}

#[test]
fn the_macros_do_not_meddle_with_names_of_the_program() {
    const SITE: &str = "mine";
    let lines = recorded(|| metercast_core::u64_counter!("hygiene", "Hygiene", 1, "site" => SITE));
    assert_eq!(lines, ["hygiene{site=\"mine\"} 1"]);
}

#[test]
fn beyond_the_limit_everything_lands_in_one_series_exactly() {
    let store = Store::new();
    store.scope(|| {
        for n in 0..3000 {
            BY_REGION.add(2, (Side::Buy, &format!("region {n}"), 200));
        }
    });
    let families = store.collect();
    assert_eq!(families[0].definition.name(), "metercast.series.limits_reached");
    assert_eq!(families[0].series[0].labels.to_string(), "{metric=\"orders.by.region\"}");
    let series = &families[1].series;
    assert_eq!(series.len(), 2001);
    let overflow: Vec<_> = series.iter().filter(|s| s.labels.get("otel.metric.overflow").is_some()).collect();
    assert_eq!(overflow.len(), 1);
    assert_eq!(overflow[0].point, Point::U64(2000));
    assert_eq!(store.problems().len(), 1);
    assert!(store.problems()[0].to_string().contains("orders.by.region"));
}

#[test]
fn a_store_that_is_off_keeps_nothing() {
    let store = Store::new();
    store.set_enabled(false);
    store.scope(|| {
        ORDERS.add(1);
        BY_REGION.add(1, (Side::Buy, "eu", 200));
        LEVEL.set(1);
        SIZE.record(1);
        DENSE.add(-1.0, (Side::Buy, Outcome::Done, true));
        drop(ACTIVE.guard());
        drop(WAITED.start());
    });
    assert!(store.collect().is_empty(), "{:?}", store.collect());
}

#[test]
fn the_buckets_of_one_name_may_differ_between_stores_and_within_one_the_first_stay() {
    fn narrow() {
        metrics! {
            /// Of two minds.
            static NARROW: Histogram<f64> = "of.two.minds" { buckets: [1] };
        }
        NARROW.record(1.5);
    }
    fn wide() {
        metrics! {
            /// Of two minds.
            static WIDE: Histogram<f64> = "of.two.minds" { buckets: [1, 2] };
        }
        WIDE.record(1.5);
    }
    let (first, second, both) = (Store::new(), Store::new(), Store::new());
    first.scope(narrow);
    second.scope(wide);
    assert_eq!(lines(&first), ["of.two.minds [0, 1] sum 1.5"]);
    assert_eq!(lines(&second), ["of.two.minds [0, 1, 0] sum 1.5"]);
    assert!(first.problems().is_empty() && second.problems().is_empty());
    metrics! {
        /// Of two minds.
        static LABELLED: Histogram<f64> = "of.two.minds" { buckets: [3], labels: { a: &str } };
    }
    both.scope(|| {
        wide();
        LABELLED.record(0.5, ("b",));
        metercast_core::f64_histogram!("of.two.minds", "Of two minds.", 0.5, "a" => "says nothing of buckets");
    });
    assert_eq!(
        lines(&both),
        [
            "of.two.minds [0, 1, 0] sum 1.5",
            "of.two.minds{a=\"b\"} [1, 0, 0] sum 0.5",
            "of.two.minds{a=\"says nothing of buckets\"} [1, 0, 0] sum 0.5"
        ]
    );
    let problems = both.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("other buckets"), "{problems:?}");
}

metercast_core::metrics! {
    /// Time to settle, over buckets that follow the values.
    static SETTLE: Histogram<f64> = "settle.exponential" { unit: "s", exponential: true, labels: { side: Side } };
    /// Sizes of results.
    static SIZES: Summary<u64> = "sizes.of.late" { unit: "By", quantiles: [0.0, 0.5, 1.0], labels: { side: Side } };
    /// A summary that leaves everything open.
    static OPEN: Summary<f64> = "sizes.open";
}

#[test]
fn an_exponential_histogram_follows_its_values_on_all_threads() {
    let store = Store::new();
    std::thread::scope(|threads| {
        for thread in 1..=4 {
            let store = &store;
            threads.spawn(move || {
                store.scope(|| {
                    (1..=100).for_each(|n| SETTLE.record(f64::from(thread * n), (Side::Buy,)));
                    SETTLE.record(0.0, (Side::Buy,));
                    SETTLE.record(-2.0, (Side::Buy,));
                });
            });
        }
    });
    let Point::Exponential(settle) = store.collect()[0].series[0].point.clone() else { panic!() };
    assert_eq!((settle.count(), settle.zero_count, settle.negative.counts.iter().sum::<u64>()), (408, 4, 4));
    assert_eq!((settle.sum, settle.min, settle.max), (50500.0 - 8.0, Some(-2.0), Some(400.0)));
    assert!(settle.positive.counts.len() <= 160 && settle.scale > 0);
}

#[test]
fn a_summary_has_the_quantiles_it_names_or_the_usual_ones_and_none_of_nothing() {
    let store = Store::new();
    store.scope(|| {
        (1..=1000).for_each(|n| SIZES.record(n, (Side::Buy,)));
        OPEN.record(f64::NAN);
        SIZES.start((Side::Sell,)).discard();
    });
    let families = store.collect();
    let of = |name: &str| families.iter().find(|family| family.definition.name() == name).unwrap();
    let Point::Summary(buy) = of("sizes.of.late").series[0].point.clone() else { panic!() };
    assert_eq!((buy.count, buy.sum), (1000, 500_500.0));
    let [(0.0, least), (0.5, middle), (1.0, most)] = buy.quantiles[..] else { panic!("{buy:?}") };
    assert!((least - 1.0).abs() < 0.02 && (middle - 500.0).abs() < 6.0 && (most - 1000.0).abs() < 12.0);
    let Point::Summary(sell) = of("sizes.of.late").series[1].point.clone() else { panic!() };
    assert_eq!((sell.count, sell.quantiles), (0, vec![]));
    store.scope(|| OPEN.record(3.0));
    let families = store.collect();
    let open = families.iter().find(|family| family.definition.name() == "sizes.open").unwrap();
    let Point::Summary(open) = open.series[0].point.clone() else { panic!() };
    assert_eq!(
        open.quantiles.iter().map(|(quantile, _)| *quantile).collect::<Vec<_>>(),
        [0.5, 0.9, 0.95, 0.99]
    );
}
