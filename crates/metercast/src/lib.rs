//! *Meter once, cast everywhere.* A service records a measurement once, into one in-process store; any number of
//! exporters read it.
//!
//! ```no_run
//! metercast::metrics! {
//!     /// Orders accepted.
//!     static ORDERS_PLACED: Counter<u64> = "orders.placed" { unit: "{order}" };
//! }
//!
//! fn main() -> Result<(), metercast::StartError> {
//!     let _telemetry = metercast::start()?; // http://127.0.0.1:9464/metrics
//!     ORDERS_PLACED.add(1);
//!     Ok(())
//! }
//! ```
//!
//! | to | read |
//! | --- | --- |
//! | declare and record metrics | [`metrics!`], [`labels!`], [`u64_counter!`] and its siblings |
//! | start, reload, flush and shut down | [`start`], [`Telemetry`] |
//! | configure from code, file or environment | [`config`] |
//! | say whether the program can do its work, to probes and as metrics | [`Health`] |
//! | test what is measured | [`testing`] |
//! | see whether the exporters of a configuration would work | [`Trial`] |
//! | know and document all metrics of a program | [`catalogue`](mod@catalogue), [`assert_catalogue!`] |
//! | serve the Prometheus page from your own server | [`Scrape`], [`PrometheusPage`] |
//! | push the page of a batch job to a Pushgateway | [`Pushgateway`] |
//! | read the store yourself | [`InMemoryReader`] |
//! | write an exporter of your own | [`CustomExporter`] |
//!
//! # Features
//!
//! | feature | default | what for |
//! | --- | --- | --- |
//! | `config` | yes | configuration from a TOML file, again when it changes or on SIGHUP |
//! | `yaml` | no | configuration from a YAML file, and OpenTelemetry's declarative files |
//! | `serve` | yes | the listener that serves the Prometheus page |
//! | `live` | no | the page for people on that listener |
//! | `otlp` | yes | push by OTLP over HTTP |
//! | `grpc` | no | push by OTLP over gRPC |
//! | `tls` | yes | encrypted connections |
//! | `gzip` | with `serve` or `otlp` | packing by gzip |
//! | `zstd` | no | packing by zstd |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod config;
pub mod dynamic;
pub mod resource;
pub mod view;

pub mod snapshot;

mod collection;
mod in_memory;
pub mod lint;
mod observer;
mod reader;

#[cfg(all(feature = "tls", any(feature = "otlp", feature = "serve")))]
mod crypto;
mod export;

#[cfg(feature = "live")]
mod live;
mod scrape;
#[cfg(feature = "serve")]
mod serve;

mod health;
pub mod log;
mod outcome;
mod own;
mod panic;
#[cfg(all(unix, any(feature = "otlp", feature = "config")))]
mod signal;
mod telemetry;

pub mod catalogue;

pub mod testing;

#[cfg(all(feature = "otlp", feature = "serve"))]
mod trial;

pub use catalogue::catalogue;
pub use collection::{CollectedMetric, Collection, Temporality};
pub use config::Config;
pub use export::custom::{CustomExporter, Export};
#[cfg(feature = "otlp")]
#[doc(hidden)]
pub use export::otlp::{Courier, Delivery, Undelivered};
#[cfg(all(unix, feature = "otlp"))]
#[doc(hidden)]
pub use signal::Signals;

#[cfg(feature = "otlp")]
pub use export::otlp::{OtlpEncoding, OtlpMessage, OtlpOptions, Request as OtlpRequest};
pub use export::prometheus::{
    Escaping, Format, PageFormat, PageOptions, Profile, PrometheusPage, ResourceLabels, Strategy,
};
#[cfg(feature = "otlp")]
pub use export::pushgateway::{Pushgateway, PushgatewayError};
pub use health::{Check, Checking, Health, HealthBuilder, Readiness};
pub use in_memory::{InMemoryExporter, InMemoryReader};
pub use log::Log;
pub use scrape::{Scrape, ScrapeAnswer, ScrapeBody, ScrapePart, ScrapeParts, ScrapeRequest};
pub use snapshot::Snapshot;
pub use telemetry::{
    ExporterChange, FlushError, ReloadError, Reloaded, StartError, Telemetry, TelemetryBuilder, start,
};
pub use testing::FutureMetricsExt;
#[cfg(all(feature = "otlp", feature = "serve"))]
pub use trial::Trial;

pub use metercast_core::*;
