//! What is sent of a store, and how: temporality, buckets, encoding and size.

use crate::config::{HistogramAggregation, TemporalityPreference};

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
/// use metercast::config::TemporalityPreference;
/// use metercast::{OtlpEncoding, OtlpOptions};
///
/// let options = OtlpOptions::default().temporality(TemporalityPreference::Delta).encoding(OtlpEncoding::Json);
/// assert_eq!(options.max_request_bytes, 64 << 20);
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

impl OtlpOptions {
    /// With this temporality.
    #[must_use]
    pub fn temporality(self, temporality: TemporalityPreference) -> OtlpOptions {
        OtlpOptions { temporality, ..self }
    }

    /// With these buckets for histograms that say nothing.
    #[must_use]
    pub fn histograms(self, histograms: HistogramAggregation) -> OtlpOptions {
        OtlpOptions { histograms, ..self }
    }

    /// In this encoding.
    #[must_use]
    pub fn encoding(self, encoding: OtlpEncoding) -> OtlpOptions {
        OtlpOptions { encoding, ..self }
    }

    /// With requests of at most so many bytes.
    #[must_use]
    pub fn max_request_bytes(self, bytes: usize) -> OtlpOptions {
        OtlpOptions { max_request_bytes: bytes, ..self }
    }
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
