//! Requests by who sent them, as a mesh of Envoy names him.

use std::time::Duration;

use axum::extract::MatchedPath;
use http::HeaderValue;
use metercast::metrics;

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

/// Who asks for what.
#[derive(Debug)]
pub(super) struct Call {
    caller: Option<HeaderValue>,
    action: MatchedPath,
}

impl Call {
    /// That of a request, unless it is not to be measured.
    pub(super) fn of<B>(request: &http::Request<B>) -> Option<Call> {
        let path = request.uri().path();
        if path.starts_with("/_") || path == "/health" || path == "/metrics" {
            return None;
        }
        let action = request.extensions().get::<MatchedPath>()?.clone();
        Some(Call { caller: request.headers().get(HEADER).cloned(), action })
    }

    pub(super) fn record(&self, code: u16, took: Duration) {
        let caller = self.caller.as_ref().and_then(name).unwrap_or("unknown");
        let labels = (code, caller, self.action.as_str());
        REQUESTS.add(1, labels);
        LATENCY.record(took.as_secs_f64() * 1000.0, labels);
    }
}

/// The name in the header, if it is one.
fn name(header: &HeaderValue) -> Option<&str> {
    let name = header.to_str().ok()?;
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    ((1..=LONGEST).contains(&name.len()) && name.bytes().all(is_of_names)).then_some(name)
}
