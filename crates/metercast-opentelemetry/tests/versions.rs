//! Programs with several versions of the OpenTelemetry API: all of them feed one store.

#![cfg(all(feature = "v0_29", feature = "v0_30", feature = "v0_31", feature = "v0_32", feature = "v0_33"))]

mod support;

use metercast_core::Store;
use support::lines;

macro_rules! versions {
    ($($api:ident $ours:ident $number:literal),*) => {
        const VERSIONS: [i64; 5] = [$($number),*];

        $(mod $ours {
            use $api as otel;
            use otel::KeyValue;
            use otel::metrics::{Meter, MeterProvider as _};

            /// Everything that a program does with this version of the API.
            pub(crate) fn use_all(meter: &Meter) {
                let labels = [KeyValue::new("api", $number)];
                meter.u64_counter("u64.counter").build().add(1, &labels);
                meter.f64_counter("f64.counter").build().add(1.5, &labels);
                meter.i64_up_down_counter("i64.up.down").build().add(-2, &labels);
                meter.f64_up_down_counter("f64.up.down").build().add(-2.5, &labels);
                meter.u64_gauge("u64.gauge").build().record(3, &labels);
                meter.i64_gauge("i64.gauge").build().record(-3, &labels);
                meter.f64_gauge("f64.gauge").build().record(3.5, &labels);
                let bounds = vec![1.0, 10.0];
                meter.u64_histogram("u64.histogram").with_boundaries(bounds.clone()).build().record(4, &labels);
                meter.f64_histogram("f64.histogram").with_boundaries(bounds).build().record(0.5, &labels);
                macro_rules! observe {
                    ($method:ident, $name:literal, $value:literal) => {
                        let labels = labels.clone();
                        let _ = meter
                            .$method($name)
                            .with_callback(move |observer| observer.observe($value, &labels))
                            .build();
                    };
                }
                observe!(u64_observable_counter, "u64.observable.counter", 5);
                observe!(f64_observable_counter, "f64.observable.counter", 5.5);
                observe!(i64_observable_up_down_counter, "i64.observable.up.down", -6);
                observe!(f64_observable_up_down_counter, "f64.observable.up.down", -6.5);
                observe!(u64_observable_gauge, "u64.observable.gauge", 7);
                observe!(i64_observable_gauge, "i64.observable.gauge", -7);
                observe!(f64_observable_gauge, "f64.observable.gauge", 7.5);
            }

            pub(crate) fn meter(store: &metercast_core::Store) -> Meter {
                metercast_opentelemetry::$ours::MeterProvider::of(store.clone()).meter("program")
            }

            pub(crate) fn global() -> Meter {
                otel::global::meter("program")
            }
        })*

        fn use_all_of_all(store: &Store) {
            $($ours::use_all(&$ours::meter(store));)*
        }

        fn use_all_globals() {
            $($ours::use_all(&$ours::global());)*
        }
    };
}

versions! {
    opentelemetry_0_29 v0_29 29, opentelemetry_0_30 v0_30 30, opentelemetry_0_31 v0_31 31, opentelemetry_0_32 v0_32 32,
    opentelemetry v0_33 33
}

/// Each instrument and what every version said with it.
const EXPECTED: [(&str, &str); 16] = [
    ("u64.counter", "1"),
    ("f64.counter", "1.5"),
    ("i64.up.down", "-2"),
    ("f64.up.down", "-2.5"),
    ("u64.gauge", "3"),
    ("i64.gauge", "-3"),
    ("f64.gauge", "3.5"),
    ("u64.histogram", "[1.0, 10.0] [0, 1, 0] 4.0"),
    ("f64.histogram", "[1.0, 10.0] [1, 0, 0] 0.5"),
    ("u64.observable.counter", "5"),
    ("f64.observable.counter", "5.5"),
    ("i64.observable.up.down", "-6"),
    ("f64.observable.up.down", "-6.5"),
    ("u64.observable.gauge", "7"),
    ("i64.observable.gauge", "-7"),
    ("f64.observable.gauge", "7.5"),
];

#[track_caller]
fn has_all_of_all(store: &Store) {
    for (name, value) in EXPECTED {
        assert_eq!(
            lines(store, name),
            VERSIONS.map(|version| format!("{{api={version}}} {value}")),
            "{name}"
        );
    }
    assert_eq!(store.collect().len(), EXPECTED.len());
    assert_eq!(store.problems(), []);
}

#[test]
fn all_sixteen_instruments_of_five_versions_feed_one_store() {
    let store = Store::new();
    use_all_of_all(&store);
    has_all_of_all(&store);
}

#[test]
fn the_global_providers_of_five_versions_feed_the_current_store() {
    metercast_opentelemetry::install().unwrap();
    metercast_opentelemetry::install().unwrap();
    let store = Store::new();
    store.scope(use_all_globals);
    has_all_of_all(&store);
}

#[test]
fn a_lock_file_tells_which_versions_nobody_bridges() {
    let lock = include_str!("../../../Cargo.lock");
    let unbridged = metercast_opentelemetry::unbridged(lock);
    let older = lock.replace("version = \"0.31.", "version = \"0.28.");
    let with_older = metercast_opentelemetry::unbridged(&older);
    assert_eq!(with_older.len(), unbridged.len() + 1);
    assert!(with_older.contains(&"0.28.0") && !unbridged.contains(&"0.28.0"), "{with_older:?}");
}
