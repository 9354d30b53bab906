//! The application, the same in all steps: it measures by fields of tracing events.

// region: place
use tracing::info;

pub(crate) fn place(side: &'static str, settled_in: f64) {
    info!(monotonic_counter.shop_orders = 1, side);
    info!(histogram.shop_settle = settled_in, side);
    info!(counter.shop_orders_active = 1);
}
// endregion

pub(crate) fn run() {
    place("buy", 0.05);
    place("sell", 0.25);
    place("buy", 2.5);
    info!(counter.shop_orders_active = -2);
}
