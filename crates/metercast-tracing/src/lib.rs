//! Metrics from [`tracing`](https://docs.rs/tracing): those that events carry in their fields, and how many events are logged.
//!
//! ```
//! use metercast_core::{Store, reading::Point};
//! use metercast_tracing::Metrics;
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! let store = Store::new();
//! let subscriber = tracing_subscriber::registry().with(Metrics::new().layer());
//! store.scope(|| {
//!     tracing::subscriber::with_default(subscriber, || {
//!         tracing::info!(monotonic_counter.orders = 1, side = "buy");
//!     });
//! });
//! let orders = &store.collect()[0];
//! assert_eq!(orders.definition.name(), "orders");
//! assert_eq!(orders.series[0].labels.to_string(), "{side=\"buy\"}");
//! assert_eq!(orders.series[0].point, Point::U64(1));
//! ```
//!
//! Code that was written for the `MetricsLayer` of `tracing-opentelemetry` works unchanged with [`Metrics`];
//! [`LogCounter`] counts events by level and target. Both record into the store that is current where the event is.
//!
//! In `main` they stand beside whatever else the program logs with, and `metercast::start()` serves what they record:
//!
//! ```
//! use metercast::{assert_counter, testing};
//! use metercast_tracing::{LogCounter, Metrics};
//! use tracing_subscriber::layer::SubscriberExt;
//! use tracing_subscriber::util::SubscriberInitExt;
//!
//! tracing_subscriber::registry().with(Metrics::new().layer()).with(LogCounter::new().layer()).init();
//!
//! let _metrics = testing::scope(); // in a test
//! tracing::info!(monotonic_counter.refused = 1, reason = "limit");
//! tracing::warn!(target: "shop", "an order was refused");
//! assert_counter!("refused", 1, "reason" => "limit");
//! assert_counter!("log.events", 1, "level" => "warn", "target" => "shop");
//! ```

#![forbid(unsafe_code)]

mod callsite;
mod event;
mod field;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "traces")]
mod log;
mod log_counter;
mod metrics;
#[cfg(feature = "traces")]
pub mod propagation;
mod targets;
#[cfg(feature = "traces")]
mod traces;

#[cfg(feature = "json")]
pub use json::JsonLogs;
#[cfg(feature = "traces")]
pub use log::log;
pub use log_counter::{LogCounter, LogCounterLayer, LogEvents, LogFilter};
pub use metrics::{MetricEvents, MetricFields, Metrics, MetricsLayer};
#[cfg(feature = "traces")]
pub use traces::{Outcome, Traces, TracesError, current_span};
