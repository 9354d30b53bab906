//! Tests of what is measured, before and after.

use super::shop;

// region: before
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

#[test]
fn an_order_is_counted_as_the_text_has_it() {
    let mut registry = Registry::default();
    let metrics = shop::Metrics::register(&mut registry);
    metrics.place("buy", 0.05);
    let mut page = String::new();
    text::encode(&mut page, &registry).unwrap();
    assert!(page.contains("shop_orders_total{side=\"buy\"} 1\n"));
}
// endregion

// region: after
use std::sync::Arc;

use metercast::assert_counter;
use metercast::testing;

#[test]
fn an_order_is_counted() {
    let _metrics = testing::scope();
    let mut registry = Registry::default();
    let metrics = shop::Metrics::register(&mut registry);
    let _read = metercast_prometheus::registry(&Arc::new(registry));
    metrics.place("buy", 0.05);
    assert_counter!("shop_orders_total", 1, "side" => "buy");
}
// endregion
