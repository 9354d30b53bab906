//! The relay: takes events from clients over WebSocket, keeps them in PostgreSQL, and hands them to all who subscribed, on every
//! node, through Redis.
//!
//! A library, so that a test can listen to what it records beside the exporter.

#![forbid(unsafe_code)]

mod settings;
mod telemetry;

mod filter;
mod message;
mod metrics;

mod audit;
mod bus;
mod cache;
mod database;
mod hearing;
mod people;
mod subscriptions;

mod connection;
mod event;
mod health;
mod relay;
mod routes;

mod serve;

pub use metrics::{Kind, METRICS, Metric, RECIPIENTS, SECONDS, describe, recorder};
pub use serve::{Addresses, serve};
pub use settings::Settings;
pub use telemetry::{configure, pool_metrics, start};

/// What goes wrong with a whole relay; it says what and how to mend it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
