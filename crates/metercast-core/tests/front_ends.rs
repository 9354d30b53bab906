//! What front ends ask of instruments beside recording: totals of others, one value many times, descriptions that come late.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use metercast_core::{Instrument, KeyValue, Kind, LabelRef, NumberType, Store, ValueRef, reading::Point};

const NO_LABELS: [LabelRef<'static>; 0] = [];

fn counter(name: &'static str) -> Instrument {
    Instrument::builder(Kind::Counter, NumberType::U64, name).build().unwrap()
}

fn only_point(store: &Store) -> Point {
    let families = store.collect();
    let [family] = &families[..] else { panic!("{families:?}") };
    let [series] = &family.series[..] else { panic!("{family:?}") };
    series.point.clone()
}

#[test]
fn a_counter_is_raised_by_what_all_threads_together_lack() {
    let (counter, store) = (counter("raised.over.threads"), Store::new());
    let labels = || [("a", ValueRef::from("1"))];
    thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| store.scope(|| (0..10).for_each(|_| counter.add(1u64, labels()))));
        }
    });
    store.scope(|| counter.raise(25, labels()));
    assert_eq!(only_point(&store), Point::U64(30));
    store.scope(|| counter.raise(50, labels()));
    assert_eq!(only_point(&store), Point::U64(50));
}

#[test]
fn threads_that_raise_at_once_add_what_is_lacking_once() {
    let (counter, store) = (counter("raised.at.once"), Store::new());
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| store.scope(|| (1..=300).for_each(|to| counter.raise(to, NO_LABELS))));
        }
    });
    assert_eq!(only_point(&store), Point::U64(300));
}

#[test]
fn a_raise_to_zero_shows_the_series_and_what_is_no_counter_is_not_raised() {
    let store = Store::new();
    let gauge = Instrument::builder(Kind::Gauge, NumberType::F64, "raised.gauge").build().unwrap();
    store.scope(|| gauge.raise(5, NO_LABELS));
    assert!(store.collect().iter().all(|family| family.definition.name() == "metercast.recordings.dropped"));
    let store = Store::new();
    store.scope(|| counter("raised.to.zero").raise(0, NO_LABELS));
    assert_eq!(only_point(&store), Point::U64(0));
}

/// The count and the sum of a distribution without labels.
fn count_and_sum(store: &Store, name: &str) -> (u64, f64) {
    let families = store.collect();
    let family = families.iter().find(|family| family.definition.name() == name).unwrap();
    match &family.series[0].point {
        Point::Histogram(buckets) => (buckets.count(), buckets.sum),
        Point::Exponential(buckets) => (buckets.count(), buckets.sum),
        Point::Summary(summary) => (summary.count, summary.sum),
        point => panic!("{point:?}"),
    }
}

#[test]
fn one_value_many_times_is_in_its_bucket_whatever_the_buckets_are() {
    let builder = |name| Instrument::builder(Kind::Histogram, NumberType::F64, name);
    let summary = Instrument::builder(Kind::Summary, NumberType::F64, "many.summary");
    for distribution in
        [builder("many.bounds").bounds(&[1.0]), builder("many.exponential").exponential(), summary]
    {
        let (distribution, store) = (distribution.build().unwrap(), Store::new());
        store.scope(|| {
            distribution.record_many(0.5, 0, NO_LABELS);
            assert_eq!(count_and_sum(&store, distribution.name()), (0, 0.0));
            distribution.record_many(0.5, 3_000_000_000, NO_LABELS);
            distribution.record_many(0.0, 7, NO_LABELS);
            distribution.record_many(0.5, 1, NO_LABELS);
            distribution.record_many(f64::NAN, 5, NO_LABELS);
        });
        let all = count_and_sum(&store, distribution.name());
        assert_eq!(all, (3_000_000_008, 1_500_000_000.5), "{distribution:?}");
    }
}

#[test]
fn values_of_before_the_first_reading_and_many_at_once_are_all_counted() {
    let distribution =
        Instrument::builder(Kind::Histogram, NumberType::F64, "many.unread").bounds(&[1.0]).build().unwrap();
    let store = Store::new();
    store.scope(|| {
        distribution.record(0.5, NO_LABELS);
        distribution.record_many(2.0, 10, NO_LABELS);
        distribution.record(0.5, NO_LABELS);
    });
    assert_eq!(count_and_sum(&store, "many.unread"), (12, 21.0));
}

#[test]
fn a_description_that_comes_late_is_read_and_one_that_says_something_else_is_a_problem() {
    let (counter, store) = (counter("described.late"), Store::new());
    store.scope(|| counter.add(1u64, NO_LABELS));
    assert_eq!(store.collect()[0].definition.description(), "");
    store.scope(|| {
        counter.describe("", "Said later");
        counter.describe("By", "");
        counter.describe("By", "Said later");
    });
    let definition = &store.collect()[0].definition;
    assert_eq!((definition.unit(), definition.description()), ("By", "Said later"));
    assert_eq!(store.problems(), []);
    store.scope(|| (0..3).for_each(|_| counter.describe("s", "Said otherwise")));
    store.collect();
    let problems: Vec<String> = store.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("two descriptions, \"Said later\""), "{problems:?}");
    assert!(problems[1].contains("two units, \"By\""), "{problems:?}");
    assert_eq!(store.collect()[0].definition.unit(), "By");
}

