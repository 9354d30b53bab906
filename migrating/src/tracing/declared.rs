//! One metric is declared; the others are as they were.

use super::shop;

// region: main
use metercast::{labels, metrics};

labels! {
    /// The side of an order.
    pub(crate) enum Side { Buy, Sell }
}

metrics! {
    /// Orders accepted, by side.
    pub(crate) static ORDERS: Counter<u64> = "shop_orders" { labels: { side: Side } };
}

fn place(side: Side) {
    ORDERS.add(1, (side,)); // was info!(monotonic_counter.shop_orders = 1, side = "buy")
}
// endregion

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    use metercast::{Log, PrometheusPage, Store};
    use metercast_tracing::Metrics;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    tracing_subscriber::registry().with(Metrics::new().layer()).init();
    place(Side::Buy);
    shop::place("buy", 0.05); // has not moved
    shop::place("sell", 0.25);
    print!("{}", PrometheusPage::new("prometheus", Log::default()).render(&Store::global()));
    Ok(())
}
