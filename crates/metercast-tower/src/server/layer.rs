//! The layer and the service it makes.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::MeasuredBody;
use super::future::ResponseFuture;
use super::profile::ServerProfile;
use super::request::InProgress;

/// Measures the requests of a server: `http.server.request.duration` and `http.server.active_requests`, or what another
/// [profile](HttpServerLayer::profile) has.
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
pub struct HttpServerLayer {
    profile: ServerProfile,
}

impl HttpServerLayer {
    /// The same as [`server`].
    pub fn new() -> HttpServerLayer {
        HttpServerLayer::default()
    }

    /// With other metrics than those of the semantic conventions.
    #[cfg_attr(feature = "axum", doc = "```")]
    #[cfg_attr(not(feature = "axum"), doc = "```ignore")]
    /// use axum::{Router, body::Body, routing::get};
    /// use metercast_tower::{FutureMetricsExt, Log, PrometheusPage, ServerProfile, Store};
    /// use tower::ServiceExt;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let app = Router::new()
    ///     .route("/api/items/{id}", get(|| async { "an item" }))
    ///     .layer(metercast_tower::server().profile(ServerProfile::Callers));
    /// # let app: Router = app;
    /// let request = axum::http::Request::get("/api/items/7").header("x-envoy-downstream-service-cluster", "web");
    /// drop(app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap());
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("http_requests_total{code=\"200\",caller=\"web\",action=\"/api/items/{id}\"} 1\n"));
    /// # }.with_metrics());
    /// ```
    pub fn profile(mut self, profile: ServerProfile) -> HttpServerLayer {
        self.profile = profile;
        self
    }
}

impl<S> Layer<S> for HttpServerLayer {
    type Service = HttpServer<S>;

    fn layer(&self, inner: S) -> HttpServer<S> {
        HttpServer { inner, profile: self.profile }
    }
}

/// A service whose requests are measured; made by [`HttpServerLayer`].
#[derive(Clone, Copy, Debug)]
pub struct HttpServer<S> {
    inner: S,
    profile: ServerProfile,
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
        let progress = InProgress::begin(&request, self.profile);
        ResponseFuture::new(self.inner.call(request), progress)
    }
}
