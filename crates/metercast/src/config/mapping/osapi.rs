//! The keys of osapi.

use super::{Conversion, Mapping};

impl Mapping {
    /// The table `telemetry.metrics` of osapi's `osapi.yaml`: a page to scrape, off unless it is said.
    ///
    /// | their key | ours |
    /// | --- | --- |
    /// | `telemetry.metrics.enabled` | `exporters.prometheus.enabled`; `false` if it is not given |
    /// | `telemetry.metrics.path` | `exporters.prometheus.path`; `/metrics` if it is not given |
    /// | `telemetry.metrics.port` | `exporters.prometheus.listen`, on all addresses; 9090 if it is not given |
    ///
    /// `telemetry` may have other tables, such as that of traces, which others read.
    pub fn osapi() -> Mapping {
        const METRICS: &str = "telemetry.metrics";
        Mapping::new()
            .shared("telemetry")
            .key("telemetry.metrics.enabled", "exporters.prometheus.enabled")
            .key("telemetry.metrics.path", "exporters.prometheus.path")
            .convert("telemetry.metrics.port", "exporters.prometheus.listen", Conversion::Port("0.0.0.0"))
            .default_of(METRICS, "exporters.prometheus.enabled", false)
            .default_of(METRICS, "exporters.prometheus.listen", "0.0.0.0:9090")
    }
}
