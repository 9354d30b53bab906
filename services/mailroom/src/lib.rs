//! The mailroom: keeps what one side leaves for the other in mailboxes, and relays to gateways; what it measures is pushed to whoever
//! aggregates many operators.
//!
//! A library, so that a test can run it by a clock of its own.

#![forbid(unsafe_code)]

mod settings;

mod metrics;
mod telemetry;

mod endpoint;
mod id;
mod mailboxes;
mod tunnels;

mod mailroom;
mod routes;

mod serve;

pub use serve::serve;
pub use settings::Settings;
pub use telemetry::Measuring;

/// What goes wrong with a whole mailroom; it says what and how to mend it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