#[test]
fn who_builds_it_as_it_was_described_gets_the_same_metric() {
    let (early, store) = (counter("described.then.built"), Store::new());
    let builder = || Instrument::builder(Kind::Counter, NumberType::U64, "described.then.built");
    store.scope(|| {
        early.add(1u64, NO_LABELS);
        early.describe("By", "Bytes");
        builder().unit("By").description("Bytes").build().unwrap().add(2u64, NO_LABELS);
    });
    assert_eq!(only_point(&store), Point::U64(3));
    assert_eq!(store.problems(), []);
}

#[test]
fn a_unit_that_would_make_it_another_metric_is_a_problem_and_changes_nothing() {
    let builder = || Instrument::builder(Kind::Counter, NumberType::U64, "described.twice");
    let (bare, store) = (builder().build().unwrap(), Store::new());
    store.scope(|| {
        Store::new().scope(|| builder().unit("By").build().unwrap().add(1u64, NO_LABELS));
        bare.add(1u64, NO_LABELS);
        bare.describe("By", "");
    });
    assert_eq!(store.collect()[0].definition.unit(), "");
    assert!(store.problems()[0].to_string().contains("is another metric in that unit already"));
}

#[test]
fn the_limit_is_that_of_the_current_store() {
    let (counter, store) = (counter("limited"), Store::new());
    store.set_limits(10, 100);
    store.set_limit("limited", 3);
    store.scope(|| {
        counter.add(1u64, [("a", ValueRef::from("1"))]);
        assert_eq!(counter.limit(), 3);
    });
    Store::new().scope(|| assert_eq!(counter.limit(), 2_000));
}

#[test]
fn prepared_labels_record_into_the_series_of_the_same_labels_in_each_store() {
    let counter = counter("prepared");
    let labels = || [("a", ValueRef::from("1")), ("b", ValueRef::from(2))];
    let prepared = Store::new().scope(|| counter.prepare(labels())).unwrap();
    for by in [1u64, 2] {
        let store = Store::new();
        store.scope(|| {
            counter.add_at(by, Some(&prepared), labels);
            counter.add(by, labels());
            counter.add_at(by, Some(&prepared), labels);
            counter.add_at(by, None, labels);
        });
        assert_eq!(only_point(&store), Point::U64(4 * by));
        assert!(store.remove(
            "prepared",
            labels().map(|(key, value)| match value {
                ValueRef::I64(number) => KeyValue::new(key, number),
                _ => KeyValue::new(key, "1"),
            })
        ));
        store.scope(|| counter.add_at(9u64, Some(&prepared), labels));
        assert_eq!(only_point(&store), Point::U64(9));
    }
}

#[test]
fn prepared_labels_record_into_no_series_that_took_the_place_of_theirs() {
    let counter = counter("prepared.replaced");
    let of = |tenant: &'static str| [("tenant", ValueRef::from(tenant))];
    let (store, remove) = (Store::new(), |store: &Store, tenant: &'static str| {
        assert!(store.remove("prepared.replaced", [KeyValue::new("tenant", tenant)]));
        // A reading lets the next series have its memory.
        let _ = store.collect();
    });
    store.scope(|| {
        let prepared = counter.prepare(of("own")).unwrap();
        for _ in 0..3 {
            counter.add_at(1u64, Some(&prepared), || of("own"));
            counter.add_at(1u64, Some(&prepared), || of("own"));
            remove(&store, "own");
            counter.add(1u64, of("other"));
            counter.add_at(5u64, Some(&prepared), || of("own"));
            let families = store.collect();
            let points = families.iter().flat_map(|family| &family.series).map(|series| &series.point);
            assert_eq!(points.collect::<Vec<_>>(), [&Point::U64(1), &Point::U64(5)]);
            remove(&store, "other");
            remove(&store, "own");
        }
    });
}

#[test]
fn while_series_end_and_others_begin_prepared_labels_record_into_their_own_alone() {
    let counter = counter("prepared.churn");
    let of = |tenant: i64| [("tenant", ValueRef::from(tenant))];
    let (store, is_over) = (Store::new(), AtomicBool::new(false));
    let prepared = store.scope(|| counter.prepare(of(0))).unwrap();
    let mut wrong = Vec::new();
    thread::scope(|threads| {
        threads.spawn(|| {
            store.scope(|| {
                while !is_over.load(Relaxed) {
                    counter.add_at(1_000u64, Some(&prepared), || of(0));
                }
            });
        });
        store.scope(|| {
            for tenant in 1..2_000 {
                store.remove("prepared.churn", [KeyValue::new("tenant", 0)]);
                let _ = store.collect();
                counter.add(1u64, of(tenant));
                let families = store.collect();
                wrong.extend(families.iter().flat_map(|family| &family.series).filter_map(|series| {
                    let Point::U64(total) = series.point else { panic!("{series:?}") };
                    let is_own = series.labels.to_string() == "{tenant=0}";
                    let is_right = if is_own { total % 1_000 == 0 } else { total == 1 };
                    (!is_right).then(|| format!("{} {total}", series.labels))
                }));
                store.remove("prepared.churn", [KeyValue::new("tenant", tenant)]);
            }
        });
        is_over.store(true, Relaxed);
    });
    assert_eq!(wrong.first(), None);
}

