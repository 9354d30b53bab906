//! The settings of a recorder.

use std::time::Duration;

use metercast_core::Store;

use crate::error::RecorderError;
use crate::matcher::Matcher;
use crate::recorder::MetricsRecorder;
use crate::rules::{Rules, Shape};

/// The settings of a [`MetricsRecorder`]; made by [`MetricsRecorder::builder`].
///
/// ```
/// use metercast_metrics::{Matcher, MetricsRecorder};
///
/// MetricsRecorder::builder()
///     .summaries()
///     .buckets_for(Matcher::Suffix("_seconds".to_owned()), &[0.01, 0.1, 1.0])
///     .build()
///     .unwrap();
/// let error = MetricsRecorder::builder().buckets(&[1.0, 0.1]).build().unwrap_err();
/// assert!(error.to_string().ends_with("the bounds [1.0, 0.1] do not increase; sort them"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `install` or `build`"]
pub struct MetricsRecorderBuilder {
    store: Option<Store>,
    rules: Rules,
}

impl MetricsRecorderBuilder {
    pub(crate) fn new() -> MetricsRecorderBuilder {
        MetricsRecorderBuilder { store: None, rules: Rules::new() }
    }

    /// Records into this store, whichever is current. Otherwise the recorder follows the current one: of the test, of the
    /// tenant, or the global one.
    pub fn store(mut self, store: &Store) -> Self {
        self.store = Some(store.clone());
        self
    }

    /// Upper bounds of the buckets of all histograms that no rule names; otherwise they follow the unit that a histogram is
    /// described with. The last bucket, without a bound, is implied.
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        self.rules.unmatched(Shape::Bounds(bounds.to_vec()));
        self
    }

    /// Upper bounds of the buckets of the histograms that match. Of rules for the same matcher the last one counts.
    pub fn buckets_for(mut self, matcher: Matcher, bounds: &[f64]) -> Self {
        self.rules.matched(matcher, Shape::Bounds(bounds.to_vec()));
        self
    }

    /// Buckets that find their own bounds for all histograms that no rule names: base-2 exponential, which Prometheus calls native.
    pub fn exponential(mut self) -> Self {
        self.rules.unmatched(Shape::Exponential);
        self
    }

    /// Buckets that find their own bounds for the histograms that match.
    pub fn exponential_for(mut self, matcher: Matcher) -> Self {
        self.rules.matched(matcher, Shape::Exponential);
        self
    }

    /// All histograms that no rule names become summaries, as in metrics-exporter-prometheus unless it is given buckets.
    pub fn summaries(mut self) -> Self {
        self.rules.unmatched(Shape::Summary);
        self
    }

    /// The histograms that match become summaries.
    pub fn summaries_for(mut self, matcher: Matcher) -> Self {
        self.rules.matched(matcher, Shape::Summary);
        self
    }

    /// The quantiles of all summaries, from 0 to 1 and increasing: otherwise 0, 0.5, 0.9, 0.95, 0.99, 0.999 and 1.
    pub fn quantiles(mut self, quantiles: &[f64]) -> Self {
        self.rules.quantiles = quantiles.to_vec();
        self
    }

    /// How far back the quantiles of summaries look, in whole seconds: otherwise 60.
    pub fn window(mut self, window: Duration) -> Self {
        self.rules.window = window;
        self
    }

    /// The recorder, for `metrics::with_local_recorder`, or to be put behind layers of metrics-util.
    ///
    /// # Errors
    ///
    /// If bounds, quantiles or the window make no sense.
    pub fn build(self) -> Result<MetricsRecorder, RecorderError> {
        Ok(MetricsRecorder::over(self.store, self.rules.checked()?))
    }

    /// Makes it the recorder of the process: from now on all that the macros record comes here. Handles that were made before
    /// record nothing.
    ///
    /// # Errors
    ///
    /// If bounds, quantiles or the window make no sense, or the process has a recorder already.
    pub fn install(self) -> Result<(), RecorderError> {
        metrics::set_global_recorder(self.build()?).map_err(|_| RecorderError::Installed)
    }
}
