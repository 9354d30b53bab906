//! The metrics layer of `tracing-opentelemetry`, which knows nothing of metercast.

mod support;

use metercast_core::Store;
use metercast_opentelemetry::meter_provider;
use support::lines;
use tracing_opentelemetry::MetricsLayer;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn events_are_counted_in_the_store() {
    let store = Store::new();
    let layer = store.scope(|| MetricsLayer::new(meter_provider()));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for _ in 0..3 {
            tracing::info!(monotonic_counter.requests = 1u64, route = "/");
        }
        tracing::info!(counter.active = -2i64);
        tracing::info!(gauge.depth = 7u64);
        tracing::info!(histogram.sizes = 3u64);
    });
    assert_eq!(lines(&store, "requests"), ["{route=\"/\"} 3"]);
    assert_eq!(lines(&store, "active"), ["-2"]);
    assert_eq!(lines(&store, "depth"), ["7"]);
    assert_eq!(lines(&store, "sizes").len(), 1);
}
