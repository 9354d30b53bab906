//! One metric is declared, and no longer registered; the others are as they were.

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
    ORDERS.add(1, (side,)); // was metrics.orders.get_or_create(&Labels { side: "buy" }).inc()
}
// endregion

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    use metercast::{Escaping, Format, Log, PageFormat, PrometheusPage, Store};
    let (active, mut registry) = (
        prometheus_client::metrics::gauge::Gauge::<i64>::default(),
        prometheus_client::registry::Registry::default(),
    );
    registry.register("shop_orders_active", "Orders not settled yet", active.clone());
    metercast_prometheus::registry(&std::sync::Arc::new(registry)).forever();
    for side in [Side::Buy, Side::Sell, Side::Buy] {
        place(side);
    }
    active.set(1);
    let format = PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores };
    print!("{}", PrometheusPage::new("prometheus", Log::default()).render_as(&Store::global(), format));
    Ok(())
}
