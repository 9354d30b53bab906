//! Which store a measurement lands in.

mod support;

use std::sync::LazyLock;

use metercast::testing::{FutureMetricsExt, isolated};
use metercast::{Store, assert_counter};
use metercast_opentelemetry::{MeterProvider, meter_provider};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, MeterProvider as _};
use support::lines;

/// As libraries have them.
static REQUESTS: LazyLock<Counter<u64>> =
    LazyLock::new(|| MeterProvider::new().meter("lib").u64_counter("requests").build());

fn serve(route: &'static str) {
    REQUESTS.add(1, &[KeyValue::new("route", route)]);
}

#[test]
fn an_instrument_in_a_static_records_into_the_store_of_each_test() {
    for times in 1..4 {
        isolated(|store| {
            (0..times).for_each(|_| serve("/isolated"));
            assert_counter!("requests", times, "route" => "/isolated");
            assert_eq!(store.collect().len(), 1);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tests_in_parallel_know_nothing_of_each_other() {
    let tests = (1..50u64).map(|times| {
        tokio::spawn(
            async move {
                for _ in 0..times {
                    tokio::spawn(async { serve("/parallel") }.with_current_meter_provider()).await.unwrap();
                }
                assert_counter!("requests", times, "route" => "/parallel");
            }
            .with_metrics(),
        )
    });
    for test in tests.collect::<Vec<_>>() {
        test.await.unwrap();
    }
}

#[test]
fn the_provider_of_a_scope_records_there_from_anywhere() {
    let store = Store::new();
    let counter = store.scope(|| meter_provider().meter("lib").u64_counter("from.anywhere").build());
    counter.add(1, &[]);
    isolated(|other| {
        counter.add(2, &[]);
        assert!(other.collect().is_empty());
    });
    std::thread::scope(|scope| scope.spawn(|| counter.add(4, &[])).join().unwrap());
    assert_eq!(lines(&store, "from.anywhere"), ["7"]);
}

#[test]
fn what_is_recorded_before_anything_is_configured_is_there() {
    let counter = meter_provider().meter("lib").u64_counter("before.anything").build();
    counter.add(1, &[]);
    let reader = metercast::InMemoryReader::new(Store::global());
    assert!(reader.collect().family("before.anything").is_some());
}
