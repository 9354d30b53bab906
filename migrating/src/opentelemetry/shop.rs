//! The application, the same in all steps: it measures with instruments of the OpenTelemetry API.

// region: place
use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use opentelemetry::{KeyValue, global};

static METER: LazyLock<Meter> = LazyLock::new(|| global::meter("shop"));
static ORDERS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("shop.orders")
        .with_unit("{order}")
        .with_description("Orders accepted, by side.")
        .build()
});
static SETTLE: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let settle = METER.f64_histogram("shop.settle.duration").with_unit("s");
    settle.with_description("Time from acceptance to settlement.").build()
});
static ACTIVE: LazyLock<UpDownCounter<i64>> = LazyLock::new(|| {
    METER.i64_up_down_counter("shop.orders.active").with_description("Orders not settled yet.").build()
});

pub(crate) fn place(side: &'static str, settled_in: f64) {
    ORDERS.add(1, &[KeyValue::new("side", side)]);
    SETTLE.record(settled_in, &[KeyValue::new("side", side)]);
    ACTIVE.add(1, &[]);
}
// endregion

pub(crate) fn run() {
    place("buy", 0.05);
    place("sell", 0.25);
    place("buy", 2.5);
    ACTIVE.add(-2, &[]);
}
