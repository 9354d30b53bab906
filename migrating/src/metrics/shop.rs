//! The application, the same in all steps: it measures by the macros of `metrics`.

// region: place
use metrics::{Unit, counter, describe_counter, describe_histogram, gauge, histogram};

pub(crate) fn describe() {
    describe_counter!("shop_orders_total", Unit::Count, "Orders accepted, by side.");
    describe_histogram!("shop_settle_seconds", Unit::Seconds, "Time from acceptance to settlement.");
}

pub(crate) fn place(side: &'static str, settled_in: f64) {
    counter!("shop_orders_total", "side" => side).increment(1);
    histogram!("shop_settle_seconds", "side" => side).record(settled_in);
    gauge!("shop_orders_active").increment(1.0);
}
// endregion

pub(crate) fn run() {
    describe();
    place("buy", 0.05);
    place("sell", 0.25);
    place("buy", 2.5);
    gauge!("shop_orders_active").decrement(2.0);
    histogram!("shop_basket_size").record(3.0);
}
