//! Layers beside others, in scopes, and with what makes no sense.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

use metercast::testing::isolated;
use metercast::{Store, assert_counter, reading::Point};
use metercast_tracing::{LogCounter, Metrics};
use tracing::{Level, Subscriber, debug, error, info, trace, warn};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, registry};

fn value(store: &Store, name: &str) -> Option<Point> {
    let families = store.collect();
    let family = families.iter().find(|family| family.definition.name() == name)?;
    Some(family.series[0].point.clone())
}

fn log<R>(subscriber: impl Subscriber + Send + Sync + 'static, f: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(subscriber, f)
}

/// What other layers see.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Seen {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.lock().unwrap().push(event.metadata().level().to_string());
    }
}

#[test]
fn each_test_scope_has_its_own() {
    thread::scope(|threads| {
        for number in 1..9u64 {
            threads.spawn(move || {
                isolated(|_| {
                    log(registry().with(Metrics::new().layer()), || {
                        for _ in 0..number {
                            info!(monotonic_counter.layers.scoped = 1, number);
                        }
                    });
                    assert_counter!("layers.scoped", number, "number" => number);
                });
            });
        }
    });
}

#[test]
fn a_store_that_was_given_is_recorded_into_wherever_the_event_is() {
    let (given, current) = (Store::new(), Store::new());
    let subscriber = registry()
        .with(Metrics::new().into_store(&given).layer())
        .with(LogCounter::new().into_store(&given).layer());
    current.scope(|| log(subscriber, || info!(monotonic_counter.layers.given = 2)));
    assert_eq!(value(&given, "layers.given"), Some(Point::U64(2)));
    assert_eq!(value(&given, "log.events"), Some(Point::U64(1)));
    assert!(current.collect().is_empty());
}

#[test]
fn a_place_that_measures_nothing_is_not_even_asked_about() {
    /// Whether the value of a field was asked for.
    struct Asked<'a>(&'a AtomicUsize);
    impl fmt::Debug for Asked<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fetch_add(1, Relaxed);
            f.write_str("asked")
        }
    }
    let (store, asked) = (Store::new(), AtomicUsize::new(0));
    store.scope(|| {
        log(registry().with(Metrics::new().layer()), || {
            assert!(!tracing::enabled!(Level::ERROR), "nobody is interested");
            error!(a = ?Asked(&asked), "nothing is measured");
            assert_eq!(asked.load(Relaxed), 0);
            trace!(gauge.layers.asked = 1, a = ?Asked(&asked));
            assert_eq!(asked.load(Relaxed), 1, "of any level");
        });
    });
    assert_eq!(value(&store, "layers.asked"), Some(Point::I64(1)));
}

#[test]
fn other_layers_see_what_they_saw_and_filters_hold() {
    fn layers<S>(seen: &Seen, hidden: bool) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let metrics = Metrics::new()
            .layer()
            .with_filter(filter_fn(move |metadata| !hidden || metadata.target() != "hidden"));
        seen.clone().with_filter(LevelFilter::WARN).and_then(metrics)
    }
    let (store, seen) = (Store::new(), Seen::default());
    store.scope(|| {
        log(registry().with(layers(&seen, true)), || {
            info!(monotonic_counter.layers.seen = 1, "both");
            warn!("only the other");
            error!(target: "hidden", { monotonic_counter.layers.seen = 10 }, "hidden");
            debug!("nobody");
        });
    });
    assert_eq!(value(&store, "layers.seen"), Some(Point::U64(1)));
    assert_eq!(*seen.0.lock().unwrap(), ["WARN", "ERROR"]);

    // Beside one without a filter, which sees everything.
    let (store, seen) = (Store::new(), Seen::default());
    store.scope(|| {
        log(registry().with(seen.clone()).with(Metrics::new().layer()), || {
            info!(monotonic_counter.layers.beside = 1);
            trace!("anything");
        });
        log(registry().with(Metrics::new().layer()).with(seen.clone()), || {
            info!(monotonic_counter.layers.beside = 1);
            trace!("anything");
        });
    });
    assert_eq!(value(&store, "layers.beside"), Some(Point::U64(2)));
    assert_eq!(*seen.0.lock().unwrap(), ["INFO", "TRACE", "INFO", "TRACE"]);

    // A filter for all layers holds for this one too.
    let store = Store::new();
    store.scope(|| {
        log(registry().with(Metrics::new().layer()).with(LevelFilter::WARN), || {
            info!(monotonic_counter.layers.all = 1);
            warn!(monotonic_counter.layers.all = 4);
        });
    });
    assert_eq!(value(&store, "layers.all"), Some(Point::U64(4)));
}

