//! One more in a gauge, for as long as something lasts.

use metrics::Gauge;

/// One more in a gauge of the facade until it is dropped: on return, when a future is cancelled, on a panic.
///
/// Nothing is ever lost by it: increments and decrements of several threads are all counted. A guard that is leaked leaves the gauge
/// where it is.
///
/// ```
/// use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
/// use metercast_metrics::{GaugeGuard, MetricsRecorder};
/// use metrics::{gauge, with_local_recorder};
///
/// let store = Store::new();
/// let recorder = MetricsRecorder::builder().store(&store).build()?;
/// let options = PageOptions::new().profile(Profile::MetricsRs);
/// let page = || PrometheusPage::with("main", options.clone(), &[], Log::default()).render(&store);
/// with_local_recorder(&recorder, || {
///     let connection = GaugeGuard::new(gauge!("connections_active"));
///     assert!(page().contains("connections_active 1\n"));
///     drop(connection);
///     assert!(page().contains("connections_active 0\n"));
/// });
/// # Ok::<(), metercast_metrics::RecorderError>(())
/// ```
#[derive(Debug)]
#[must_use = "the gauge goes down again as soon as this is dropped"]
pub struct GaugeGuard(Gauge);

impl GaugeGuard {
    /// One more in this gauge from now on.
    pub fn new(gauge: Gauge) -> GaugeGuard {
        gauge.increment(1.0);
        GaugeGuard(gauge)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
