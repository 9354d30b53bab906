//! What the read side measures of itself; of its exporters by the names that the semantic conventions have for it.

#[cfg(feature = "otlp")]
use std::time::Duration;

use metercast_core::{Store, metrics};

#[cfg(feature = "otlp")]
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

metrics! {
    /// Callbacks of observable instruments that took too long, by the metric: their last values were served.
    static OBSERVABLES_LATE: Counter<u64> = "metercast.observables.late" {
        unit: "{run}", labels: { metric: &str }
    };
}

/// Counts that a callback took too long.
pub(crate) fn late(store: &Store, metric: &str) {
    store.scope(|| OBSERVABLES_LATE.add(1, (metric,)));
}

/// Counts points that an exporter handed over, or failed to for the class of `error`.
#[cfg(feature = "otlp")]
pub(crate) fn points(store: &Store, exporter: &str, component: &str, points: u64, error: Option<&str>) {
    store.scope(|| POINTS.add(points, (exporter, component, error)));
}

/// Measures one export, whatever became of it.
#[cfg(feature = "otlp")]
pub(crate) fn operation(store: &Store, exporter: &str, component: &str, took: Duration, error: Option<&str>) {
    store.scope(|| DURATION.record(took.as_secs_f64(), (exporter, component, error)));
}
