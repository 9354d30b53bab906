//! What is sent of a store, and how: temporality, buckets, encoding and size.

/// Since when the values of a request count.
///
/// | | counter | observed counter | up-down counters | histogram |
/// | --- | --- | --- | --- | --- |
/// | `Cumulative` | start | start | start | start |
/// | `Delta` | last request | last request | start | last request |
/// | `LowMemory` | last request | start | start | last request |
///
/// Gauges have no temporality, and the points of summaries always count from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemporalityPreference {
    /// Everything since the start: a request that was lost is made good by the next.
    #[default]
    Cumulative,
    /// Counters, observed ones too, and histograms since what was delivered last.
    Delta,
    /// Counters and histograms since what was delivered last, but observed counters since the start.
    LowMemory,
}

/// Which buckets a histogram has that does not say so itself.
///
/// Values are counted once for all readers of a store, into buckets of one kind. So the preference is about histograms that
/// nothing was recorded into yet, and holds for all readers of the store; a histogram that is declared with bounds has
/// those, and one that is declared exponential is exponential, whatever is preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistogramAggregation {
    /// Buckets with bounds that fit the unit.
    #[default]
    Explicit,
    /// Exponential buckets to the base of 2, which follow the values.
    Exponential,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtlpEncoding {
    /// Protobuf: `application/x-protobuf`, and the messages of gRPC.
    #[default]
    Protobuf,
    /// JSON, as OTLP spells it: `application/json`.
    Json,
}

impl OtlpEncoding {
    /// The `Content-Type` of a request over HTTP.
    pub fn content_type(self) -> &'static str {
        match self {
            OtlpEncoding::Protobuf => "application/x-protobuf",
            OtlpEncoding::Json => "application/json",
        }
    }
}

/// What an [`OtlpMessage`](crate::OtlpMessage) writes of a store, and how.
///
/// ```
/// use metercast::{OtlpEncoding, OtlpOptions, TemporalityPreference};
///
/// let mut options = OtlpOptions::default();
/// options.temporality = TemporalityPreference::Delta;
/// options.encoding = OtlpEncoding::Json;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtlpOptions {
    /// Since when values count.
    pub temporality: TemporalityPreference,
    /// Which buckets histograms have that do not say so themselves.
    pub histograms: HistogramAggregation,
    /// How messages are written.
    pub encoding: OtlpEncoding,
    /// How many bytes a request has at most, before compression: 64 MiB unless it is said, which is the most that OTLP lets
    /// a client send.
    pub max_request_bytes: usize,
}

/// OTLP, "Request size limits".
const REQUEST_LIMIT: usize = 64 << 20;

impl Default for OtlpOptions {
    fn default() -> OtlpOptions {
        OtlpOptions {
            temporality: TemporalityPreference::default(),
            histograms: HistogramAggregation::default(),
            encoding: OtlpEncoding::default(),
            max_request_bytes: REQUEST_LIMIT,
        }
    }
}
