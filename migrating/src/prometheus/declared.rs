//! One metric is declared, and no longer registered; the others are as they were.

// region: main
use metercast::{labels, metrics};

labels! {
    /// The side of an order.
    pub(crate) enum Side { Buy, Sell }
}

metrics! {
    /// Orders accepted, by side.
    pub(crate) static ORDERS: Counter<u64> = "shop_orders_total" { labels: { side: Side } };
}

fn place(side: Side) {
    ORDERS.add(1, (side,)); // was ORDERS.with_label_values(&["buy"]).inc()
}
// endregion

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    use metercast::{Log, PrometheusPage, Store};
    metercast_prometheus::registry(prometheus::default_registry()).forever();
    let active = prometheus::register_int_gauge!("shop_orders_active", "Orders not settled yet.")?;
    for side in [Side::Buy, Side::Sell, Side::Buy] {
        place(side);
    }
    active.set(1);
    print!("{}", PrometheusPage::new("prometheus", Log::default()).render(&Store::global()));
    Ok(())
}
