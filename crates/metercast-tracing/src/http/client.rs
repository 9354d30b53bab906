//! Spans of requests that are sent.

use std::task::{Context, Poll};

use http::{Request, Response, Uri};
use tower_layer::Layer;
use tower_service::Service;
use tracing::{field::Empty, info_span};

use super::future::ResponseFuture;
use super::{Side, TracedBody, method, scheme};
use crate::propagation::inject_headers;

/// A layer that gives every request a span, by the semantic conventions of HTTP clients: `GET`, of the kind client; and tells the server of it
/// in the request's headers. It lasts until the body of the answer has ended or is dropped. The query of a URL may be a secret, so it is not
/// in the span, and neither are names and passwords.
///
/// ```
/// use metercast_tracing::http::client_spans;
/// use tower_layer::Layer;
///
/// # struct Client;
/// let client = client_spans().layer(Client);
/// ```
pub fn client_spans() -> ClientSpansLayer {
    ClientSpansLayer(())
}

/// That of the URL, or of its scheme.
fn port(uri: &Uri) -> Option<u16> {
    uri.host()?;
    Some(uri.port_u16().unwrap_or(if scheme(uri) == "https" { 443 } else { 80 }))
}

/// The URL but for what may be a secret, if it is a whole one.
fn full(uri: &Uri) -> Option<String> {
    let (host, path) = (uri.host()?, uri.path());
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}{path}", scheme(uri)))
}

/// See [`client_spans`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ClientSpansLayer(());

impl<S> Layer<S> for ClientSpansLayer {
    type Service = ClientSpans<S>;

    fn layer(&self, inner: S) -> ClientSpans<S> {
        ClientSpans { inner }
    }
}

/// A client whose requests have spans.
#[derive(Clone, Debug)]
pub struct ClientSpans<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for ClientSpans<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<TracedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (method, uri) = (method(request.method()), request.uri());
        let span = info_span!(
            "HTTP",
            otel.name = if method == "_OTHER" { "HTTP" } else { method },
            otel.kind = "client",
            otel.status_code = Empty,
            error.type = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            server.address = uri.host(),
            server.port = port(uri),
            url.full = full(uri),
            url.scheme = uri.scheme().map(|_| scheme(uri)),
        );
        let future = span.in_scope(|| {
            inject_headers(request.headers_mut());
            self.inner.call(request)
        });
        ResponseFuture::new(future, span, Side::Client)
    }
}
