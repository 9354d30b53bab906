//! What metercast measures of its exporters, named by the semantic conventions for SDK metrics.

use std::time::Duration;

use metercast_core::{Store, metrics};

metrics! {
    /// Points that exporters handed over, or with error.type failed to.
    static POINTS: Counter<u64> = "otel.sdk.exporter.metric_data_point.exported" {
        unit: "{data_point}",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
    /// Duration of exports, failed ones with error.type.
    static DURATION: Histogram<f64> = "otel.sdk.exporter.operation.duration" {
        unit: "s",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
}

/// Counts one push: `points` that were in it, how long it took, and the class of error if it failed.
pub(crate) fn exported(
    store: &Store,
    exporter: &str,
    component: &str,
    points: u64,
    took: Duration,
    error: Option<&str>,
) {
    store.scope(|| {
        POINTS.add(points, (exporter, component, error));
        DURATION.record(took.as_secs_f64(), (exporter, component, error));
    });
}
