//! HTTP metrics for axum, hyper and any tower stack; the one dependency that a web service needs.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _telemetry = metercast_tower::start()?; // http://127.0.0.1:9464/metrics
//!     let app = Router::new().route("/orders/{id}", get(|| async { "an order" })).layer(metercast_tower::server());
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//! ```
//!
//! Everything of [`metercast`] is here too: `metercast_tower::metrics!`, `metercast_tower::Config` and so on.
//!
//! # Features
//!
//! | feature | default | what for |
//! | --- | --- | --- |
//! | `axum` | yes | the route template of axum as `http.route`, and `Callers` |
//! | `config`, `serve`, `otlp`, `tls` | yes | those of metercast; `ScrapeService` needs `serve` |
//! | `grpc`, `yaml`, `zstd` | no | those of metercast |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bounded;
mod client;
mod configured;
mod exchange;
mod rpc;
#[cfg(feature = "serve")]
mod scrape;
mod server;

pub use bytes;
pub use client::{ClientRequest, ClientSemantic, UrlTemplate, client};
pub use configured::{Configured, ConfiguredRequest, http_client_stage, http_server_stage};
pub use exchange::{
    AsGiven, BodyFrame, Counted, CountedBody, HttpEnd, HttpExchange, HttpLayer, HttpOutcome, HttpProfile,
    HttpService, MeasuredBody, RequestHead, ResponseFuture, ResponseHead, io_error_type,
};
pub use http;
pub use metercast;
pub use metercast::*;
#[cfg(feature = "serve")]
pub use scrape::{PageBody, ScrapeFuture, ScrapeService};
#[cfg(feature = "axum")]
pub use server::{Callers, CallersRequest};
pub use server::{
    EndpointRequest, Endpoints, HttpRoute, ServerRequest, ServerSemantic, Totals, TotalsRequest, server,
};
