//! What a measurement costs in memory once its series is there: nothing.

#[path = "../../metercast/tests/heap/mod.rs"]
mod heap;

use metercast_core::Store;
use metercast_opentelemetry::MeterProvider;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;

#[test]
fn a_measurement_with_up_to_four_attributes_asks_for_no_memory() {
    let store = Store::new();
    for provider in [MeterProvider::new(), MeterProvider::of(store.clone())] {
        let meter = provider.meter("lib");
        let counter = meter.u64_counter("counter").build();
        let up_down = meter.i64_up_down_counter("up.down").build();
        let gauge = meter.f64_gauge("gauge").build();
        let histogram = meter.f64_histogram("histogram").with_unit("s").build();
        let all = [
            KeyValue::new("method", "GET"),
            KeyValue::new("route", String::from("/orders/{id}")),
            KeyValue::new("status", 200),
            KeyValue::new("cached", true),
        ];
        let mut backwards = all.clone();
        backwards.reverse();
        let measure = || {
            for attributes in (0..=4).flat_map(|count| [&all[..count], &backwards[..count]]) {
                counter.add(1, attributes);
                up_down.add(-1, attributes);
                gauge.record(0.5, attributes);
                histogram.record(0.5, attributes);
            }
            // As call sites write it.
            counter.add(1, &[KeyValue::new("method", "GET"), KeyValue::new("status", 200)]);
        };
        store.scope(|| {
            measure();
            // Until then values of histograms are kept as they are.
            store.collect();
            measure();
            let before = heap::allocations();
            measure();
            assert_eq!(heap::allocations() - before, 0);
        });
    }
}
