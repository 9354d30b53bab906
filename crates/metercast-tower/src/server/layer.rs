//! The layer and the service it makes.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::MeasuredBody;
use super::future::ResponseFuture;
use super::request::InProgress;

/// Measures the requests of a server: `http.server.request.duration` and `http.server.active_requests`.
///
/// On an axum router, put it on with [`Router::layer`] after the routes, so that it sees which one matched; what
/// matched none is measured without `http.route`.
///
/// [`Router::layer`]: https://docs.rs/axum/0.8/axum/struct.Router.html#method.layer
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use metercast_tower::{InMemoryReader, Store, FutureMetricsExt};
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let app = Router::new().route("/orders/{id}", get(|| async { "an order" })).layer(metercast_tower::server());
/// # let app: Router = app;
/// let request = axum::http::Request::get("/orders/17").body(Body::empty()).unwrap();
/// drop(app.oneshot(request).await.unwrap());
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let labels = &snapshot.family("http.server.request.duration").unwrap().series[0].labels;
/// assert_eq!(labels.get("http.route"), Some(&"/orders/{id}".into()));
/// assert_eq!(labels.get("http.response.status_code"), Some(&200.into()));
/// # }.with_metrics());
/// ```
pub fn server() -> HttpServerLayer {
    HttpServerLayer::new()
}

/// The layer that [`server`] makes.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HttpServerLayer {}

impl HttpServerLayer {
    /// The same as [`server`].
    pub fn new() -> HttpServerLayer {
        HttpServerLayer {}
    }
}

impl<S> Layer<S> for HttpServerLayer {
    type Service = HttpServer<S>;

    fn layer(&self, inner: S) -> HttpServer<S> {
        HttpServer { inner }
    }
}

/// A service whose requests are measured; made by [`HttpServerLayer`].
#[derive(Clone, Copy, Debug)]
pub struct HttpServer<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for HttpServer<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<MeasuredBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        // Begun before the call, which may panic.
        let progress = InProgress::begin(&request);
        ResponseFuture::new(self.inner.call(request), progress)
    }
}
