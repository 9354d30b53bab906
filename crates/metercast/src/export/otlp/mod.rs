//! OTLP: the store as messages, pushed over HTTP or gRPC at an interval.
//!
//! ```text
//! push, worker (when) -> exporter (one push) -> message (what) -> transport -> client (HTTP) or grpc -> connect -> tls
//!                          |         |            |                              |
//!                          |         |            |                              answer (what became of it) -> error
//!                          |         |            |                                                              |
//!                          |         retry (what follows an attempt) <- outcome (what it came to) <--------------/
//!                          |                      |
//!                          report -> who asked, log, own metrics
//!                                                 |
//!                                                 envelope (the order of everything) -> walk (requests of a size) -> format
//!                                                 |                                                                    |
//!                                                 since (what came) <- cursors (what arrived) <- told (by a request)   protobuf or json
//!                                                 |                    |         |
//!                                                 distribution         thread    bank
//!                                                                      |
//!                                                                      handover (when streams are made anew)
//! ```
//!
//! In protobuf a point is written by `point`, its labels by `attributes`, and the bytes by the `wire` beside this folder.
//!
//! What was refused stays in the store, and the next push has it; only what may have been taken is sent again as it was.

mod answer;
mod attributes;
mod bank;
mod change;
mod client;
mod compress;
mod connect;
mod counted;
mod courier;
mod cursors;
mod distribution;
mod envelope;
mod error;
mod exporter;
mod fields;
mod format;
#[cfg(feature = "grpc")]
mod grpc;
mod handover;
mod json;
mod known;
mod message;
mod options;
mod outcome;
mod pace;
mod pending;
mod point;
mod protobuf;
pub(super) mod push;
mod report;
mod request;
mod retry;
mod settings;
mod since;
mod thread;
#[cfg(feature = "tls")]
mod tls;
mod told;
mod transport;
#[cfg(feature = "serve")]
mod trial;
mod walk;
mod worker;

pub(crate) use change::Change;
pub(super) use connect::Connector;
pub use courier::{Courier, Delivery, Undelivered};
pub(super) use error::Cause;
pub use message::OtlpMessage;
pub use options::{OtlpEncoding, OtlpOptions};
pub(crate) use push::{Heritage, Push};
pub use request::Request;
pub(crate) use settings::Settings;
pub(super) use settings::{Proxy, hide};
#[cfg(feature = "serve")]
pub(crate) use trial::{LONGEST as LONGEST_TRIAL, Refused, Tried, try_once};
