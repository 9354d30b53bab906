//! Handles that are bound to attributes.

#![cfg(all(feature = "v0_32", feature = "v0_33"))]

mod support;

use metercast_core::Store;
use metercast_opentelemetry::{v0_32, v0_33};
use support::lines;

#[test]
fn bound_handles_of_the_newest_version_record_into_their_series() {
    use opentelemetry::KeyValue;
    use opentelemetry::metrics::MeterProvider as _;
    let store = Store::new();
    let meter = v0_33::MeterProvider::of(store.clone()).meter("bound");
    let labels = [KeyValue::new("a", "b")];
    let counter = meter.u64_counter("count").build();
    let bound = counter.bind(&labels);
    bound.add(1);
    bound.add(2);
    counter.add(3, &labels);
    let (up_down, gauge) = (meter.f64_up_down_counter("up.down").build(), meter.i64_gauge("gauge").build());
    up_down.bind(&labels).add(-1.5);
    gauge.bind(&labels).record(-7);
    meter.u64_histogram("sizes").with_boundaries(vec![10.0]).build().bind(&labels).record(11);
    assert_eq!(lines(&store, "count"), ["{a=\"b\"} 6"]);
    assert_eq!(lines(&store, "up.down"), ["{a=\"b\"} -1.5"]);
    assert_eq!(lines(&store, "gauge"), ["{a=\"b\"} -7"]);
    assert_eq!(lines(&store, "sizes"), ["{a=\"b\"} [10.0] [0, 1] 11.0"]);
}

#[test]
fn bound_handles_of_the_version_before_record_into_their_series() {
    use opentelemetry_0_32::KeyValue;
    use opentelemetry_0_32::metrics::MeterProvider as _;
    let store = Store::new();
    let meter = v0_32::MeterProvider::of(store.clone()).meter("bound");
    let labels = [KeyValue::new("a", "b")];
    meter.f64_counter("count").build().bind(&labels).add(0.5);
    meter.f64_histogram("sizes").with_boundaries(vec![10.0]).build().bind(&labels).record(10.0);
    assert_eq!(lines(&store, "count"), ["{a=\"b\"} 0.5"]);
    assert_eq!(lines(&store, "sizes"), ["{a=\"b\"} [10.0] [1, 0] 10.0"]);
}

#[test]
fn a_bound_handle_of_a_provider_that_follows_stays_with_the_store_that_it_was_bound_in() {
    use opentelemetry::KeyValue;
    use opentelemetry::metrics::MeterProvider as _;
    let (first, second) = (Store::new(), Store::new());
    let counter = v0_33::MeterProvider::new().meter("bound").u64_counter("count").build();
    let bound = first.scope(|| counter.bind(&[KeyValue::new("a", "b")]));
    second.scope(|| bound.add(1));
    assert_eq!(lines(&first, "count"), ["{a=\"b\"} 1"]);
    assert!(second.collect().is_empty());
}

#[test]
fn what_is_counted_without_attributes_is_one_series_however_it_is_counted() {
    use opentelemetry::metrics::MeterProvider as _;
    let store = Store::new();
    let meter = v0_33::MeterProvider::of(store.clone()).meter("bound");
    let (counter, up_down) =
        (meter.u64_counter("count").build(), meter.f64_up_down_counter("up.down").build());
    for _ in 0..2 {
        counter.add(1, &[]);
        counter.bind(&[]).add(2);
        counter.add(0, &[]);
        up_down.add(-1.5, &[]);
        up_down.bind(&[]).add(0.25);
        assert_eq!((lines(&store, "count").len(), lines(&store, "up.down").len()), (1, 1));
    }
    assert_eq!((lines(&store, "count"), lines(&store, "up.down")), (vec!["6".into()], vec!["-2.5".into()]));
}

#[test]
fn a_handle_may_be_bound_to_lists_and_to_far_too_many_attributes() {
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry::{Array, KeyValue, Value};
    let store = Store::new();
    let counter = v0_33::MeterProvider::of(store.clone()).meter("bound").u64_counter("count").build();
    counter.bind(&[KeyValue::new("codes", Value::Array(Array::I64(vec![1, 2])))]).add(1);
    let many: Vec<_> = (0..1000).map(|at| KeyValue::new(format!("k{at}"), at)).collect();
    counter.bind(&many).add(2);
    assert_eq!(lines(&store, "count"), ["{codes=\"[1,2]\"} 1", "{otel.metric.overflow=true} 2"]);
    assert_eq!(store.problems().len(), 1, "{:?}", store.problems());
}
