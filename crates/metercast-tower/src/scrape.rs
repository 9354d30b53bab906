//! The Prometheus page as a tower service, for the application's own router.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use metercast::{Scrape, ScrapeAnswer, ScrapeParts, ScrapeRequest};
use tower_service::Service;

/// Serves the Prometheus page from a router of the application, behind whatever auth it has. It never fails: what goes wrong
/// is an answer, see [`Scrape`].
///
/// It needs a Tokio runtime with its time enabled, and writes pages on its threads for blocking work, so that no task waits.
///
/// Servers such as `axum::serve` wait without end for a client that stops reading. Such clients do not keep others out for
/// longer than 30 s: then their pages and places are given to whoever asks, see [`Scrape::max_in_flight`]. What the server has
/// in its own buffers (hyper: up to half a megabyte) and the connection stay until the client reads on, which ends it, or goes
/// away; how many connections there may be and for how long is the server's to limit.
///
/// ```
/// use axum::{Router, body::Body};
/// use metercast_tower::{Log, PrometheusPage, Scrape, ScrapeService, Store};
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scrape = Scrape::new(Store::global(), PrometheusPage::new("router", Log::default()));
/// let app = Router::new().route_service("/metrics", ScrapeService::new(scrape));
/// # let app: Router = app;
/// let request = axum::http::Request::get("/metrics").body(Body::empty()).unwrap();
/// assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
/// # });
/// ```
///
/// What a tenant may see is another service, which costs nothing to make, so that a handler can make one for each request:
///
/// ```
/// use axum::{Router, body::Body, extract::{Request, State}, response::IntoResponse, routing::get};
/// use metercast_tower::{Log, PrometheusPage, Scrape, ScrapeService, Store, u64_counter};
/// # use http_body_util::BodyExt;
/// # use tower::ServiceExt;
///
/// async fn of_tenant(State(scrape): State<Scrape>, request: Request) -> impl IntoResponse {
///     // Whoever this is was found out by the application's own auth.
///     let tenant = request.headers().get("x-tenant").and_then(|name| name.to_str().ok()).unwrap_or_default();
///     ScrapeService::new(scrape.tenant("tenant", tenant)).answer(&request).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = Store::new();
/// store.scope(|| {
///     u64_counter!("jobs", "Jobs done", 3, "tenant" => "acme", "kind" => "import");
///     u64_counter!("jobs", "Jobs done", 5, "tenant" => "other", "kind" => "import");
/// });
/// let scrape = Scrape::new(store, PrometheusPage::new("tenants", Log::default()));
/// let app = Router::new().route("/api/metrics", get(of_tenant)).with_state(scrape);
/// # let app: Router = app;
/// let request = Request::get("/api/metrics").header("x-tenant", "acme").body(Body::empty()).unwrap();
/// let page = app.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
/// assert!(page.ends_with(b"jobs_total{kind=\"import\"} 3\n"));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct ScrapeService {
    scrape: Scrape,
}

impl ScrapeService {
    /// Serves what `scrape` answers. Of the request's URL only the query counts: where it is, the router decides.
    pub fn new(scrape: Scrape) -> ScrapeService {
        ScrapeService { scrape }
    }

    /// The answer to a request, for a handler.
    pub fn answer<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Response<PageBody>> + Send + use<B> {
        let headers = request.headers();
        let (accept, accept_encoding) = (all(headers, &ACCEPT), all(headers, &ACCEPT_ENCODING));
        let answer = self.scrape.answer(
            &ScrapeRequest::new(request.method().as_str())
                .query(request.uri().query())
                .accept(accept.as_deref())
                .accept_encoding(accept_encoding.as_deref()),
        );
        async { response(answer.await) }
    }
}

/// The values of a header, one list: RFC 9110, section 5.3. Those that are not text are passed over.
fn all(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn response(answer: ScrapeAnswer) -> Response<PageBody> {
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(PageBody { parts: answer.into_body().into_parts() });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl<B> Service<Request<B>> for ScrapeService {
    type Response = Response<PageBody>;
    type Error = Infallible;
    type Future = ScrapeFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ScrapeFuture {
        let answer = self.answer(&request.map(|_| ()));
        ScrapeFuture(Box::pin(answer))
    }
}

/// The future of a [`ScrapeService`].
pub struct ScrapeFuture(Pin<Box<dyn Future<Output = Response<PageBody>> + Send>>);

impl Future for ScrapeFuture {
    type Output = Result<Response<PageBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for ScrapeFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrapeFuture").finish_non_exhaustive()
    }
}

/// The body of a [`ScrapeService`]'s response: a page that is complete. When it is dropped, its memory serves the next. It
/// fails if the client took nothing of it for 30 s and another needed its place.
#[derive(Debug)]
pub struct PageBody {
    parts: ScrapeParts,
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(self.parts.next().map(|part| part.map(|part| Frame::data(Bytes::from_owner(part)))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.remaining() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.parts.remaining() as u64)
    }
}
