//! What readers want of histograms comes and goes, early and late, and changes nothing for anybody else.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;

use metercast_core::reading::{PointView, SeriesView, interned_bounds};
use metercast_core::{Store, f64_histogram, metrics};

metrics! {
    /// Two buckets.
    static SIZES: Histogram<f64> = "wishes.sizes" { buckets: [10], labels: { key: &str } };
    /// Without labels.
    static BARE: Histogram<u64> = "wishes.bare" { buckets: [10] };
    /// Of which nothing is said.
    static PLAIN: Histogram<f64> = "wishes.plain" { unit: "s" };
    /// Exponential.
    static WIDTHS: Histogram<f64> = "wishes.widths" { exponential: true };
    /// More series than there may be.
    static MANY: Histogram<u64> = "wishes.many" { buckets: [10], labels: { key: &str } };
}

/// What a reader sees of a histogram: counts, sum and start.
type Seen = (Vec<u64>, f64, u64);

fn seen(series: &SeriesView<'_>) -> Seen {
    match series.value {
        PointView::Histogram(buckets) => (buckets.counts.to_vec(), buckets.sum, series.started_unix_nanos),
        PointView::Exponential(buckets) => (vec![buckets.count()], buckets.sum, series.started_unix_nanos),
        _ => panic!("{series:?}"),
    }
}

