//! [`tracing`](https://docs.rs/tracing) and metercast: metrics that events carry in their fields, how many events are logged, and, with the
//! Cargo feature `traces`, spans as traces by OTLP, from the same configuration as metrics.
//!
//! # Metrics and logs
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

//! # Traces
//!
//! A few lines, with the features `traces` and `json`; where the spans go, `OTEL_EXPORTER_OTLP_ENDPOINT` or the file says, and if nobody does, there
//! are none and they cost nothing:
//!
#![cfg_attr(all(feature = "traces", feature = "json"), doc = "```")]
#![cfg_attr(not(all(feature = "traces", feature = "json")), doc = "```ignore")]
//! use metercast::Config;
//! use metercast_tracing::{JsonLogs, Traces};
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::layer::{Layer, SubscriberExt};
//! use tracing_subscriber::util::SubscriberInitExt;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::builder().service("shop", "1.4.2").file_if_exists("shop.toml").build()?;
//! let traces = Traces::start(&config);
//! let logs = JsonLogs::new().layer().with_filter(LevelFilter::INFO);
//! tracing_subscriber::registry().with(traces.layer()).with(logs).init();
//! traces.report(); // what became of it, now that somebody listens
//! // let telemetry = metercast::Telemetry::builder(config).log(metercast_tracing::log()).start()?; and the program
//! traces.shutdown()?; // the last spans leave
//! # Ok(())
//! # }
//! ```
//!
//! In its file, if it has one:
//!
//! ```toml
//! [telemetry.traces]
//! endpoint = "https://collector:4318"
//! sampler = "parentbased_traceidratio"
//! sampler_arg = 0.1
//! filter = "info,hyper=off"
//! ```
//!
//! Spans are those of `tracing`: `info_span!("order", otel.kind = "server", id)`. A task that is spawned goes on with one by
//! `.instrument(span)`; another program by the headers that `propagation` writes and reads. Histograms and counters that are recorded in a
//! sampled span have it as exemplar.
//!
//! # Features
//!
//! | feature | what for |
//! | --- | --- |
//! | `traces` | `Traces` by OTLP over HTTP, `propagation`, exemplars, and `log` for what metercast says |
//! | `grpc` | traces by OTLP over gRPC |
//! | `http-json` | traces by OTLP as JSON |
//! | `http` | `propagation` for headers of the crate `http`, and the layers of the module `http`, which give requests spans |
//! | `axum` | the routes of axum in those spans |
//! | `async_nats_0_51` | `propagation` for headers of async-nats |
//! | `json` | `JsonLogs`: lines of JSON with `trace_id` and `span_id` |
//!
//! None is on by default. Of foreign crates with a version below 1 none is in a signature but those of `tracing`, the traits of `tower` and
//! the headers of async-nats.

#![forbid(unsafe_code)]

mod callsite;
mod event;
mod field;
#[cfg(feature = "http")]
pub mod http;
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
