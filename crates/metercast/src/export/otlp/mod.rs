//! OTLP over HTTP: the store as one protobuf message, pushed at an interval.
//!
//! ```text
//! push, worker (when) -> reader -> message (what) -> client (HTTP)
//!                                    |                 |
//!                                    |                 answer (what became of it) -> error -> who asked, log, own metrics
//!                                    point (a series) -> attributes (its labels) -> wire (bytes)
//! ```
//!
//! Values are cumulative, so a push that failed needs no second try: the next one has everything.

mod answer;
mod attributes;
mod client;
mod error;
mod message;
mod point;
mod push;
mod settings;
mod wire;
mod worker;

pub use message::OtlpMessage;
pub(crate) use push::Push;
pub(crate) use settings::Settings;
