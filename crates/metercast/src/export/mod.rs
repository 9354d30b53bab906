//! Formats, and the transports that carry them. A format knows no transport, a transport knows no format.

#[cfg(feature = "otlp")]
pub(crate) mod otlp;
pub(crate) mod prometheus;
