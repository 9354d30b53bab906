//! Tests of what is measured, before and after.

use super::shop;

// region: before
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

#[test]
fn an_order_is_counted_as_debugging_recorder_sees_it() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || shop::place("buy", 0.05));
    // A reading sets counters and gauges to zero, so there is one only.
    let values = snapshotter.snapshot().into_vec();
    let (_, _, _, value) = values
        .iter()
        .find(|(key, ..)| {
            key.key().name() == "shop_orders_total" && key.key().labels().any(|label| label.value() == "buy")
        })
        .expect("no such counter");
    assert_eq!(*value, DebugValue::Counter(1));
}
// endregion

// region: after
use metercast::testing::{self, FutureMetricsExt};
use metercast::{assert_counter, assert_gauge, assert_histogram_count};
use metercast_metrics::MetricsRecorder;

/// Once for all tests: each has its own store, so none sees what another records.
fn install() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| MetricsRecorder::builder().install().unwrap());
}

#[test]
fn an_order_is_counted() {
    install();
    let _metrics = testing::scope();
    shop::place("buy", 0.05);
    assert_counter!("shop_orders_total", 1, "side" => "buy");
    assert_histogram_count!("shop_settle_seconds", 1, "side" => "buy");
    assert_gauge!("shop_orders_active", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_another_task_is_counted() {
    install();
    async {
        tokio::spawn(async { shop::place("sell", 0.25) }.with_current_meter_provider()).await.unwrap();
        assert_counter!("shop_orders_total", 1, "side" => "sell");
    }
    .with_metrics()
    .await;
}
// endregion
