//! The layer and the service it makes.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::{CountedBody, MeasuredBody};
use super::future::ResponseFuture;
use super::head::RequestHead;
use super::profile::HttpProfile;
use super::progress::InProgress;
use super::rules::Rules;

/// Measures HTTP requests: those that a server gets, made by [`server`](crate::server()), or those that a client sends, made by
/// [`client`](crate::client()). What is recorded of them is its [profile](HttpProfile).
///
/// A request lasts until the body of its response has ended or is dropped, or until its service fails or is dropped; a response
/// that makes the connection another protocol's (101, or success for `CONNECT`) ends it at once. Each is recorded once, in the
/// store that was current when it began.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put on a service"]
pub struct HttpLayer<P, C = AsGiven> {
    pub(crate) profile: P,
    rules: Rules,
    counts: PhantomData<C>,
}

/// Request bodies reach the service as they are: how long they are, their heads say.
#[derive(Clone, Copy, Debug)]
pub enum AsGiven {}

/// Request bodies reach the service as [`CountedBody`].
#[derive(Clone, Copy, Debug)]
pub enum Counted {}

impl<P: HttpProfile> HttpLayer<P> {
    /// Records what the profile says and nothing else.
    pub fn new(profile: P) -> HttpLayer<P> {
        HttpLayer { profile, rules: Rules::default(), counts: PhantomData }
    }
}

impl<P: HttpProfile, C> HttpLayer<P, C> {
    fn with<Q: HttpProfile, D>(self, profile: impl FnOnce(P) -> Q) -> HttpLayer<Q, D> {
        HttpLayer { profile: profile(self.profile), rules: self.rules, counts: PhantomData }
    }

    /// Records what this profile says instead of what it did.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::get};
    /// use metercast_tower::{Endpoints, FutureMetricsExt, Log, PrometheusPage, Store};
    /// use tower::ServiceExt;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let endpoints = Endpoints::new(|request| match request.path() {
    ///     "/health" => "/health",
    ///     path if path.starts_with("/items/") => "/items/{id}",
    ///     _ => "other",
    /// });
    /// let app = Router::new()
    ///     .route("/items/{id}", get(|| async { "an item" }))
    ///     .layer(metercast_tower::server().profile(endpoints));
    /// # let app: Router = app;
    /// let request = axum::http::Request::get("/items/7").body(Body::empty()).unwrap();
    /// drop(app.oneshot(request).await.unwrap());
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("http_requests_total{endpoint=\"/items/{id}\",method=\"GET\",status_code=\"200\"} 1\n"));
    /// # }.with_metrics());
    /// ```
    pub fn profile<Q: HttpProfile>(self, profile: Q) -> HttpLayer<Q, C> {
        self.with(|_| profile)
    }

    /// Records what this profile says as well. What is to be said of the semantic conventions is to be said before. What one of them
    /// [records](HttpProfile::records) a [`Configured`](crate::Configured) one leaves out, so that it is counted once.
    pub fn and<Q: HttpProfile>(self, profile: Q) -> HttpLayer<(P, Q), C> {
        self.with(|first| {
            let second = profile.beside(&first.records());
            (first.beside(&second.records()), second)
        })
    }

    /// What it records, without which requests it leaves out: to be a part of another layer's profile.
    pub fn into_profile(self) -> P {
        self.profile
    }

    /// Counts the bytes of request bodies as they pass, also of those that do not say how long they are; costs an allocation
    /// for each request. Without, the size of a request's body is what its head says (`Content-Length`, or what is in memory), and
    /// not known of others.
    ///
    /// The service then gets requests with a [`CountedBody`]. An axum router takes them, and so does what takes any
    /// [`Body`]; what wants one type of body must want this one.
    pub fn count_request_bodies(self) -> HttpLayer<P, Counted> {
        self.with(|profile| profile)
    }

    /// Records nothing of requests for this path, such as `/health`. May be said for several.
    pub fn skip_path(mut self, path: &str) -> Self {
        self.rules.skip_path(path);
        self
    }

    /// Records nothing of requests for paths that begin so, such as `/_`. May be said for several.
    pub fn skip_prefix(mut self, prefix: &str) -> Self {
        self.rules.skip_prefix(prefix);
        self
    }

    /// Records nothing of requests for which this is true. May be said several times.
    ///
    /// ```
    /// let layer = metercast_tower::server().skip_if(|request| request.header("x-probe").is_some());
    /// ```
    pub fn skip_if(mut self, predicate: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.rules.skip_if(Arc::new(predicate));
        self
    }

    /// Says what errors of type `E` are called, of which the service's are, in few words that do not come from outside; `None` where it has
    /// none. May be said several times; the first word counts.
    ///
    /// Otherwise it is the kind of the I/O error that [is in it](crate::io_error_type), if the error is one or a box, else the
    /// name of the type, else `_OTHER`.
    ///
    /// ```
    /// use tower::BoxError;
    /// use tower::timeout::error::Elapsed;
    ///
    /// let layer = metercast_tower::client()
    ///     .error_type(|error: &BoxError| error.is::<Elapsed>().then_some("timeout"));
    /// ```
    pub fn error_type<E: Any>(
        mut self,
        name: impl Fn(&E) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.rules.error(Arc::new(move |error| error.downcast_ref().and_then(&name)));
        self
    }
}

impl<S, P: Clone, C> Layer<S> for HttpLayer<P, C> {
    type Service = HttpService<S, P, C>;

    fn layer(&self, inner: S) -> HttpService<S, P, C> {
        HttpService { inner, profile: self.profile.clone(), rules: self.rules.clone(), counts: PhantomData }
    }
}

/// A service whose requests are measured; made by [`HttpLayer`].
#[derive(Clone, Debug)]
pub struct HttpService<S, P, C = AsGiven> {
    inner: S,
    profile: P,
    rules: Rules,
    counts: PhantomData<C>,
}

impl<S, P: HttpProfile, C> HttpService<S, P, C> {
    fn begin<B: Body>(&self, request: &Request<B>) -> Option<InProgress<P::Exchange>> {
        InProgress::begin(&RequestHead::of(request), &self.profile, &self.rules)
    }
}

impl<S, P, B, R> Service<Request<B>> for HttpService<S, P, AsGiven>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    P: HttpProfile,
    B: Body,
    R: Body,
{
    type Response = Response<MeasuredBody<R, P::Exchange>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, P::Exchange>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Begun before the call, which may panic.
        let progress = self.begin(&request);
        ResponseFuture::new(self.inner.call(request), progress)
    }
}

impl<S, P, B, R> Service<Request<B>> for HttpService<S, P, Counted>
where
    S: Service<Request<CountedBody<B>>, Response = Response<R>>,
    S::Error: 'static,
    P: HttpProfile,
    B: Body,
    R: Body,
{
    type Response = Response<MeasuredBody<R, P::Exchange>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, P::Exchange>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut progress = self.begin(&request);
        let bytes = progress.as_mut().map(InProgress::count_request);
        let request = request.map(|body| CountedBody::new(body, bytes));
        ResponseFuture::new(self.inner.call(request), progress)
    }
}
