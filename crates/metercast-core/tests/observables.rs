//! Values that are asked for when a store is read, and gauges that are set all at once.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use metercast_core::reading::Point;
use metercast_core::{Observation, Store, labels, metrics};

labels! { enum Side { Buy, Sell } }

metrics! {
    /// Total.
    static TOTAL: ObservableCounter<u64> = "observed.total" { unit: "By", labels: { of: &str } };
    /// Total.
    static COUNTED: Counter<u64> = "observed.total" { unit: "By", labels: { of: &str } };
    /// Seconds.
    static SECONDS: ObservableCounter<f64> = "observed.seconds" { unit: "s" };
    /// Open.
    static OPEN: ObservableUpDownCounter<i64> = "observed.open" { labels: { side: Side } };
    /// Level.
    static LEVEL: ObservableGauge<f64> = "observed.level" { labels: { of: &str } };
    /// Level.
    static SET_LEVEL: Gauge<f64> = "observed.level" { labels: { of: &str } };
    /// Limit.
    static LIMIT: ObservableGauge<u64> = "observed.limit";
    /// Hits.
    static HITS: Counter<u64> = "observed.hits";
    /// Usage.
    static USAGE: GaugeSet<u64> = "observed.usage" { labels: { tenant: &str } };
    /// Share.
    static SHARE: GaugeSet<f64> = "observed.share" { labels: { tenant: &str, side: Side } };
}

/// The series of a metric as text, sorted: `{of="a"} 5`.
fn series(store: &Store, name: &str) -> Vec<String> {
    let families = store.collect();
    let family = families.iter().find(|family| family.definition.name() == name);
    let series = family.map(|family| &family.series[..]).unwrap_or_default();
    let text = |point: &Point| match point {
        Point::U64(value) => value.to_string(),
        Point::I64(value) => value.to_string(),
        Point::F64(value) => value.to_string(),
        other => panic!("{other:?}"),
    };
    series.iter().map(|series| format!("{} {}", series.labels, text(&series.point))).collect()
}

