//! What is sent of a metric: since when its values count, and in which buckets.

/// Since when the values of a push count.
///
/// | | counter | observed counter | up-down counters | histogram |
/// | --- | --- | --- | --- | --- |
/// | `Cumulative` | start | start | start | start |
/// | `Delta` | last delivery | last delivery | start | last delivery |
/// | `LowMemory` | last delivery | start | start | last delivery |
///
/// Gauges have no temporality, and summaries always count from the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemporalityPreference {
    /// Everything since the start, so that a push that was lost is made good by the next.
    #[default]
    Cumulative,
    /// Counters, observed ones too, and histograms since the push before.
    Delta,
    /// Counters and histograms since the push before, but observed counters since the start: neither side has to remember
    /// anything for them.
    LowMemory,
}

impl TemporalityPreference {
    pub(in crate::config) const NAMES: [&str; 3] = ["cumulative", "delta", "lowmemory"];

    /// The preference of that name, in any case, as variables have it.
    pub(in crate::config) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "cumulative" => Some(Self::Cumulative),
            "delta" => Some(Self::Delta),
            "lowmemory" => Some(Self::LowMemory),
            _ => None,
        }
    }

    /// The name, as a file or the environment gives it.
    pub(in crate::config) fn name(self) -> &'static str {
        match self {
            Self::Cumulative => "cumulative",
            Self::Delta => "delta",
            Self::LowMemory => "lowmemory",
        }
    }
}

/// Which buckets a histogram has that does not say so itself.
///
/// Values are counted once for all readers of a store, into buckets of one kind. So the preference is about histograms that
/// nothing was recorded into yet, and holds for all readers of the store; a histogram that is declared with bounds has
/// those, and one that is declared exponential is exponential, whatever is preferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistogramAggregation {
    /// Buckets with bounds.
    #[default]
    Explicit,
    /// Exponential buckets to the base of 2, which follow the values.
    Exponential,
}

impl HistogramAggregation {
    pub(in crate::config) const NAMES: [&str; 2] = ["explicit", "exponential"];
    /// As the environment names them.
    pub(in crate::config) const LONG_NAMES: [&str; 2] =
        ["explicit_bucket_histogram", "base2_exponential_bucket_histogram"];

    /// The aggregation of that name, in any case, as variables have it.
    #[cfg(feature = "config")]
    pub(in crate::config) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "explicit" => Some(Self::Explicit),
            "exponential" => Some(Self::Exponential),
            _ => None,
        }
    }

    /// As a file names it.
    pub(in crate::config) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The aggregation of that name in the environment, in any case.
    pub(in crate::config) fn long_named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "explicit_bucket_histogram" => Some(Self::Explicit),
            "base2_exponential_bucket_histogram" => Some(Self::Exponential),
            _ => None,
        }
    }
}
