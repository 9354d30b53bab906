//! Requests counted by method and status, for dashboards that have no histograms.

use http::Method;
use metercast::metrics;

use super::endpoints::Standard;
use crate::exchange::{HttpEnd, HttpExchange, HttpOutcome, HttpProfile, RequestHead};

// The name is a contract of its users.
metrics! {
    /// HTTP requests served
    static REQUESTS: Counter<u64> = "http_server_request_total" { labels: { method: Standard, status: u16 } };
}

/// The profile of one counter, `http_server_request_total` by `method` and `status`, mostly beside the semantic conventions:
/// `server().and(Totals)`.
///
/// The method is one of nine, or `other`. A request counts when it ends; one that the client breaks off before its answer has the
/// status 499, and one whose handler panics or whose service fails 500.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals;

/// One request; of [`Totals`].
#[derive(Debug)]
pub struct TotalsRequest(Method);

impl HttpProfile for Totals {
    type Exchange = TotalsRequest;

    fn begin(&self, request: &RequestHead<'_>) -> Option<TotalsRequest> {
        Some(TotalsRequest(request.method().clone()))
    }
}

impl HttpExchange for TotalsRequest {
    fn ended(&mut self, end: &HttpEnd<'_>) {
        let without_answer = if end.outcome() == HttpOutcome::Cancelled { 499 } else { 500 };
        let status = end.status().map_or(without_answer, |status| status.as_u16());
        REQUESTS.add(1, (self.0.as_str(), status));
    }
}
