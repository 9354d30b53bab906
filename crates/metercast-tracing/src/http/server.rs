//! Spans of requests that are served.

use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Span, field::Empty, info_span};

use super::future::ResponseFuture;
use super::{Side, TracedBody, method, scheme};
use crate::propagation::extract_headers;

/// A layer that gives every request a span, by the semantic conventions of HTTP servers: `GET /items/{id}`, of the kind server, within the
/// trace that its headers tell of. It lasts until the body of the answer has ended or is dropped.
///
/// The route is the template that axum has matched, with the Cargo feature `axum`; for other routers [`route`](ServerSpansLayer::route) says
/// which it is. The path, which clients choose, is never in the name.
///
/// ```
/// use axum::{Router, routing::get};
/// use metercast_tracing::http::server_spans;
///
/// let app: Router = Router::new().route("/items/{id}", get(|| async { "one" })).layer(server_spans());
/// ```
pub fn server_spans() -> ServerSpansLayer {
    ServerSpansLayer { route: matched }
}

#[cfg(feature = "axum")]
fn matched(request: &Parts) -> Option<&str> {
    request.extensions.get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched(_: &Parts) -> Option<&str> {
    None
}

/// See [`server_spans`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ServerSpansLayer {
    route: fn(&Parts) -> Option<&str>,
}

impl ServerSpansLayer {
    /// How to find the template that a request matched, such as `/items/{id}`, in place of asking axum.
    pub fn route(self, route: fn(&Parts) -> Option<&str>) -> ServerSpansLayer {
        ServerSpansLayer { route }
    }
}

impl<S> Layer<S> for ServerSpansLayer {
    type Service = ServerSpans<S>;

    fn layer(&self, inner: S) -> ServerSpans<S> {
        ServerSpans { inner, layer: *self }
    }
}

/// A service whose requests have spans.
#[derive(Clone, Debug)]
pub struct ServerSpans<S> {
    inner: S,
    layer: ServerSpansLayer,
}

impl<S, B, R> Service<Request<B>> for ServerSpans<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<TracedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let span = span(&parts, (self.layer.route)(&parts));
        // Where nobody is interested, nothing is read.
        if !span.is_disabled() {
            extract_headers(&parts.headers).parent_of(&span);
        }
        let future = span.in_scope(|| self.inner.call(Request::from_parts(parts, body)));
        ResponseFuture::new(future, span, Side::Server)
    }
}

fn span(parts: &Parts, route: Option<&str>) -> Span {
    let method = method(&parts.method);
    let span = info_span!(
        "HTTP",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        error.type = Empty,
        http.request.method = method,
        http.response.status_code = Empty,
        http.route = route,
        url.path = parts.uri.path(),
        url.scheme = scheme(&parts.uri),
    );
    if !span.is_disabled() {
        let name = if method == "_OTHER" { "HTTP" } else { method };
        match route {
            Some(route) => span.record("otel.name", format!("{name} {route}")),
            None => span.record("otel.name", name),
        };
    }
    span
}
