//! All metrics are declared: a group of `measured` becomes a declaration, line by line.

// region: main
use metercast::{labels, metrics};

labels! {
    /// The side of an order.
    pub(crate) enum Side { Buy, Sell }
}

metrics! {
    /// Orders accepted, by side.
    pub(crate) static ORDERS: Counter<u64> = "shop_orders_total" { labels: { side: Side } };
    /// Time from acceptance to settlement.
    pub(crate) static SETTLE: Histogram<f64> = "shop_settle_seconds" { unit: "s", buckets: [0.1, 1], labels: { side: Side } };
    /// Orders not settled yet.
    pub(crate) static ACTIVE: Gauge<i64> = "shop_orders_active";
}

fn place(side: Side, settled_in: f64) {
    ORDERS.add(1, (side,)); // was metrics.shop_orders_total.inc(side)
    SETTLE.record(settled_in, (side,));
    ACTIVE.add(1);
}
// endregion

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    use metercast::{Log, PrometheusPage, Store};
    place(Side::Buy, 0.05);
    place(Side::Sell, 0.25);
    place(Side::Buy, 2.5);
    ACTIVE.add(-2);
    print!("{}", PrometheusPage::new("prometheus", Log::default()).render(&Store::global()));
    Ok(())
}