#[test]
fn numbers_that_a_metric_cannot_have_are_dropped_and_counted() {
    let store = Store::new();
    store.scope(|| {
        log(registry().with(Metrics::new().layer()), || {
            info!(monotonic_counter.layers.odd.total = -1);
            info!(monotonic_counter.layers.odd.total = 5);
            info!(monotonic_counter.layers.odd.seconds = -0.5);
            info!(counter.layers.odd.open = u64::MAX);
            info!(gauge.layers.odd.depth = u64::MAX);
            info!(gauge.layers.odd.heat = f64::NAN);
            info!(histogram.layers.odd.wide = i128::MIN);
            info!(monotonic_counter.layers.odd.wide = u128::from(u64::MAX) + 1);
            // What is no fault: whole numbers in a histogram, and large ones as labels.
            info!(histogram.layers.odd.sizes = -1);
            info!(histogram.layers.odd.sizes = 1);
            info!(monotonic_counter.layers.odd.labelled = 1, large = u64::MAX, wide = u128::MAX);
        });
    });
    assert_eq!(value(&store, "layers.odd.total"), Some(Point::U64(5)));
    let Some(Point::Histogram(sizes)) = value(&store, "layers.odd.sizes") else { panic!() };
    assert_eq!((sizes.count(), sizes.sum), (2, 0.0));
    let families = store.collect();
    let of = |name: &str| families.iter().find(|family| family.definition.name() == name);
    assert_eq!(
        of("layers.odd.labelled").unwrap().series[0].labels.to_string(),
        format!("{{large={},wide=\"{}\"}}", u64::MAX, u128::MAX)
    );
    for none in ["layers.odd.seconds", "layers.odd.open", "layers.odd.depth", "layers.odd.heat"] {
        assert!(of(none).is_none(), "{none}");
    }
    let dropped = &of("metercast.recordings.dropped").unwrap().series;
    let dropped: Vec<String> =
        dropped.iter().map(|series| format!("{} {:?}", series.labels, series.point)).collect();
    assert_eq!(dropped, [r#"{reason="not_finite"} U64(1)"#, r#"{reason="out_of_range"} U64(5)"#]);
}

#[test]
fn names_that_are_none_and_metrics_of_two_numbers_are_said_once() {
    let store = Store::new();
    store.scope(|| {
        log(registry().with(Metrics::new().layer()), || {
            for _ in 0..3 {
                info!({ monotonic_counter._bad = 1, monotonic_counter.layers.good = 1 });
                info!(monotonic_counter.layers.mixed = 1);
                info!(monotonic_counter.layers.mixed = 1.5);
            }
        });
    });
    assert_eq!(value(&store, "layers.good"), Some(Point::U64(3)));
    assert_eq!(value(&store, "layers.mixed"), Some(Point::U64(3)));
    let said: Vec<String> = store.problems().iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].contains("\"_bad\"") && said[1].contains("layers.rs:"), "{said:#?}");
}

#[test]
fn a_value_that_logs_while_it_is_written_disturbs_nothing() {
    struct Logs;
    impl fmt::Debug for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!(monotonic_counter.layers.inner = 1, of = "inner");
            f.write_str("outer")
        }
    }
    let store = Store::new();
    store.scope(|| {
        log(registry().with(Metrics::new().layer()), || {
            info!(monotonic_counter.layers.outer = 1, first = "1", of = ?Logs, last = "2");
        });
    });
    let families = store.collect();
    let labels: Vec<String> = families.iter().map(|family| family.series[0].labels.to_string()).collect();
    // A subscriber does not see what is logged inside it.
    assert!(labels.contains(&r#"{first="1",last="2",of="outer"}"#.to_owned()), "{labels:?}");
}

#[test]
fn events_are_counted_by_level_and_target_with_a_bound() {
    let store = Store::new();
    let counted = |store: &Store| {
        let families = store.collect();
        let events = families.iter().find(|family| family.definition.name() == "log.events");
        let series = events.map_or(&[][..], |events| &events.series);
        series.iter().map(|series| format!("{} {:?}", series.labels, series.point)).collect::<Vec<_>>()
    };
    store.scope(|| {
        log(registry().with(LogCounter::new().most_targets(2).layer()), || {
            for _ in 0..3 {
                error!(target: "a", "one");
                warn!(target: "b", "two");
                info!(target: "c", "three");
                info!(target: "a", "four");
                debug!(target: "a", "not counted");
            }
            assert!(!tracing::enabled!(Level::DEBUG));
        });
    });
    assert_eq!(
        counted(&store),
        [
            r#"{level="error",target="a"} U64(3)"#,
            r#"{level="info",target="a"} U64(3)"#,
            r#"{level="info",target="other"} U64(3)"#,
            r#"{level="warn",target="b"} U64(3)"#,
        ]
    );
    let store = Store::new();
    store.scope(|| {
        log(registry().with(LogCounter::new().level(Level::TRACE).targets(["app"]).layer()), || {
            trace!(target: "app::db", "one");
            let span = tracing::info_span!("spans are not counted");
            span.in_scope(|| error!(target: "lib", "two"));
            // As tracing-log brings the records of the log crate.
            info!(target: "log", { log.target = "app::old" }, "three");
        });
    });
    assert_eq!(
        counted(&store),
        [
            r#"{level="error",target="other"} U64(1)"#,
            r#"{level="info",target="app"} U64(1)"#,
            r#"{level="trace",target="app"} U64(1)"#,
        ]
    );
}

#[test]
fn places_are_met_by_several_threads_at_once() {
    macro_rules! places {
        ($($number:literal)*) => { [$(|| info!(monotonic_counter.layers.places = 1, number = $number)),*] };
    }
    let places: [fn(); 32] =
        places!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    let store = Store::new();
    thread::scope(|threads| {
        for _ in 0..4 {
            let store = &store;
            threads.spawn(move || {
                store.scope(|| {
                    log(registry().with(Metrics::new().layer()), || places.iter().for_each(|place| place()));
                });
            });
        }
    });
    let families = store.collect();
    let family = families.iter().find(|family| family.definition.name() == "layers.places").unwrap();
    assert_eq!(family.series.len(), 32);
    assert!(family.series.iter().all(|series| series.point == Point::U64(4)));
}
