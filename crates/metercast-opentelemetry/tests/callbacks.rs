//! Callbacks of observable instruments: how long they are registered, and what they may do.

mod support;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use metercast::config::Prometheus;
use metercast::{Config, Log, Telemetry};
use metercast_core::Store;
use metercast_opentelemetry::{MeterProvider, with_callbacks};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use support::{lines, problems};

fn meter(store: &Store) -> Meter {
    MeterProvider::of(store.clone()).meter("lib")
}

#[test]
fn a_callback_is_asked_at_each_reading_as_long_as_the_store_lives() {
    let store = Store::new();
    let asked = AtomicU64::new(0);
    meter(&store)
        .u64_observable_counter("asked")
        .with_callback(move |observer| observer.observe(asked.fetch_add(1, Relaxed) + 1, &[]))
        .build();
    assert_eq!(lines(&store, "asked"), ["1"]);
    assert_eq!(lines(&store, "asked"), ["2"]);
}

#[test]
fn several_callbacks_of_one_instrument_are_all_asked() {
    let store = Store::new();
    meter(&store)
        .i64_observable_gauge("several")
        .with_callback(|observer| observer.observe(1, &[KeyValue::new("of", "first")]))
        .with_callback(|observer| observer.observe(2, &[KeyValue::new("of", "second")]))
        .build();
    assert_eq!(lines(&store, "several"), ["{of=\"first\"} 1", "{of=\"second\"} 2"]);
}

#[test]
fn callbacks_are_unregistered_with_their_handle_and_free_what_they_hold() {
    let store = Store::new();
    let meter = meter(&store);
    let held = Arc::new(());
    let observe = |name: &'static str| {
        let held = Arc::clone(&held);
        meter
            .u64_observable_gauge(name)
            .with_callback(move |observer| {
                let _held = &held;
                observer.observe(1, &[]);
            })
            .build()
    };
    let (_, outer) = with_callbacks(|| {
        observe("outer");
        let (_, inner) = with_callbacks(|| {
            observe("inner.a");
            observe("inner.b");
        });
        assert_eq!((inner.len(), store.collect().len()), (2, 3));
        drop(inner);
    });
    observe("stays");
    assert_eq!((outer.len(), store.collect().len(), Arc::strong_count(&held)), (1, 2, 3));
    drop(outer);
    assert_eq!(lines(&store, "stays"), ["1"]);
    assert_eq!((store.collect().len(), Arc::strong_count(&held)), (1, 2));
}

#[test]
fn a_builder_that_panics_leaves_no_callback_and_no_trace() {
    let store = Store::new();
    let meter = meter(&store);
    let observe = |name: &'static str| {
        meter.u64_observable_gauge(name).with_callback(|observer| observer.observe(1, &[])).build()
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        with_callbacks(|| {
            observe("lost");
            panic!("on purpose");
        })
    }));
    assert!(outcome.is_err() && store.collect().is_empty());
    observe("kept");
    assert_eq!(lines(&store, "kept"), ["1"]);
}

#[test]
fn a_thread_that_ends_may_build_observable_instruments_too() {
    struct AtTheEnd(Store);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let meter = meter(&self.0);
            let builder = meter.u64_observable_gauge("at.the.end");
            let builder = builder.with_callback(|observer| observer.observe(1, &[]));
            let (_gauge, callbacks) = with_callbacks(|| builder.build());
            assert!(callbacks.is_empty(), "they stay as long as the store");
        }
    }
    thread_local! {
        static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    let store = Store::new();
    let at_the_end = AtTheEnd(store.clone());
    let ends = move || {
        AT_THE_END.set(Some(at_the_end));
        // Made later, and so gone before.
        let ((), _) = with_callbacks(|| ());
    };
    std::thread::spawn(ends).join().unwrap();
    assert_eq!(lines(&store, "at.the.end"), ["1"]);
}

#[test]
fn a_callback_that_panics_is_said_once_and_disturbs_no_other() {
    let store = Store::new();
    let meter = meter(&store);
    meter.u64_observable_gauge("panics").with_callback(|_| panic!("on purpose")).build();
    meter.u64_observable_gauge("sound").with_callback(|observer| observer.observe(1, &[])).build();
    for _ in 0..3 {
        assert_eq!(lines(&store, "sound"), ["1"]);
        assert_eq!(store.collect().len(), 1);
    }
    let problems = problems(&store, "panics");
    let expected = "has a callback that panicked: on purpose; registered at the meter \"lib\", ";
    assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
}

#[test]
fn a_callback_may_build_instruments_and_record() {
    let store = Store::new();
    let meter = meter(&store);
    let inner = meter.clone();
    meter
        .u64_observable_gauge("outer")
        .with_callback(move |observer| {
            inner.u64_counter("runs").build().add(1, &[]);
            inner.u64_observable_gauge("inner").with_callback(|observer| observer.observe(2, &[])).build();
            observer.observe(1, &[]);
        })
        .build();
    store.collect();
    assert_eq!(lines(&store, "outer"), ["1"]);
    assert_eq!(lines(&store, "inner"), ["2"]);
    assert!(lines(&store, "runs")[0].parse::<u64>().unwrap() >= 1);
}

#[test]
fn a_callback_that_hangs_keeps_no_reader_waiting() {
    let store = Store::new();
    let config = Config::builder().environment(false).exporter("page", Prometheus::listen("127.0.0.1:0"));
    let telemetry = Telemetry::builder(config.build().unwrap()).store(store.clone()).log(Log::to(|_, _| {}));
    let telemetry = telemetry.start().unwrap();
    let meter = meter(&store);
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    meter
        .u64_observable_gauge("hangs")
        .with_callback(move |observer| {
            let _ = released.lock().unwrap().recv();
            observer.observe(1, &[]);
        })
        .build();
    meter.u64_observable_gauge("sound").with_callback(|observer| observer.observe(1, &[])).build();
    // Within a second, as the callbacks of a store have it together; then it is known to hang.
    store.collect();
    assert_eq!(lines(&store, "sound"), ["1"]);
    release.send(()).unwrap();
    drop(release);
    let _ = telemetry.shutdown();
}

#[test]
fn a_callback_is_given_attributes_of_all_types_and_any_number() {
    use opentelemetry::{Array, Value};
    let store = Store::new();
    meter(&store)
        .f64_observable_gauge("odd")
        .with_callback(|observer| {
            observer.observe(1.0, &[KeyValue::new("list", Value::Array(Array::I64(vec![1, 2])))]);
            let many: Vec<_> = (0..10_000).map(|at| KeyValue::new(format!("k{at}"), at)).collect();
            observer.observe(2.0, &many);
        })
        .build();
    for _ in 0..2 {
        assert_eq!(lines(&store, "odd"), ["{list=\"[1,2]\"} 1.0", "{otel.metric.overflow=true} 2.0"]);
    }
    assert_eq!(problems(&store, "odd").len(), 1, "{:?}", store.problems());
}
