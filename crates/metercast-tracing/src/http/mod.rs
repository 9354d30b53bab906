//! Layers for HTTP: a span for every request that is served or sent, part of the trace that its headers tell of.

mod body;
mod client;
mod future;
mod server;

use http::{Method, StatusCode, Uri, uri::Scheme};
use tracing::Span;

pub use body::TracedBody;
pub use client::{ClientSpans, ClientSpansLayer, client_spans};
pub use future::ResponseFuture;
pub use server::{ServerSpans, ServerSpansLayer, server_spans};

/// A method as the semantic conventions have it: those that are not known are one.
fn method(method: &Method) -> &str {
    match method.as_str() {
        "CONNECT" | "DELETE" | "GET" | "HEAD" | "OPTIONS" | "PATCH" | "POST" | "PUT" | "QUERY" | "TRACE" => {
            method.as_str()
        }
        _ => "_OTHER",
    }
}

/// `http` or `https`. Clients of HTTP/1 do not say; then it is `http`, since TLS that was ended before us is not ours to know.
fn scheme(uri: &Uri) -> &'static str {
    if uri.scheme() == Some(&Scheme::HTTPS) { "https" } else { "http" }
}

/// Who a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

/// What the answer was. Of a server only 5xx is its own fault; of a client 4xx is one too.
fn record_status(span: &Span, status: StatusCode, side: Side) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() || (side == Side::Client && status.is_client_error()) {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
}
