//! Tests of what is measured, before and after.

// region: before
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

/// What can be tested must be given its meter; what is made by the global provider counts for all tests of the process.
fn place(meter: &Meter, side: &'static str) {
    meter.u64_counter("shop.orders").build().add(1, &[KeyValue::new("side", side)]);
}

#[test]
fn an_order_is_counted_as_the_sdk_exports_it() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    place(&provider.meter("shop"), "buy");
    provider.force_flush().unwrap();
    let exported = exporter.get_finished_metrics().unwrap();
    let scope = exported[0].scope_metrics().next().unwrap();
    let metric = scope.metrics().find(|metric| metric.name() == "shop.orders").unwrap();
    let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { panic!("no sum") };
    let point = sum.data_points().next().unwrap();
    assert_eq!(point.value(), 1);
    assert_eq!(point.attributes().next().unwrap().value.as_str(), "buy");
}
// endregion

// region: after
use super::shop;
use metercast::assert_counter;
use metercast::testing::{self, FutureMetricsExt};

#[test]
fn an_order_is_counted() {
    metercast_opentelemetry::install().unwrap(); // called again it changes nothing
    let _metrics = testing::scope();
    shop::place("buy", 0.05); // statics, made by the global provider
    assert_counter!("shop.orders", 1, "side" => "buy");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_another_task_is_counted() {
    metercast_opentelemetry::install().unwrap();
    async {
        tokio::spawn(async { shop::place("sell", 0.25) }.with_current_meter_provider()).await.unwrap();
        assert_counter!("shop.orders", 1, "side" => "sell");
    }
    .with_metrics()
    .await;
}
// endregion