#[test]
fn gauges_and_histograms_take_prepared_labels_and_what_has_no_such_form_is_recorded_all_the_same() {
    let store = Store::new();
    let gauge = Instrument::builder(Kind::Gauge, NumberType::F64, "prepared.gauge").build().unwrap();
    let histogram =
        Instrument::builder(Kind::Histogram, NumberType::F64, "prepared.histogram").build().unwrap();
    let long = "x".repeat(100);
    store.scope(|| {
        for text in ["1", &long] {
            let labels = || [("a", ValueRef::String(text))];
            let prepared = gauge.prepare(labels());
            assert_eq!(prepared.is_some(), text.len() < 32);
            gauge.set_at(4.0, prepared.as_ref(), labels);
            gauge.add_at(-1.5, prepared.as_ref(), labels);
            gauge.set_at(f64::NAN, prepared.as_ref(), labels);
            let prepared = histogram.prepare(labels());
            histogram.record_at(0.5, prepared.as_ref(), labels);
            histogram.record_at(0.25, prepared.as_ref(), labels);
        }
    });
    let families = store.collect();
    let of = |name| families.iter().find(|family| family.definition.name() == name).unwrap();
    assert!(of("prepared.gauge").series.iter().all(|series| series.point == Point::F64(2.5)));
    assert_eq!((of("prepared.gauge").series.len(), of("prepared.histogram").series.len()), (2, 2));
    for series in &of("prepared.histogram").series {
        let Point::Histogram(buckets) = &series.point else { panic!("{series:?}") };
        assert_eq!((buckets.count(), buckets.sum), (2, 0.75));
    }
    assert_eq!(of("metercast.recordings.dropped").series[0].point, Point::U64(2));
}

#[test]
fn labels_may_raise_another_counter_while_they_are_given() {
    let (outer, inner) = (counter("raised.outer"), counter("raised.inner"));
    let store = Store::new();
    let label = || {
        inner.raise(3, NO_LABELS);
        ("a", ValueRef::from("1"))
    };
    store.scope(|| outer.raise(5, std::iter::once_with(label)));
    let raised: Vec<Point> = store.collect().iter().map(|family| family.series[0].point.clone()).collect();
    assert_eq!(raised, [Point::U64(3), Point::U64(5)]);
}

#[test]
fn more_values_than_can_be_counted_disturb_no_reading() {
    let builder = |name| Instrument::builder(Kind::Histogram, NumberType::F64, name);
    let exponential = builder("many.exponential").exponential().build().unwrap();
    let bounded = builder("many.bounded").bounds(&[1.0]).build().unwrap();
    let store = Store::new();
    store.scope(|| {
        for instrument in [exponential, bounded] {
            for value in [-1.0, 0.0, 1.0, 1e9] {
                instrument.record_many(value, u64::MAX, NO_LABELS);
            }
            instrument.record(1e-9, NO_LABELS);
        }
    });
    // Each wraps around, as counters do.
    for family in store.collect() {
        let count = match &family.series[0].point {
            Point::Histogram(buckets) => buckets.count(),
            Point::Exponential(buckets) => buckets.count(),
            other => panic!("{other:?}"),
        };
        assert_eq!(count, 0u64.wrapping_sub(4) + 1, "{}", family.definition.name());
    }
}

#[test]
fn a_guard_goes_back_to_its_store_and_series_and_is_nothing_on_another_kind() {
    let active = Instrument::builder(Kind::UpDownCounter, NumberType::F64, "guarded").build().unwrap();
    let (store, other) = (Store::new(), Store::new());
    let (bare, labelled) =
        store.scope(|| (active.guard(NO_LABELS), active.guard([("a", ValueRef::from("1"))])));
    other.scope(|| drop(bare));
    let families = store.collect();
    let points: Vec<_> = families[0].series.iter().map(|series| series.point.clone()).collect();
    assert_eq!(points, [Point::F64(0.0), Point::F64(1.0)]);
    thread::spawn(|| drop(labelled)).join().unwrap();
    assert_eq!(store.collect()[0].series[1].point, Point::F64(0.0));
    assert!(other.collect().is_empty());

    let store = Store::new();
    store.scope(|| drop(counter("guarded.as.counter").guard(NO_LABELS)));
    let names: Vec<_> = store.collect().iter().map(|family| family.definition.name().to_owned()).collect();
    assert_eq!(names, ["metercast.recordings.dropped"]);
}