/// Gives the series of a metric to `f`, and collects what it says.
fn each<T>(store: &Store, metric: &str, mut f: impl FnMut(&SeriesView<'_>) -> T) -> Vec<T> {
    let mut all = Vec::new();
    store.read(|reading| {
        for family in reading.families().filter(|family| family.definition().name() == metric) {
            family.each(|series| all.push(f(series)));
        }
    });
    all
}

/// What one sees who asks for nothing.
fn declared(store: &Store, metric: &str) -> Vec<Seen> {
    each(store, metric, seen)
}

/// What one sees who asks for these bounds, of the series that have them.
fn at(store: &Store, metric: &str, bounds: &[f64]) -> Vec<Seen> {
    let (bounds, mut counts) = (interned_bounds(bounds).unwrap(), Vec::new());
    each(store, metric, |series| series.at(bounds, &mut counts).map(|series| seen(&series)))
        .into_iter()
        .flatten()
        .collect()
}

fn exponential(store: &Store, metric: &str) -> Vec<Seen> {
    each(store, metric, |series| series.exponential().map(|series| seen(&series)))
        .into_iter()
        .flatten()
        .collect()
}

fn without_start(all: Vec<Seen>) -> Vec<(Vec<u64>, f64)> {
    all.into_iter().map(|(counts, sum, _)| (counts, sum)).collect()
}

#[test]
fn what_is_recorded_before_anybody_reads_is_in_the_buckets_that_are_asked_for() {
    let store = Store::new();
    let (timer, bound) = store.scope(|| (BARE.start(), BARE.bind()));
    store.scope(|| {
        for n in 0..1_000u32 {
            SIZES.record(f64::from(n % 20), ("a",));
            BARE.record(u64::from(n % 20));
        }
    });
    bound.record(3);
    drop(timer);
    let [first, second, third] = [("wishes.sizes", 5.0), ("wishes.sizes", 15.0), ("wishes.bare", 2.0)]
        .map(|(metric, bound)| store.want_bounds(metric, &[bound]).unwrap());
    let wide = store.want_exponential(Some("wishes.sizes"));
    for wanted in [&first, &second, &third] {
        assert!(!wanted.restarted());
    }
    assert!(!wide.restarted());
    let sum = 9_500.0;
    assert_eq!(without_start(declared(&store, "wishes.sizes")), [(vec![550, 450], sum)]);
    assert_eq!(without_start(at(&store, "wishes.sizes", &[5.0])), [(vec![300, 700], sum)]);
    assert_eq!(without_start(at(&store, "wishes.sizes", &[5.0, 15.0])), [(vec![300, 500, 200], sum)]);
    assert_eq!(without_start(exponential(&store, "wishes.sizes")), [(vec![1_000], sum)]);
    assert_eq!(without_start(at(&store, "wishes.bare", &[2.0])), [(vec![151, 851], sum + 3.0)]);
    assert_eq!(at(&store, "wishes.sizes", &[6.0]), []);
    let starts: Vec<u64> = [declared(&store, "wishes.sizes"), at(&store, "wishes.sizes", &[5.0, 15.0])]
        .into_iter()
        .map(|seen| seen[0].2)
        .collect();
    assert_eq!(starts[0], starts[1]);
}

#[test]
fn more_than_can_be_kept_as_it_is_lands_in_the_buckets_that_there_are() {
    let store = Store::new();
    let record = |count: u64| {
        thread::scope(|threads| {
            for thread in 0..4u64 {
                let store = &store;
                threads.spawn(move || {
                    store.scope(|| {
                        let bound = BARE.bind();
                        for n in 0..count {
                            let key = ["a", "b", "c"][(n % 3) as usize];
                            SIZES.record((n % 20) as f64, (key,));
                            if thread % 2 == 0 { BARE.record(n % 20) } else { bound.record(n % 20) }
                        }
                    });
                });
            }
        });
    };
    record(3_000);
    let wanted = store.want_bounds("wishes.bare", &[5.0]).unwrap();
    assert!(wanted.restarted(), "that was too late");
    assert_eq!(without_start(declared(&store, "wishes.bare")), [(vec![6_600, 5_400], 114_000.0)]);
    let all: u64 = declared(&store, "wishes.sizes").iter().flat_map(|(counts, ..)| counts).sum();
    assert_eq!(all, 12_000);
    assert_eq!(without_start(at(&store, "wishes.bare", &[5.0])), [(vec![0, 0], 0.0)]);
    record(20);
    assert_eq!(without_start(at(&store, "wishes.bare", &[5.0])), [(vec![24, 56], 760.0)]);
}

#[test]
fn bounds_that_are_wanted_late_hold_for_all_that_comes_after_also_through_what_was_held_before() {
    let store = Store::new();
    let (bound, timer) = store.scope(|| {
        BARE.record(1);
        SIZES.record(20.0, ("a",));
        f64_histogram!("wishes.sizes", "Two buckets", 1.0, "key" => String::from("a"));
        (BARE.bind(), BARE.start())
    });
    let before = declared(&store, "wishes.bare");
    let wanted = store.want_bounds("wishes.bare", &[5.0]).unwrap();
    let others = store.want_bounds("wishes.sizes", &[5.0]).unwrap();
    assert!(wanted.restarted() && others.restarted());
    bound.record(3);
    drop(timer);
    store.scope(|| {
        BARE.record(7);
        SIZES.record(3.0, ("a",));
        f64_histogram!("wishes.sizes", "Two buckets", 7.0, "key" => String::from("a"));
        SIZES.record(3.0, ("b",));
    });
    assert_eq!(declared(&store, "wishes.bare"), [(vec![4, 0], 11.0, before[0].2)]);
    let late = at(&store, "wishes.bare", &[5.0]);
    assert_eq!((&late[0].0, late[0].1, late[0].2 > before[0].2), (&vec![2, 1], 10.0, true));
    assert_eq!(
        without_start(at(&store, "wishes.sizes", &[5.0, 10.0])),
        [(vec![1, 1, 0], 10.0), (vec![1, 0, 0], 3.0)]
    );
    assert_eq!(without_start(declared(&store, "wishes.sizes")), [(vec![3, 1], 31.0), (vec![1, 0], 3.0)]);
    // Those that are there in time want nothing anew.
    assert!(!store.want_bounds("wishes.sizes", &[10.0]).unwrap().restarted());
}

#[test]
fn what_one_reader_has_stays_as_it_is_while_others_come_and_go() {
    let store = Store::new();
    let mine = store.want_bounds("wishes.bare", &[5.0]).unwrap();
    store.scope(|| BARE.record(3));
    let mut total = 1;
    let start = at(&store, "wishes.bare", &[5.0])[0].2;
    for round in 0..50u32 {
        let other = store.want_bounds("wishes.bare", &[f64::from(round) + 100.5]).unwrap();
        let wide = store.want_exponential((round % 2 == 0).then_some("wishes.bare"));
        store.scope(|| BARE.record(3));
        total += 1;
        assert_eq!(at(&store, "wishes.bare", &[5.0]), [(vec![total, 0], 3.0 * total as f64, start)]);
        assert_eq!(declared(&store, "wishes.bare"), [(vec![total, 0], 3.0 * total as f64, start)]);
        assert!(other.restarted() && wide.restarted() == (round % 2 == 0));
        let news = without_start(at(&store, "wishes.bare", &[f64::from(round) + 100.5]));
        assert_eq!(news, [(vec![1, 0], 3.0)], "in round {round}");
    }
    drop(mine);
}

#[test]
fn a_wish_may_be_kept_and_dropped_by_any_thread() {
    fn is_shared<T: Send + Sync + 'static>(_: &T) {}
    let store = Store::new();
    let (bounds, wide) = (store.want_bounds("wishes.bare", &[5.0]).unwrap(), store.want_exponential(None));
    is_shared(&bounds);
    is_shared(&wide);
    thread::spawn(move || drop((bounds, wide))).join().unwrap();
    store.scope(|| BARE.record(3));
    assert_eq!(at(&store, "wishes.bare", &[5.0]), []);
}

#[test]
fn exponential_buckets_stand_beside_others_and_others_beside_them() {
    let store = Store::new();
    store.scope(|| [&PLAIN, &WIDTHS].into_iter().for_each(|histogram| histogram.record(0.3)));
    assert_eq!(exponential(&store, "wishes.plain"), []);
    let wide = store.want_exponential(None);
    let narrow = store.want_bounds("wishes.widths", &[0.25, 0.5]).unwrap();
    assert!(wide.restarted() && narrow.restarted());
    store.scope(|| {
        for histogram in [&PLAIN, &WIDTHS] {
            [0.1, 0.3, 0.7].into_iter().for_each(|value| histogram.record(value));
        }
        BARE.record(1);
    });
    let plain = declared(&store, "wishes.plain");
    assert_eq!((plain[0].0.len(), plain[0].0.iter().sum()), (15, 4u64));
    assert_eq!(without_start(exponential(&store, "wishes.plain")), [(vec![3], 0.1 + 0.3 + 0.7)]);
    assert_eq!(without_start(declared(&store, "wishes.widths")), [(vec![4], 0.3 + (0.1 + 0.3 + 0.7))]);
    assert_eq!(without_start(at(&store, "wishes.widths", &[0.25, 0.5])), [(vec![1, 1, 1], 0.1 + 0.3 + 0.7)]);
    // What is declared with bounds is meant only by its name.
    assert_eq!(exponential(&store, "wishes.bare"), []);
    drop((wide, narrow));
    let other = Store::new();
    other.scope(|| PLAIN.record(0.3));
    assert_eq!(exponential(&other, "wishes.plain"), []);
}

#[test]
fn the_series_that_takes_what_is_beyond_the_limit_has_what_is_wanted_too() {
    let store = Store::new();
    store.set_limit("wishes.many", 1);
    store.scope(|| ["a", "b", "c"].into_iter().for_each(|key| MANY.record(3, (key,))));
    let bound = store.scope(|| MANY.bind(("d",)));
    assert_eq!(without_start(declared(&store, "wishes.many")), [(vec![1, 0], 3.0), (vec![2, 0], 6.0)]);
    let _wanted = store.want_bounds("wishes.many", &[5.0]).unwrap();
    store.scope(|| ["a", "b", "c"].into_iter().for_each(|key| MANY.record(3, (key,))));
    bound.record(7);
    assert_eq!(without_start(at(&store, "wishes.many", &[5.0])), [(vec![1, 0], 3.0), (vec![2, 1], 13.0)]);
    assert_eq!(without_start(declared(&store, "wishes.many")), [(vec![2, 0], 6.0), (vec![5, 0], 19.0)]);
}

#[test]
fn bounds_that_make_no_sense_or_are_too_many_are_refused_and_leave_no_trace() {
    let store = Store::new();
    let _first = store.want_bounds("wishes.bare", &[1.0]).unwrap();
    store.scope(|| BARE.record(3));
    assert!(store.want_bounds("wishes.bare", &[2.0, 1.0]).unwrap_err().contains("do not increase"));
    let many: Vec<f64> = (100..609).map(f64::from).collect();
    let fault = store.want_bounds("wishes.bare", &many).unwrap_err();
    assert!(fault.contains("wishes.bare has 511 buckets"), "{fault}");
    assert!(!store.want_bounds("wishes.bare", &[1.0]).unwrap().restarted());
    assert_eq!(without_start(at(&store, "wishes.bare", &[1.0])), [(vec![0, 1], 3.0)]);
    assert!(store.problems().is_empty(), "{:?}", store.problems());
}

/// Bounds from this one on, of which no two wishes fit one histogram.
fn three_hundred_from(first: f64) -> Vec<f64> {
    (0..300).map(|n| f64::from(n) + first).collect()
}

/// The metrics that not all has room in that is wanted.
fn left_out(store: &Store) -> Vec<String> {
    let what = "has 601 buckets; at most 510 bounds are kept with those that its readers want; what was wanted last is \
                left out: want fewer";
    let problems = store.problems().into_iter().filter(|problem| problem.message == what);
    let mut metrics: Vec<_> = problems.map(|problem| problem.metric).collect();
    metrics.sort();
    metrics
}

#[test]
fn who_wants_more_than_there_is_room_for_takes_nothing_from_those_who_came_before() {
    let store = Store::new();
    let (first, second) = (three_hundred_from(0.5), three_hundred_from(0.25));
    let of = |bounds: &[f64]| {
        let bounds = bounds.to_vec();
        store.want_buckets(move |definition, _| match definition.name() {
            "wishes.many" | "wishes.sizes" => (bounds.clone(), false),
            _ => (Vec::new(), false),
        })
    };
    let record = |key| store.scope(|| (SIZES.record(0.7, (key,)), MANY.record(1, (key,))));
    let one = of(&first);
    record("a");
    let counted = |bounds: &[f64]| {
        let all = ["wishes.sizes", "wishes.many"].map(|metric| {
            at(&store, metric, bounds).iter().map(|(counts, ..)| counts.iter().sum()).collect::<Vec<u64>>()
        });
        assert_eq!(all[0], all[1]);
        all[0].clone()
    };
    assert_eq!(counted(&first), [1]);
    let two = of(&second);
    assert!(!two.restarted());
    // Neither the series that are there nor those that come lose anything.
    record("a");
    record("b");
    assert_eq!((counted(&first), counted(&second)), (vec![2, 1], vec![]));
    assert_eq!(left_out(&store), ["wishes.many", "wishes.sizes"]);
    // There is room for others all the same.
    let three = store.want_exponential(Some("wishes.many"));
    let fault = store.want_bounds("wishes.many", &second).unwrap_err();
    assert!(fault.contains("wishes.many has 601 buckets"), "{fault}");
    let four = store.want_bounds("wishes.many", &[5_000.0]).unwrap();
    record("c");
    assert_eq!(without_start(exponential(&store, "wishes.many")).len(), 3);
    assert_eq!((counted(&first), at(&store, "wishes.many", &[5_000.0]).len()), (vec![2, 1, 1], 3));
    // Who goes makes room for who came last.
    drop((one, three, four));
    record("d");
    assert_eq!(counted(&second).last(), Some(&1));
}

#[test]
fn wishes_for_a_metric_that_comes_later_are_kept_in_their_order() {
    let store = Store::new();
    let (first, second) = (three_hundred_from(0.5), three_hundred_from(0.25));
    let _one = store.want_bounds("wishes.sizes", &first).unwrap();
    let _two = store.want_bounds("wishes.sizes", &second).unwrap();
    let _three = store.want_bounds("wishes.sizes", &[5.0]).unwrap();
    store.scope(|| SIZES.record(0.7, ("a",)));
    let seen = |bounds: &[f64]| at(&store, "wishes.sizes", bounds).len();
    assert_eq!((seen(&first), seen(&second), seen(&[5.0]), seen(&[10.0])), (1, 0, 1, 1));
    assert_eq!(left_out(&store), ["wishes.sizes"]);
}

#[test]
fn a_rule_that_panics_wants_nothing_and_disturbs_nobody_who_records() {
    let store = Store::new();
    store.scope(|| SIZES.record(3.0, ("a",)));
    store.collect();
    // What was panicked with panics when it is dropped, too.
    struct Twice;
    impl Drop for Twice {
        fn drop(&mut self) {
            panic!("twice");
        }
    }
    let rule = |definition: &metercast_core::Definition| match definition.name() {
        "wishes.sizes" => std::panic::panic_any(Twice),
        "wishes.bare" => panic!("no buckets today"),
        _ => (vec![5.0], false),
    };
    let wanted = store.want_buckets(move |definition, _| rule(definition));
    let ten = store.want_bounds("wishes.sizes", &[7.0]).unwrap();
    store.scope(|| {
        SIZES.record(3.0, ("a",));
        SIZES.record(3.0, ("b",));
        BARE.record(3);
        MANY.record(3, ("a",));
    });
    assert_eq!(without_start(declared(&store, "wishes.sizes")), [(vec![2, 0], 6.0), (vec![1, 0], 3.0)]);
    assert_eq!(without_start(declared(&store, "wishes.bare")), [(vec![1, 0], 3.0)]);
    let at_five =
        ["wishes.sizes", "wishes.bare", "wishes.many"].map(|metric| at(&store, metric, &[5.0]).len());
    assert_eq!((at_five, at(&store, "wishes.sizes", &[7.0]).len()), ([0, 0, 1], 2));
    let panicked = |metric: &str, with: &str| {
        let with = format!("a rule of a reader, which panicked: {with};");
        store.problems().iter().any(|problem| problem.metric == metric && problem.message.contains(&with))
    };
    assert!(panicked("wishes.sizes", "without a message") && panicked("wishes.bare", "no buckets today"));
    drop((ten, wanted));
    store.scope(|| MANY.record(3, ("b",)));
    assert_eq!(declared(&store, "wishes.many").len(), 2);
}

#[test]
fn a_rule_that_asks_the_store_what_it_is_told_anyway_goes_on_without_an_answer() {
    let (store, asked) = (Store::new(), AtomicU64::new(0));
    let of = store.clone();
    let _wanted = store.want_buckets(move |definition, is_declared| {
        // Once is enough to see.
        if definition.name() == "wishes.bare" && asked.fetch_add(1, Relaxed) == 0 {
            assert!(is_declared && !of.has_declared_buckets(definition));
        }
        (vec![5.0], false)
    });
    store.scope(|| BARE.record(3));
    assert_eq!(without_start(at(&store, "wishes.bare", &[5.0])), [(vec![1, 0], 3.0)]);
}

/// Two readers want bounds that change, while threads record; a third wants nothing. Each sees exactly what there was since its
/// start, and nothing ever becomes less.
#[test]
fn readers_whose_wishes_change_while_threads_record_see_what_a_model_says() {
    const THREADS: u64 = 3;
    let (store, stop, recorded) = (Store::new(), AtomicBool::new(false), AtomicU64::new(0));
    store.scope(|| SIZES.record(0.0, ("a",)));
    thread::scope(|threads| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (store, stop, recorded) = (&store, &stop, &recorded);
                threads.spawn(move || {
                    store.scope(|| {
                        let bound = SIZES.bind(("a",));
                        let mut count = 0u64;
                        while !stop.load(Relaxed) || count < 1_000 {
                            // The sum says what the counts must be.
                            let value = [1.0, 20.0][(count % 2) as usize];
                            match (count + thread) % 3 {
                                0 => SIZES.record(value, ("a",)),
                                1 => bound.record(value),
                                _ => f64_histogram!("wishes.sizes", "", value, "key" => String::from("a")),
                            }
                            count += 1;
                            recorded.fetch_add(1, Relaxed);
                        }
                        count
                    })
                })
            })
            .collect();
        // The sum of what a reader sees fits its counts: 1 for each in the buckets up to 10, 20 for the others.
        let check = |(counts, sum, _): &Seen, low: usize, extra: f64| {
            let (lows, highs) = counts.split_at(low);
            let (lows, highs): (u64, u64) = (lows.iter().sum(), highs.iter().sum());
            assert_eq!(lows as f64 - extra + 20.0 * highs as f64, *sum, "{counts:?}");
            lows + highs
        };
        let (mut all, mut of_one) = (0, 0);
        let mut one = None;
        for round in 0..60u32 {
            let before = recorded.load(Relaxed);
            // Wanted for two rounds; another comes and goes in between.
            if round % 2 == 0 {
                one = Some(store.want_bounds("wishes.sizes", &[f64::from(2 + round % 8)]).unwrap());
                of_one = 0;
            }
            let bounds = [f64::from(2 + (round - round % 2) % 8), 10.0];
            let two = (round % 3 == 0).then(|| store.want_bounds("wishes.sizes", &[30.0 + f64::from(round)]));
            for _ in 0..5 {
                let now = declared(&store, "wishes.sizes");
                // The first value was 0.
                let count = check(&now[0], 1, 1.0);
                assert!(count >= all && count >= before, "{count} after {all} and {before}");
                all = count;
                let now = at(&store, "wishes.sizes", &bounds);
                // Only if it has been there from the start on, it has the first value.
                let extra = f64::from(u8::from(now[0].2 == declared(&store, "wishes.sizes")[0].2));
                let count = check(&now[0], 2, extra);
                assert!(count >= of_one, "{count} after {of_one}");
                of_one = count;
            }
            drop(two);
        }
        drop(one);
        stop.store(true, Relaxed);
        let truth: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        assert_eq!(check(&declared(&store, "wishes.sizes")[0], 1, 1.0), truth + 1);
    });
}
