//! OTLP over HTTP: a snapshot as one protobuf message, pushed at an interval.
//!
//! ```text
//! push, worker (when) -> reader -> message, wire (what) -> client (HTTP)
//!                                                            |
//!                own metrics, log, who asked <- error <- answer (what became of it)
//! ```
//!
//! Values are cumulative, so a push that failed needs no second try: the next one has everything.

mod answer;
mod client;
mod error;
mod message;
mod push;
mod settings;
mod wire;
mod worker;

pub(crate) use error::ExportError;
pub(crate) use push::Push;
pub(crate) use settings::Settings;
