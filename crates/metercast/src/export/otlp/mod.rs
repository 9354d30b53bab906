//! OTLP: the store as messages, pushed over HTTP at an interval.
//!
//! ```text
//! push, worker (when) -> reader -> message (what) -> client (HTTP)
//!                                    |                 |
//!                                    |                 answer (what became of it) -> error -> who asked, log, own metrics
//!                                    envelope (the order of everything) -> walk (requests of a size) -> format
//!                                    |                                                                    |
//!                                    since (what came) <- cursors (what arrived) <- told (by a request)   protobuf or json
//! ```
//!
//! In protobuf a point is written by `point`, its labels by `attributes`, and the bytes by `wire`.

mod answer;
mod attributes;
mod client;
mod cursors;
mod envelope;
mod error;
mod format;
mod json;
mod message;
mod options;
mod point;
mod protobuf;
mod push;
mod request;
mod settings;
mod since;
mod told;
mod walk;
mod wire;
mod worker;

pub use message::OtlpMessage;
pub use options::{HistogramAggregation, OtlpEncoding, OtlpOptions, TemporalityPreference};
pub(crate) use push::Push;
pub use request::Request;
pub(crate) use settings::Settings;
