//! Requests by who sent them, as a mesh of Envoy names him.

use axum::extract::MatchedPath;
use http::HeaderValue;
use metercast::metrics;

use crate::exchange::{HttpEnd, HttpExchange, HttpOutcome, HttpProfile, RequestHead};

// The names are a contract of their users. They say the unit: with one of its own the second would say it twice on a page.
metrics! {
    /// HTTP requests served
    static REQUESTS: Counter<u64> = "http_requests_total" {
        labels: { code: u16, caller: &str, action: &str }
    };
    /// Time that HTTP requests took, in milliseconds
    static LATENCY: Histogram<f64> = "http_request_latency_ms" {
        buckets: [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000],
        labels: { code: u16, caller: &str, action: &str }
    };
}

const HEADER: &str = "x-envoy-downstream-service-cluster";

/// The longest name of a caller, in letters.
const LONGEST: usize = 64;

/// The profile of services in a mesh of Envoy: the counter `http_requests_total` and the histogram `http_request_latency_ms`, in
/// milliseconds, both by `code`, `caller` and `action`.
///
/// The caller is who the mesh says in `x-envoy-downstream-service-cluster`, if that has at most 64 letters, digits, `_` and `-`, and
/// `unknown` otherwise. The action is the template of axum's route. What matches no route is not measured, and neither are `/health`,
/// `/metrics` and paths that begin with `/_`. A request that the client breaks off has the code 499, and one whose handler panics
/// or whose service fails 500.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use metercast_tower::{Callers, FutureMetricsExt, Log, PrometheusPage, Store};
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let app = Router::new()
///     .route("/api/items/{id}", get(|| async { "an item" }))
///     .layer(metercast_tower::server().profile(Callers));
/// # let app: Router = app;
/// let request = axum::http::Request::get("/api/items/7").header("x-envoy-downstream-service-cluster", "web");
/// drop(app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap());
///
/// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
/// assert!(page.contains("http_requests_total{code=\"200\",caller=\"web\",action=\"/api/items/{id}\"} 1\n"));
/// # }.with_metrics());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Callers;

/// Who asks for what; of [`Callers`].
#[derive(Debug)]
pub struct CallersRequest {
    caller: Option<HeaderValue>,
    action: MatchedPath,
}

impl HttpProfile for Callers {
    type Exchange = CallersRequest;

    fn begin(&self, request: &RequestHead<'_>) -> Option<CallersRequest> {
        let path = request.path();
        if path.starts_with("/_") || path == "/health" || path == "/metrics" {
            return None;
        }
        let action = request.extension::<MatchedPath>()?.clone();
        Some(CallersRequest { caller: request.headers().get(HEADER).cloned(), action })
    }
}

impl HttpExchange for CallersRequest {
    fn ended(&mut self, end: &HttpEnd<'_>) {
        // 499 is what proxies of the field log for clients that went away.
        let without_answer = if end.outcome() == HttpOutcome::Cancelled { 499 } else { 500 };
        let code = end.status().map_or(without_answer, |status| status.as_u16());
        let caller = self.caller.as_ref().and_then(name).unwrap_or("unknown");
        let labels = (code, caller, self.action.as_str());
        REQUESTS.add(1, labels);
        LATENCY.record(end.took().as_secs_f64() * 1000.0, labels);
    }
}

/// The name in the header, if it is one.
fn name(header: &HeaderValue) -> Option<&str> {
    let name = header.to_str().ok()?;
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    ((1..=LONGEST).contains(&name.len()) && name.bytes().all(is_of_names)).then_some(name)
}
