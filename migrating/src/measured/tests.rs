//! Tests of what is measured, before and after.

use super::{bridge, shop};

// region: before
use measured::MetricGroup;
use measured::text::BufferedTextEncoder;

#[test]
fn an_order_is_counted_as_the_text_has_it() {
    let metrics = shop::Metrics::new();
    metrics.place(shop::Side::Buy, 0.05);
    let mut encoder = BufferedTextEncoder::new();
    metrics.collect_group_into(&mut encoder).unwrap();
    let page = String::from_utf8(encoder.finish().into()).unwrap();
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
    let metrics = Arc::new(shop::Metrics::new());
    let _read = bridge::group(Arc::clone(&metrics));
    metrics.place(shop::Side::Buy, 0.05);
    assert_counter!("shop_orders_total", 1, "side" => "buy");
}
// endregion
