//! Metrics of HTTP and gRPC for axum, hyper, tonic and any tower stack; the one dependency that a web service needs.
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
//! # What is measured
//!
//! By the semantic conventions, each request once, however it ends:
//!
//! | metric | kind, unit | of |
//! | --- | --- | --- |
//! | `http.server.request.duration` | histogram, s | [`server()`], to the end of the response's body |
//! | `http.server.active_requests` | up-down counter | `server()` |
//! | `http.server.request.body.size`, `http.server.response.body.size` | histograms, By | [`server().body_sizes()`](HttpLayer::body_sizes) |
//! | `rpc.server.call.duration` | histogram, s | `server()`, of calls of gRPC in place of the request's duration |
//! | `http.client.request.duration` | histogram, s | [`client()`], until the response was read or is dropped |
//! | `http.client.active_requests` | up-down counter | `client()` |
//! | `http.client.request.body.size`, `http.client.response.body.size` | histograms, By | `client().body_sizes()` |
//! | `rpc.client.call.duration` | histogram, s | `client()`, of calls of gRPC in place of the request's duration |
//!
//! A call of gRPC is what has the content type `application/grpc`. Its status is that of the trailers, or of the headers where there are
//! no others, or what clients make of a response that has none: `CANCELLED` if it was dropped, `DEADLINE_EXCEEDED` if that was
//! after its `grpc-timeout`, `UNKNOWN`.
//!
//! Services that have names and labels of their own have a [profile](HttpProfile) in place of these or [beside
//! them](HttpLayer::and): [`Endpoints`], `Callers`, [`Totals`], or their own.
//!
//! ```
//! use metercast_tower::{Totals, server};
//!
//! let layer = server()
//!     .body_sizes()
//!     .hosts(["api.example.com"]) // server.address; all others are `_OTHER`
//!     .unmatched("other") // http.route of what matches none
//!     .skip_path("/health")
//!     .and(Totals);
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
//! | `grpc`, `live`, `yaml`, `zstd` | no | those of metercast |

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
