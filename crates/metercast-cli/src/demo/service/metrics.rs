//! What the order service measures beside HTTP: each metric declared once.

use metercast_tower::metrics;

use super::order::{Refusal, Region, Side};

metrics! {
    /// Orders accepted.
    pub(super) static ORDERS_PLACED: Counter<u64> = "orders.placed" {
        unit: "{order}", labels: { side: Side, region: Region }
    };
    /// Orders refused, by the rule that refused them.
    pub(super) static ORDERS_REFUSED: Counter<u64> = "orders.refused" { unit: "{order}", labels: { reason: Refusal } };
    /// Orders settled.
    pub(super) static ORDERS_SETTLED: Counter<u64> = "orders.settled" {
        unit: "{order}", labels: { side: Side, region: Region }
    };
    /// Amounts of the orders accepted.
    pub(super) static ORDER_AMOUNT: Histogram<u64> = "order.amount" {
        unit: "{cent}", buckets: [1000, 2500, 5000, 10000, 25000, 50000, 100000], labels: { side: Side }
    };
    /// Time from the request to settle an order until it is settled.
    pub(super) static SETTLE_DURATION: Histogram<f64> = "order.settle.duration" {
        unit: "s", buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1], labels: { region: Region }
    };
    /// Orders that wait to be settled.
    pub(super) static QUEUE_DEPTH: UpDownCounter<i64> = "order.settle.queue" { unit: "{order}" };
    /// What all accounts owe for orders that are not settled.
    pub(super) static OPEN_AMOUNT: Gauge<i64> = "orders.open.amount" { unit: "{cent}", labels: { region: Region } };
    /// What one account may owe at most.
    pub(super) static CREDIT_LIMIT: Gauge<i64> = "account.credit.limit" { unit: "{cent}" };
}
