//! The application, the same in all steps: it measures with statics of the `prometheus` crate.

// region: place
use std::sync::LazyLock;

use prometheus::{
    HistogramVec, IntCounterVec, IntGauge, register_histogram_vec, register_int_counter_vec,
    register_int_gauge,
};

static ORDERS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!("shop_orders_total", "Orders accepted, by side.", &["side"]).unwrap()
});
static SETTLE: LazyLock<HistogramVec> = LazyLock::new(|| {
    let help = "Time from acceptance to settlement.";
    register_histogram_vec!("shop_settle_seconds", help, &["side"], vec![0.1, 1.0]).unwrap()
});
static ACTIVE: LazyLock<IntGauge> =
    LazyLock::new(|| register_int_gauge!("shop_orders_active", "Orders not settled yet.").unwrap());

pub(crate) fn place(side: &'static str, settled_in: f64) {
    ORDERS.with_label_values(&[side]).inc();
    SETTLE.with_label_values(&[side]).observe(settled_in);
    ACTIVE.inc();
}
// endregion

pub(crate) fn run() {
    place("buy", 0.05);
    place("sell", 0.25);
    place("buy", 2.5);
    ACTIVE.sub(2);
}
