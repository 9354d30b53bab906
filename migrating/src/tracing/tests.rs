//! Tests of what is measured, before and after.

use super::shop;

// region: before
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use tracing_opentelemetry::MetricsLayer;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn an_order_is_counted_as_the_sdk_exports_it() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let subscriber = tracing_subscriber::registry().with(MetricsLayer::new(provider.clone()));
    tracing::subscriber::with_default(subscriber, || shop::place("buy", 0.05));
    provider.force_flush().unwrap();
    let exported = exporter.get_finished_metrics().unwrap();
    let scope = exported[0].scope_metrics().next().unwrap();
    assert!(scope.metrics().any(|metric| metric.name() == "shop_orders")); // and from there to its points
}
// endregion

// region: after
use metercast::assert_counter;
use metercast::testing;
use metercast_tracing::Metrics;

#[test]
fn an_order_is_counted() {
    let subscriber = tracing_subscriber::registry().with(Metrics::new().layer());
    let _metrics = testing::scope();
    tracing::subscriber::with_default(subscriber, || shop::place("buy", 0.05));
    assert_counter!("shop_orders", 1, "side" => "buy");
}
// endregion

#[test]
fn both_layers_count_beside_each_other() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let both =
        tracing_subscriber::registry().with(MetricsLayer::new(provider.clone())).with(Metrics::new().layer());
    let _metrics = testing::scope();
    tracing::subscriber::with_default(both, || shop::place("buy", 0.05));
    assert_counter!("shop_orders", 1, "side" => "buy");
    provider.force_flush().unwrap();
    let exported = exporter.get_finished_metrics().unwrap();
    assert_eq!(exported[0].scope_metrics().next().unwrap().metrics().count(), 3);
}
