//! Tests of what is measured, before and after.

// region: before
use prometheus::{IntCounterVec, Opts, Registry, TextEncoder};

/// What can be tested must be given its registry; what is in statics counts for all tests of the process.
fn orders(registry: &Registry) -> IntCounterVec {
    let orders =
        IntCounterVec::new(Opts::new("shop_orders_total", "Orders accepted, by side."), &["side"]).unwrap();
    registry.register(Box::new(orders.clone())).unwrap();
    orders
}

#[test]
fn an_order_is_counted_as_the_text_has_it() {
    let registry = Registry::new();
    orders(&registry).with_label_values(&["buy"]).inc();
    let page = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(page.contains("shop_orders_total{side=\"buy\"} 1\n"));
}
// endregion

// region: after
use metercast::assert_counter;
use metercast::testing;

#[test]
fn an_order_is_counted() {
    let _metrics = testing::scope();
    let registry = Registry::new();
    let _read = metercast_prometheus::registry(&registry);
    orders(&registry).with_label_values(&["buy"]).inc();
    assert_counter!("shop_orders_total", 1, "side" => "buy");
}
// endregion

#[test]
fn a_metric_that_is_declared_and_still_registered_is_the_declared_one() {
    use super::declared::{ORDERS, Side};
    testing::isolated(|store| {
        let registry = Registry::new();
        let _read = metercast_prometheus::registry(&registry);
        orders(&registry).with_label_values(&["sell"]).inc_by(7);
        ORDERS.add(1, (Side::Buy,));
        assert_counter!("shop_orders_total", 1, "side" => "buy");
        assert_eq!(store.collect()[0].series.len(), 1);
        assert_eq!(store.problems()[0].metric, "shop_orders_total");
    });
}
