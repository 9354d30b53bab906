//! One metric is declared; the others are as they were.

use super::shop;
use crate::serve;

// region: main
use metercast::{labels, metrics};

labels! {
    /// The side of an order.
    pub(crate) enum Side { Buy, Sell }
}

metrics! {
    /// Orders accepted, by side.
    pub(crate) static ORDERS: Counter<u64> = "shop.orders" { unit: "{order}", labels: { side: Side } };
}

fn place(side: Side) {
    ORDERS.add(1, (side,)); // was ORDERS.add(1, &[KeyValue::new("side", "buy")])
}
// endregion

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    metercast_opentelemetry::install()?;
    let telemetry = metercast::start()?;
    place(Side::Buy);
    shop::place("buy", 0.05); // has not moved
    shop::place("sell", 0.25);
    serve(&telemetry)?;
    drop(telemetry);
    Ok(())
}
