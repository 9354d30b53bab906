//! Metrics that somebody else keeps, said whenever a store is read.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metercast_core::reading::{Exponential, Family, Point};
use metercast_core::{
    Exemplar, KeyValue, Kind, NumberType, Observation, Produced, Producer, PrometheusType, SpanContext,
    Store, metrics, u64_counter,
};

metrics! {
    /// Ours.
    static OURS: Counter<u64> = "producers.ours";
}

/// A producer that says what is put into it.
type Script = Arc<Mutex<Box<dyn FnMut(&mut Producer<'_>) + Send>>>;

fn scripted(store: &Store) -> (Script, Observation) {
    let script: Script = Arc::new(Mutex::new(Box::new(|_: &mut Producer<'_>| {})));
    let runs = Arc::clone(&script);
    let observation = store.produce("the script", move |producer| runs.lock().unwrap()(producer));
    (script, observation)
}

fn says(script: &Script, f: impl FnMut(&mut Producer<'_>) + Send + 'static) {
    *script.lock().unwrap() = Box::new(f);
}

fn family(store: &Store, name: &str) -> Option<Family> {
    store.collect().into_iter().find(|family| family.definition.name() == name)
}

fn problems(store: &Store) -> Vec<String> {
    store.problems().iter().map(ToString::to_string).collect()
}

fn count_of(store: &Store, name: &str) -> usize {
    family(store, name).map_or(0, |family| family.series.len())
}

#[test]
fn values_of_every_kind_come_as_they_were_said() {
    let store = Store::new();
    let mut exponential = Exponential::default();
    (exponential.scale, exponential.positive.offset, exponential.positive.counts) = (2, -3, vec![1, 0, 4]);
    (exponential.zero_count, exponential.sum) = (2, 7.5);
    let of_producer = exponential.clone();
    let _producer = store.produce("all kinds", move |producer| {
        let labels = [("zone", "eu".into()), ("shard", (&3i64).into())];
        let counter = Produced::new("producers.kinds.a", Kind::Counter).number(NumberType::U64);
        producer.family(&counter).series(&labels).set(u64::MAX);
        let gauge = Produced::new("producers.kinds.b", Kind::Gauge).unit("Cel").description("How warm.");
        producer.family(&gauge).series(&labels).set(f64::NEG_INFINITY);
        let level = Produced::new("producers.kinds.c", Kind::UpDownCounter).number(NumberType::I64);
        producer.family(&level).series(&[]).set(-5i64);
        let times = Produced::new("producers.kinds.d", Kind::Histogram).unit("s");
        producer.family(&times).series(&labels).histogram(&[0.5, 2.0], &[1, 2, 3], 9.5);
        let widths = Produced::new("producers.kinds.e", Kind::Histogram);
        producer.family(&widths).series(&labels).exponential(&of_producer);
        let sizes = Produced::new("producers.kinds.f", Kind::Summary);
        producer.family(&sizes).series(&labels).summary(4, 8.0, &[(0.5, 1.0), (0.99, 3.0)]);
    });
    let points: Vec<Point> =
        store.collect().into_iter().map(|family| family.series[0].point.clone()).collect();
    assert_eq!(points[0], Point::U64(u64::MAX));
    assert_eq!(points[1], Point::F64(f64::NEG_INFINITY));
    assert_eq!(points[2], Point::I64(-5));
    let Point::Histogram(buckets) = &points[3] else { panic!("{points:?}") };
    assert_eq!((buckets.bounds, &buckets.counts[..], buckets.sum), (&[0.5, 2.0][..], &[1, 2, 3][..], 9.5));
    assert_eq!(points[4], Point::Exponential(exponential));
    let Point::Summary(summary) = &points[5] else { panic!("{points:?}") };
    assert_eq!((summary.count, summary.sum), (4, 8.0));
    assert_eq!(summary.quantiles, [(0.5, 1.0), (0.99, 3.0)]);
    let gauge = family(&store, "producers.kinds.b").unwrap();
    assert_eq!((gauge.definition.unit(), gauge.definition.description()), ("Cel", "How warm."));
    assert_eq!(gauge.series[0].labels.to_string(), "{shard=3,zone=\"eu\"}");
    assert!(gauge.definition.is_produced() && gauge.definition.prometheus_type().is_none());
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn it_is_run_once_for_each_reading_and_ends_with_its_handle() {
    let store = Store::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let producer = store.produce("a counter of runs", move |producer| {
        counted.fetch_add(1, Relaxed);
        let family = Produced::new("producers.runs", Kind::Gauge);
        producer.family(&family).series(&[]).set(counted.load(Relaxed) as f64);
        // What it records itself is read as well.
        OURS.add(1);
    });
    for round in 1..4u32 {
        assert_eq!(family(&store, "producers.runs").unwrap().series[0].point, Point::F64(round.into()));
    }
    assert_eq!(family(&store, "producers.ours").unwrap().series[0].point, Point::U64(4));
    drop(producer);
    assert_eq!((count_of(&store, "producers.runs"), runs.load(Relaxed)), (0, 4));
    store.set_enabled(false);
    let _none = store.produce("not run", |_| panic!("the store is off"));
    store.collect();
}

#[test]
fn what_somebody_else_counts_anew_gets_a_new_start() {
    let store = Store::new();
    let (total, count) = (Arc::new(AtomicU64::new(5)), Arc::new(AtomicU64::new(2)));
    let (of_total, of_count) = (Arc::clone(&total), Arc::clone(&count));
    let _producer = store.produce("counts", move |producer| {
        let counter = Produced::new("producers.anew.total", Kind::Counter);
        if of_total.load(Relaxed) > 0 {
            producer.family(&counter).series(&[]).set(of_total.load(Relaxed) as f64);
        }
        let times = Produced::new("producers.anew.times", Kind::Histogram);
        let counts = [of_count.load(Relaxed), 1];
        producer.family(&times).series(&[]).histogram(&[1.0], &counts, 3.0);
    });
    let started = |name: &str| family(&store, name).unwrap().series[0].started;
    let first = (started("producers.anew.total"), started("producers.anew.times"));
    total.store(9, Relaxed);
    assert_eq!((started("producers.anew.total"), started("producers.anew.times")), first);
    total.store(8, Relaxed);
    count.store(1, Relaxed);
    let second = (started("producers.anew.total"), started("producers.anew.times"));
    assert!(second.0 > first.0 && second.1 > first.1, "{first:?} {second:?}");
    // One that was away and comes back with more goes on.
    total.store(0, Relaxed);
    assert_eq!(count_of(&store, "producers.anew.total"), 0);
    total.store(20, Relaxed);
    assert_eq!(started("producers.anew.total"), second.0);
}

#[test]
fn whatever_is_said_in_whichever_order_comes_as_it_was_said_since_its_first_time() {
    let orders: [&[i64]; 10] = [
        &[1, 2, 3, 4],
        &[1, 2, 3, 4],
        &[1, 2, 3],
        &[1, 2, 3, 4, 5],
        &[1, 3, 2, 5, 4],
        &[5, 4, 3, 2, 1],
        &[5, 4, 3, 3, 2, 1, 5],
        &[],
        &[2, 1],
        &[2, 1, 6, 7, 8, 9],
    ];
    let (store, mut runs) = (Store::new(), 0..);
    let _producer = store.produce("orders", move |producer| {
        let run: usize = runs.next().unwrap();
        let mut family = producer.family(&Produced::new("producers.orders", Kind::Gauge));
        for (at, label) in orders[run].iter().enumerate() {
            family.series(&[("a", (*label).into()), ("b", "x".into())]).set((run * 100 + at) as f64);
        }
    });
    let mut starts = HashMap::new();
    for (run, order) in orders.iter().enumerate() {
        let said = |label: &i64| order.iter().position(|one| one == label).map(|at| (run * 100 + at) as f64);
        let series = family(&store, "producers.orders").map_or(Vec::new(), |family| family.series);
        let mut labels: Vec<i64> = order.to_vec();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(series.len(), labels.len(), "{order:?}");
        for label in labels {
            let spelled = format!("{{a={label},b=\"x\"}}");
            let of: Vec<_> = series.iter().filter(|one| one.labels.to_string() == spelled).collect();
            let [one] = of[..] else { panic!("{label} in {order:?}: {series:?}") };
            assert_eq!(one.point, Point::F64(said(&label).unwrap()), "{label} in {order:?}");
            assert_eq!(*starts.entry(label).or_insert(one.started), one.started, "{label} in {order:?}");
        }
    }
}

#[test]
fn a_start_that_is_said_stands_until_the_values_tell_otherwise() {
    let store = Store::new();
    let (script, _producer) = scripted(&store);
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let say = |total: f64, seconds| {
        says(&script, move |producer| {
            let counter = Produced::new("producers.said", Kind::Counter);
            producer.family(&counter).series(&[]).started(at(seconds)).set(total);
        });
        family(&store, "producers.said").unwrap().series[0].started
    };
    assert_eq!(say(5.0, 100), at(100));
    assert_eq!(say(3.0, 200), at(200), "it began anew, and says so");
    let now = SystemTime::now();
    let anew = say(1.0, 200);
    assert!(anew >= now, "it says that it did not, but it did");
    assert_eq!(say(2.0, 200), anew);
}

#[test]
fn exemplars_come_along_with_the_time_at_which_they_were_first_said() {
    let (store, before) = (Store::new(), SystemTime::now());
    let dated = Exemplar::new(0.7).time(UNIX_EPOCH).span(SpanContext::new([1; 16], [2; 8]));
    let dated = dated.time(before).labels([KeyValue::new("user", "a")]);
    let said = [vec![Exemplar::new(1.5)], vec![dated.clone(); 100]].concat();
    let _producer = store.produce("exemplars", move |producer| {
        let times = Produced::new("producers.exemplars", Kind::Histogram);
        producer.family(&times).series(&[]).exemplars(&said).histogram(&[1.0], &[1, 1], 2.2);
    });
    let exemplars = || {
        let mut all = Vec::new();
        store.read(|reading| {
            reading
                .families()
                .for_each(|family| family.each(|series| all.extend_from_slice(series.exemplars)));
        });
        all
    };
    let first = exemplars();
    assert_eq!(first.len(), 64, "no more than that");
    assert_eq!(first[..63], vec![dated; 63]);
    assert!(first[63].value == 1.5 && first[63].time >= before, "{:?}", first[63]);
    assert_eq!(exemplars(), first);
}

#[test]
fn what_the_program_records_keeps_its_name_before_and_after() {
    for ours_first in [true, false] {
        let store = Store::new();
        let record = || store.scope(|| u64_counter!("producers.name", "", 7));
        if ours_first {
            record();
        }
        let _producer = store.produce("the other", |producer| {
            // Of the same kind, and of another.
            let counter = Produced::new("producers.name", Kind::Counter).number(NumberType::U64);
            producer.family(&counter).series(&[("a", "b".into())]).set(1u64);
            let gauge = Produced::new("producers.name", Kind::Gauge);
            producer.family(&gauge).series(&[]).set(2.0);
        });
        store.collect();
        record();
        let families = store.collect();
        assert_eq!(families.len(), 1, "{families:?}");
        assert_eq!(families[0].series.len(), 1);
        assert!(matches!(families[0].series[0].point, Point::U64(7 | 14)));
        let said = problems(&store).join("\n");
        assert!(said.contains("producers.rs:") && said.contains("of a producer at"), "{said}");
        let before = problems(&store).len();
        store.collect();
        assert_eq!(problems(&store).len(), before, "said once");
    }
}

#[test]
fn of_two_series_with_equal_labels_the_first_stays() {
    let store = Store::new();
    let say = |value: f64, twice: bool| {
        move |producer: &mut Producer<'_>| {
            let family = Produced::new("producers.twice", Kind::Counter);
            let mut family = producer.family(&family);
            family.series(&[("a", "1".into()), ("b", "2".into())]).set(value);
            if twice {
                family.series(&[("b", "2".into()), ("a", "1".into())]).set(100.0);
            }
            family.series(&[("a", if value == 1.0 { "own" } else { "other" }.into())]).set(value);
        }
    };
    let _producers = [store.produce("first", say(1.0, true)), store.produce("second", say(2.0, false))];
    let values: Vec<Point> =
        family(&store, "producers.twice").unwrap().series.into_iter().map(|series| series.point).collect();
    assert_eq!(values, [Point::F64(1.0), Point::F64(2.0), Point::F64(1.0)]);
    let said = problems(&store);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("is said twice by producers with the labels {a=\"1\",b=\"2\"}"), "{said:?}");
    store.collect();
    assert_eq!(problems(&store), said);
}

#[test]
fn one_that_panics_is_left_out_of_that_reading_and_goes_on_counting_after_it() {
    let store = Store::new();
    let (script, _producer) = scripted(&store);
    let total = |value: f64| {
        move |producer: &mut Producer<'_>| {
            producer.family(&Produced::new("producers.panics", Kind::Counter)).series(&[]).set(value);
        }
    };
    says(&script, total(3.0));
    let before = family(&store, "producers.panics").unwrap().series[0].started;
    let runs = AtomicUsize::new(0);
    says(&script, move |producer| {
        total(4.0)(producer);
        runs.fetch_add(1, Relaxed);
        std::panic::resume_unwind(Box::new("the registry is broken"));
    });
    assert_eq!(count_of(&store, "producers.panics"), 0);
    // The lock of the test was poisoned by it.
    script.clear_poison();
    says(&script, total(5.0));
    assert_eq!(family(&store, "producers.panics").unwrap().series[0].started, before);
    assert!(
        problems(&store)[0].contains("\"the script\" has a callback that panicked: the registry is broken")
    );
}

#[test]
fn what_makes_no_sense_is_left_out_and_said() {
    let store = Store::new();
    let _producer = store.produce("nonsense", |producer| {
        producer.family(&Produced::new("", Kind::Gauge)).series(&[]).set(1.0);
        producer.family(&Produced::new("producers.odd\n", Kind::Gauge)).series(&[]).set(1.0);
        let times = Produced::new("producers.odd.times", Kind::Histogram);
        let mut times = producer.family(&times);
        times.series(&[]).histogram(&[1.0], &[1], 1.0);
        times.series(&[]).histogram(&[2.0, 1.0], &[1, 2, 3], 1.0);
        times.series(&[]).histogram(&[1.0], &[u64::MAX, 1], 1.0);
        times.series(&[]).histogram(&[f64::NAN], &[1, 2], 1.0);
        let mut odd: [Exponential; 3] = Default::default();
        odd[0].scale = i32::MIN;
        (odd[1].positive.offset, odd[1].positive.counts) = (i32::MAX, vec![1, 1]);
        (odd[2].zero_count, odd[2].negative.counts) = (u64::MAX, vec![1]);
        odd.iter().for_each(|odd| times.series(&[]).exponential(odd));
        times.series(&[]).set(1.0);
        times.series(&[]).summary(1, 1.0, &[]);
        let sizes = Produced::new("producers.odd.sizes", Kind::Summary);
        let mut sizes = producer.family(&sizes);
        sizes.series(&[]).summary(1, 1.0, &[(0.9, 1.0), (0.5, 1.0)]);
        sizes.series(&[]).summary(1, 1.0, &[(1.5, 1.0)]);
        sizes.series(&[]).exponential(&Exponential::default());
        let total = Produced::new("producers.odd.total", Kind::Counter);
        let mut total = producer.family(&total);
        total.series(&[]).set(-1.0);
        total.series(&[]).set(f64::NAN);
        total.series(&[]).set(f64::INFINITY);
        let whole = Produced::new("producers.odd.whole", Kind::Counter).number(NumberType::U64);
        producer.family(&whole).series(&[]).set(1.0);
        // What is left out here does not hold up the rest.
        producer.family(&Produced::new("producers.odd.fine", Kind::Gauge)).series(&[]).set(f64::NAN);
    });
    let names: Vec<String> =
        store.collect().iter().map(|family| family.definition.name().to_owned()).collect();
    assert_eq!(names, ["metercast.recordings.dropped", "producers.odd.fine"]);
    let said = problems(&store);
    for part in [
        "has no name",
        "has a control character",
        "has 1 counts for 1 bounds",
        "has the bounds 2 and 1, which do not increase",
        "has the bound NaN",
        "has more values than can be counted",
        "has the scale -2147483648, which is not from -11 to 20",
        "has buckets whose indexes are above 2^31",
        "is a histogram, but is given a number",
        "is a histogram, but is given a summary",
        "has quantiles that are not from 0 to 1",
        "is a summary, but is given a histogram",
        "is a counter, but is given a number of another type",
    ] {
        assert!(said.iter().any(|problem| problem.contains(part)), "{part}: {said:#?}");
    }
    store.collect();
    assert_eq!(problems(&store), said, "each thing once");
}

#[test]
fn a_hundred_thousand_series_are_bounded_and_added_up() {
    let store = Store::new();
    let runs = AtomicU64::new(0);
    let _producer = store.produce("too many", move |producer| {
        let run = runs.fetch_add(1, Relaxed);
        let total = Produced::new("producers.many.total", Kind::Counter);
        let mut total = producer.family(&total);
        for at in 0..100_000u64 {
            // In another order each time.
            let id = (at * 7919 + run * 31).rem_euclid(100_000).to_string();
            total.series(&[("id", id.as_str().into())]).set(1.0);
        }
        let gauge = Produced::new("producers.many.gauge", Kind::Gauge);
        let mut gauge = producer.family(&gauge);
        for at in 0..20_000u64 {
            gauge.series(&[("id", at.to_string().as_str().into())]).set(1.0);
        }
    });
    let mut before: Option<Vec<String>> = None;
    for _ in 0..2 {
        let of = family(&store, "producers.many.total").unwrap();
        assert_eq!(of.series.len(), 10_001);
        let sum: f64 = of
            .series
            .iter()
            .map(|series| if let Point::F64(value) = series.point { value } else { 0.0 })
            .sum();
        assert_eq!(sum, 100_000.0);
        let ids: Vec<String> = of.series.iter().map(|series| series.labels.to_string()).collect();
        assert!(before.is_none_or(|before| before == ids), "who has a place keeps it");
        before = Some(ids);
    }
    assert_eq!(count_of(&store, "producers.many.gauge"), 10_000);
    let said = problems(&store);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().all(|problem| problem.contains("its limit of 10000 series that producers say")));
    let reached = family(&store, "metercast.series.limits_reached").unwrap();
    assert_eq!(reached.series.len(), 2);
}

#[test]
fn of_series_that_are_gone_so_many_are_remembered_in_whichever_metrics_they_were() {
    let store = Store::new();
    let run = Arc::new(AtomicUsize::new(0));
    let runs = Arc::clone(&run);
    let _producer = store.produce("another metric each time", move |producer| {
        let name = format!("producers.gone.n{}", runs.load(Relaxed));
        let mut family = producer.family(&Produced::new(&name, Kind::Counter));
        (0..1_000).for_each(|n| family.series(&[("n", n.into())]).set(1.0));
    });
    let started = |at: usize| {
        run.store(at, Relaxed);
        family(&store, &format!("producers.gone.n{at}")).unwrap().series[0].started
    };
    let first = started(0);
    (1..10).for_each(|at| _ = started(at));
    assert_eq!(started(0), first, "it was gone for a while");
    (1..14).for_each(|at| _ = started(at));
    assert!(started(0) > first, "it is forgotten");
}

#[test]
fn stores_and_readers_do_not_see_each_others_producers() {
    let (a, b) = (Store::new(), Store::new());
    let say = |value: f64| {
        move |producer: &mut Producer<'_>| {
            let of = Produced::prometheus("producers_apart", PrometheusType::Gauge);
            producer.family(&of).series(&[("tenant", "x".into())]).set(value);
        }
    };
    let _producers = (a.produce("a", say(1.0)), b.produce("b", say(2.0)));
    thread::scope(|scope| {
        for (store, value) in [(&a, 1.0), (&b, 2.0)] {
            scope.spawn(move || {
                for _ in 0..100 {
                    let family = family(store, "producers_apart").unwrap();
                    assert_eq!(family.series[0].point, Point::F64(value));
                    assert_eq!(family.definition.prometheus_type(), Some(PrometheusType::Gauge));
                }
            });
        }
    });
    // What one tenant may see.
    for (tenant, count) in [("x", 1), ("y", 0)] {
        let mut seen = 0;
        a.read_share("tenant", tenant, |reading| {
            reading.families().for_each(|family| family.each(|_| seen += 1));
        });
        assert_eq!(seen, count);
    }
}
