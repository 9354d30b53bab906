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
use metercast::assert_counter;
use metercast::testing::{FutureMetricsExt, isolated};
use metercast_metrics::MetricsRecorder;

/// Once for all tests: each has its own store, so none sees what another records.
fn install() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| MetricsRecorder::builder().install().unwrap());
}

#[test]
fn an_order_is_counted() {
    install();
    isolated(|_| {
        shop::place("buy", 0.05);
        assert_counter!("shop_orders_total", 1, "side" => "buy");
    });
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