fn problems(store: &Store) -> Vec<String> {
    store.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn values_appear_with_the_callback_and_vanish_with_its_handle() {
    let store = Store::new();
    let mut total = 0;
    let observation = store.scope(|| {
        TOTAL.observe(move |o| {
            total += 10;
            o.set(total, ("disk",));
            o.set(1, ("net",));
        })
    });
    assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 10"#, r#"{of="net"} 1"#]);
    assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 20"#, r#"{of="net"} 1"#]);
    assert!(Store::new().collect().is_empty(), "other stores hear nothing of it");
    assert_eq!(format!("{observation:?}"), r#"Observation { metric: "observed.total", .. }"#);
    drop(observation);
    assert!(store.collect().is_empty());
}

#[test]
fn what_a_callback_no_longer_observes_is_gone() {
    let store = Store::new();
    let mut open = vec!["a", "b"];
    let _observation = store.scope(|| {
        LEVEL.observe(move |o| {
            open.iter().for_each(|of| o.set(0.5, (of,)));
            open.pop();
        })
    });
    assert_eq!(series(&store, "observed.level"), [r#"{of="a"} 0.5"#, r#"{of="b"} 0.5"#]);
    assert_eq!(series(&store, "observed.level"), [r#"{of="a"} 0.5"#]);
    assert!(store.collect().is_empty());
}

#[test]
fn owners_of_one_total_are_added_up_and_of_one_gauge_the_newest_is_heard() {
    let store = Store::new();
    store.scope(|| {
        let first = [
            TOTAL.observe(|o| o.set(5, ("disk",))),
            OPEN.observe(|o| {
                o.set(3, (Side::Buy,));
                o.set(-1, (Side::Sell,));
            }),
            LEVEL.observe(|o| o.set(1.0, ("x",))),
        ];
        let second = [
            TOTAL.observe(|o| {
                o.set(7, ("disk",));
                o.set(2, ("net",));
            }),
            OPEN.observe(|o| o.set(4, (Side::Buy,))),
            LEVEL.observe(|o| o.set(2.0, ("x",))),
        ];
        assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 12"#, r#"{of="net"} 2"#]);
        assert_eq!(series(&store, "observed.open"), [r#"{side="buy"} 7"#, r#"{side="sell"} -1"#]);
        assert_eq!(series(&store, "observed.level"), [r#"{of="x"} 2"#]);
        drop(first);
        assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 7"#, r#"{of="net"} 2"#]);
        assert_eq!(series(&store, "observed.open"), [r#"{side="buy"} 4"#]);
        let third = LEVEL.observe(|o| o.set(3.0, ("x",)));
        assert_eq!(series(&store, "observed.level"), [r#"{of="x"} 3"#]);
        drop(third);
        assert_eq!(series(&store, "observed.level"), [r#"{of="x"} 2"#]);
        drop(second);
    });
    assert!(store.collect().is_empty());
}

#[test]
fn what_is_recorded_under_the_same_name_is_added_but_a_gauge_that_is_observed_stands() {
    let store = Store::new();
    store.scope(|| {
        COUNTED.add(100, ("disk",));
        SET_LEVEL.set(9.0, ("x",));
        SET_LEVEL.set(8.0, ("y",));
        let _observations = [TOTAL.observe(|o| o.set(5, ("disk",))), LEVEL.observe(|o| o.set(1.0, ("x",)))];
        assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 105"#]);
        assert_eq!(series(&store, "observed.level"), [r#"{of="x"} 1"#, r#"{of="y"} 8"#]);
    });
    assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 100"#]);
    assert_eq!(series(&store, "observed.level"), [r#"{of="x"} 9"#, r#"{of="y"} 8"#]);
    assert_eq!(problems(&store), [] as [&str; 0]);
}

#[test]
fn of_the_same_labels_twice_in_one_run_the_last_stays() {
    let store = Store::new();
    let _observation = store.scope(|| {
        TOTAL.observe(|o| {
            o.set(1, ("disk",));
            o.set(2, ("disk",));
        })
    });
    assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 2"#]);
}

#[test]
fn what_makes_no_sense_is_dropped_and_counted() {
    let store = Store::new();
    let _observations = store.scope(|| {
        [
            SECONDS.observe(|o| {
                o.set(1.5);
                o.set(-1.0);
            }),
            LEVEL.observe(|o| {
                o.set(f64::NAN, ("a",));
                o.set(f64::INFINITY, ("b",));
                o.set(-2.0, ("c",));
            }),
        ]
    });
    assert_eq!(series(&store, "observed.seconds"), [" 1.5"]);
    assert_eq!(series(&store, "observed.level"), [r#"{of="c"} -2"#]);
    store.set_enabled(false);
    store.collect();
    let dropped = [r#"{reason="not_finite"} 4"#, r#"{reason="out_of_range"} 2"#];
    assert_eq!(series(&store, "metercast.recordings.dropped"), dropped);
}

#[test]
fn a_handle_may_be_dropped_inside_its_own_callback() {
    let store = Store::new();
    let held: Arc<Mutex<Option<Observation>>> = Arc::default();
    let in_callback = Arc::clone(&held);
    let observation = store.scope(|| {
        LIMIT.observe(move |o| {
            o.set(1);
            drop(in_callback.lock().unwrap().take());
        })
    });
    *held.lock().unwrap() = Some(observation);
    assert!(store.collect().is_empty(), "it had ended before the reading did");
    assert!(store.collect().is_empty());
    assert_eq!(Arc::strong_count(&held), 1, "what the callback held is freed");
}

#[test]
fn a_callback_that_is_registered_inside_a_callback_is_heard_at_the_next_reading() {
    let store = Store::new();
    let mut inner = None;
    let _observation = store.scope(|| {
        LIMIT.observe(move |o| {
            o.set(1);
            inner.get_or_insert_with(|| TOTAL.observe(|o| o.set(5, ("disk",))));
        })
    });
    assert_eq!(series(&store, "observed.total"), [] as [&str; 0]);
    assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 5"#]);
}

#[test]
fn a_callback_that_reads_its_store_finds_what_was_observed_before() {
    let store = Store::new();
    let _observations = store.scope(|| {
        let mut total = 0;
        let total = TOTAL.observe(move |o| {
            total += 1;
            o.set(total, ("disk",));
        });
        let limit = LIMIT.observe(|o| {
            let families = Store::current().collect();
            o.set(families.iter().map(|family| family.series.len() as u64).sum());
        });
        [total, limit]
    });
    // The total has run already when the limit reads.
    assert_eq!(series(&store, "observed.limit"), [" 1"]);
    assert_eq!(series(&store, "observed.limit"), [" 2"]);
}

#[test]
fn what_a_callback_records_lands_in_its_store_and_in_the_same_reading() {
    let store = Store::new();
    let _observation = store.scope(|| {
        LIMIT.observe(|o| {
            HITS.add(1);
            o.set(1);
        })
    });
    // Read from outside the scope.
    assert_eq!(series(&store, "observed.hits"), [" 1"]);
    assert_eq!(series(&store, "observed.hits"), [" 2"]);
}

#[test]
fn a_callback_that_panics_harms_no_other_and_is_listed() {
    let store = Store::new();
    let mut runs = 0;
    let place = line!() + 3;
    let _observations = store.scope(|| {
        [
            LIMIT.observe(move |o| {
                o.set(1);
                runs += 1;
                assert!(runs % 2 == 1, "run {runs} is even");
            }),
            TOTAL.observe(|o| o.set(5, ("disk",))),
        ]
    });
    assert_eq!(series(&store, "observed.limit"), [" 1"]);
    assert_eq!(series(&store, "observed.limit"), [] as [&str; 0], "an old value is not served");
    assert_eq!(series(&store, "observed.limit"), [" 1"], "it is still registered");
    assert_eq!(series(&store, "observed.total"), [r#"{of="disk"} 5"#], "in its fourth run");
    let problems = problems(&store);
    assert_eq!(problems.len(), 1, "said once: {problems:?}");
    let start = r#"metric "observed.limit" has a callback that panicked: run 2 is even; registered at "#;
    assert!(problems[0].starts_with(start), "{problems:?}");
    assert!(problems[0].contains(&format!("tests/observables.rs:{place}")), "{problems:?}");
}

#[test]
fn threads_that_read_at_once_never_run_a_callback_at_once_and_all_hear_it() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 50;
    let store = Store::new();
    let running = Arc::new(AtomicBool::new(false));
    let runs = Arc::new(AtomicU64::new(0));
    let of_callback = (Arc::clone(&running), Arc::clone(&runs));
    let _observation = store.scope(|| {
        LIMIT.observe(move |o| {
            let (running, runs) = &of_callback;
            assert!(!running.swap(true, SeqCst), "twice at once");
            o.set(runs.fetch_add(1, SeqCst) + 1);
            running.store(false, SeqCst);
        })
    });
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut last = 0;
                for _ in 0..ROUNDS {
                    barrier.wait();
                    let families = store.collect();
                    let Point::U64(run) = families[0].series[0].point else { panic!("{families:?}") };
                    assert!(run > last, "run {run} after run {last}: each round has a run of its own");
                    last = run;
                }
            });
        }
    });
    assert!((ROUNDS..=THREADS * ROUNDS).contains(&runs.load(Relaxed)));
    assert_eq!(problems(&store), [] as [&str; 0]);
}

#[test]
fn a_handle_that_is_dropped_on_another_thread_does_not_wait() {
    let store = Store::new();
    let barrier = Arc::new(Barrier::new(2));
    let freed = Arc::new(());
    let of_callback = (Arc::clone(&barrier), Arc::clone(&freed));
    let observation = store.scope(|| {
        LIMIT.observe(move |o| {
            let (barrier, _) = &of_callback;
            barrier.wait();
            barrier.wait();
            o.set(1);
        })
    });
    thread::scope(|scope| {
        let reading = scope.spawn(|| store.collect());
        barrier.wait();
        drop(observation);
        assert_eq!(Arc::strong_count(&freed), 2, "the run is not over");
        barrier.wait();
        assert!(reading.join().unwrap().is_empty());
    });
    assert_eq!(Arc::strong_count(&freed), 1);
}

#[test]
fn the_end_of_a_store_frees_its_callbacks_and_a_handle_may_outlive_it() {
    let store = Store::new();
    let freed = Arc::new(());
    let of_callbacks = [Arc::clone(&freed), Arc::clone(&freed), Arc::clone(&freed)];
    let [first, second, third] = of_callbacks;
    let observation = store.scope(|| {
        let itself: Arc<Mutex<Option<Observation>>> = Arc::default();
        let in_callback = Arc::clone(&itself);
        *itself.lock().unwrap() = Some(LIMIT.observe(move |_| {
            let _ = (&first, &in_callback);
        }));
        LIMIT.observe(move |_| drop(Arc::clone(&second))).forever();
        LIMIT.observe(move |_| drop(Arc::clone(&third)))
    });
    store.collect();
    assert_eq!(Arc::strong_count(&freed), 4);
    drop(store);
    // The first keeps its own handle, a circle through the store, which the end of the store opens.
    assert_eq!(Arc::strong_count(&freed), 1);
    drop(observation);
}

#[test]
fn a_callback_kept_forever_is_heard_without_a_handle() {
    let store = Store::new();
    store.scope(|| LIMIT.observe(|o| o.set(1)).forever());
    assert_eq!(series(&store, "observed.limit"), [" 1"]);
    assert_eq!(series(&store, "observed.limit"), [" 1"]);
}

#[test]
fn a_store_that_is_off_runs_no_callback_until_it_is_on_again() {
    let store = Store::new();
    store.set_enabled(false);
    let mut runs = 0;
    let _observation = store.scope(|| {
        LIMIT.observe(move |o| {
            runs += 1;
            o.set(runs);
        })
    });
    assert!(store.collect().is_empty());
    store.set_enabled(true);
    assert_eq!(series(&store, "observed.limit"), [" 1"]);
}

#[test]
fn above_the_limit_totals_go_into_one_series_and_who_has_a_place_keeps_it() {
    let store = Store::new();
    let mut backwards = false;
    let _observations = store.scope(|| {
        let many = TOTAL.observe(move |o| {
            // In another order each time, as a hash map of somebody else's would give them.
            for at in 0..2100 {
                let at = if backwards { 2099 - at } else { at };
                o.set(1, (&at.to_string(),));
            }
            backwards = !backwards;
        });
        [many, TOTAL.observe(|o| o.set(1, ("one more",)))]
    });
    let first = series(&store, "observed.total");
    assert_eq!(first.len(), 2001);
    assert!(first.contains(&"{otel.metric.overflow=true} 101".to_owned()));
    assert!(first.contains(&r#"{of="1999"} 1"#.to_owned()));
    assert_eq!(series(&store, "observed.total"), first);
    assert_eq!(series(&store, "metercast.series.limits_reached"), [r#"{metric="observed.total"} 1"#]);
    let problems = problems(&store);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("limit of 2000 series"), "{problems:?}");
}

#[test]
fn above_the_limit_gauges_are_left_out() {
    let store = Store::new();
    let _observation =
        store.scope(|| LEVEL.observe(|o| (0..2100).for_each(|at| o.set(1.0, (&at.to_string(),)))));
    assert_eq!(series(&store, "observed.level").len(), 2000);
    assert!(problems(&store)[0].contains("left out"), "{:?}", store.problems());
}

#[test]
fn a_set_replaces_all_that_was_there() {
    let store = Store::new();
    store.scope(|| {
        USAGE.replace([(5, ("acme",)), (7, ("zen",))]);
        SHARE.replace(vec![
            (0.5, ("acme", Side::Buy)),
            (0.25, ("acme", Side::Buy)),
            (f64::NAN, ("zen", Side::Sell)),
        ]);
        assert_eq!(series(&store, "observed.usage"), [r#"{tenant="acme"} 5"#, r#"{tenant="zen"} 7"#]);
        assert_eq!(series(&store, "observed.share"), [r#"{side="buy",tenant="acme"} 0.25"#]);
        USAGE.replace([(8, ("zen",))]);
        assert_eq!(series(&store, "observed.usage"), [r#"{tenant="zen"} 8"#]);
        store.set_enabled(false);
        USAGE.replace([(9, ("zen",))]);
        assert_eq!(series(&store, "observed.usage"), [r#"{tenant="zen"} 8"#], "what was set before stays");
        store.set_enabled(true);
        USAGE.clear();
        SHARE.clear();
    });
    assert_eq!(series(&store, "observed.usage"), [] as [&str; 0]);
    assert_eq!(series(&store, "metercast.recordings.dropped"), [r#"{reason="not_finite"} 1"#]);
}

#[test]
fn a_series_of_a_set_began_when_it_first_came() {
    let store = Store::new();
    let started = |store: &Store| store.collect()[0].series[0].started;
    store.scope(|| USAGE.replace([(5, ("acme",))]));
    let first = started(&store);
    store.scope(|| USAGE.replace([(6, ("acme",))]));
    assert_eq!(started(&store), first);
}

#[test]
fn a_set_over_the_limit_keeps_who_has_a_place() {
    let store = Store::new();
    let names: Vec<String> = (0..2001).map(|at| format!("{at:04}")).collect();
    let set = |names: &[String]| {
        store.scope(|| USAGE.replace(names.iter().map(|name| (1, (&**name,)))));
        series(&store, "observed.usage")
    };
    let first = set(&names[..2000]);
    assert_eq!(first.len(), 2000);
    assert_eq!(problems(&store), [] as [&str; 0]);
    let backwards: Vec<String> = names.iter().rev().cloned().collect();
    assert_eq!(set(&backwards), first);
    assert_eq!(problems(&store).len(), 1);
    assert_eq!(set(&names[2000..]), [r#"{tenant="2000"} 1"#]);
}

#[test]
fn a_reading_finds_a_whole_set_or_another_whole_set() {
    let store = Store::new();
    let names: Vec<String> = (0..16).map(|at| format!("{at:02}")).collect();
    let set = |value: u64| {
        // Sets of different sizes, all of whose values are the same.
        let some = &names[..1 + value as usize % names.len()];
        store.scope(|| USAGE.replace(some.iter().map(|name| (value, (&**name,)))));
    };
    set(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            (1..2000).for_each(set);
            done.store(true, SeqCst);
        });
        let mut last = 0;
        while !done.load(SeqCst) {
            let families = store.collect();
            let series = &families[0].series;
            let Point::U64(value) = series[0].point else { panic!("{series:?}") };
            assert!(series.iter().all(|series| series.point == Point::U64(value)), "{series:?}");
            assert_eq!(series.len(), 1 + value as usize % names.len());
            assert!(value >= last);
            last = value;
        }
    });
    assert_eq!(series(&store, "observed.usage").len(), 1 + 1999 % 16);
}

#[test]
fn a_callback_whose_panic_panics_when_it_is_dropped_harms_no_reading() {
    struct Twice;
    impl Drop for Twice {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("again");
            }
        }
    }
    metrics! {
        /// Runs.
        static RUNS: ObservableGauge<u64> = "observed.twice";
    }
    let (store, mut run) = (Store::new(), 0);
    let _observation = store.scope(|| {
        RUNS.observe(move |observer| {
            run += 1;
            if run == 2 {
                std::panic::panic_any(Twice);
            }
            observer.set(run);
        })
    });
    let runs = || store.collect().first().map(|family| family.series[0].point.clone());
    assert_eq!([runs(), runs(), runs()], [Some(Point::U64(1)), None, Some(Point::U64(3))]);
}
