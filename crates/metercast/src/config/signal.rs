//! What a push carries: what OTLP and its variables call it.

use std::time::Duration;

/// What a push carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Signal {
    #[default]
    Metrics,
    Traces,
}

impl Signal {
    /// The path that OTLP over HTTP adds to a base URL.
    pub(super) fn path(self) -> &'static str {
        match self {
            Signal::Metrics => "/v1/metrics",
            Signal::Traces => "/v1/traces",
        }
    }

    /// The word in the names of its own variables.
    pub(super) fn word(self) -> &'static str {
        match self {
            Signal::Metrics => "METRICS",
            Signal::Traces => "TRACES",
        }
    }

    /// The variable of its interval, and that of the second limit of time.
    pub(super) fn times(self) -> (&'static str, &'static str) {
        match self {
            Signal::Metrics => ("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_METRIC_EXPORT_TIMEOUT"),
            Signal::Traces => ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"),
        }
    }

    /// From one push to the next, unless it is said.
    pub(super) fn interval(self) -> Duration {
        match self {
            Signal::Metrics => Duration::from_secs(60),
            Signal::Traces => Duration::from_secs(5),
        }
    }
}
