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
    pub(crate) static ORDERS: Counter<u64> = "shop_orders_total" { unit: "{count}", labels: { side: Side } };
}

/// This call site has moved.
fn place(side: Side) {
    ORDERS.add(1, (side,));
}

/// This one has not: both record into one metric.
fn place_as_before(side: &'static str) {
    metrics::counter!("shop_orders_total", "side" => side).increment(1);
}
// endregion

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
    metercast_metrics::MetricsRecorder::builder().install()?;
    shop::describe();
    place(Side::Buy);
    place_as_before("buy");
    place_as_before("sell");
    let options = PageOptions::new().profile(Profile::MetricsRs);
    print!("{}", PrometheusPage::with("prometheus", options, &[], Log::default()).render(&Store::global()));
    Ok(())
}
