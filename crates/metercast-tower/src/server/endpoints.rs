//! Requests by endpoint, counted when they start and when they are answered.

use std::fmt;
use std::sync::Arc;

use http::Method;
use metercast::{Guard, labels, metrics};

use crate::exchange::{HttpEnd, HttpExchange, HttpProfile, RequestHead, ResponseHead};

labels! {
    /// `method`: those of RFC 9110 and RFC 5789.
    pub(super) one_of Standard {
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"
    } else "other"
}

// The names are a contract of their users.
metrics! {
    /// HTTP requests that reached the service
    static STARTED: Counter<u64> = "http_requests_started_total";
    /// HTTP requests in progress
    static IN_FLIGHT: UpDownCounter<i64> = "http_requests_in_flight";
    /// HTTP requests served
    static ANSWERED: Counter<u64> = "http_requests_total" {
        labels: { endpoint: &str, method: Standard, status_code: u16 }
    };
}

/// The profile of services that name their endpoints themselves: `http_requests_started_total`, before anything is done about a request;
/// `http_requests_total` by `endpoint`, `method` and `status_code`, when the response's head is there; and
/// `http_requests_in_flight`, to the end of the response's body. A request that is cancelled, fails or panics before its
/// answer has started and is never counted in `http_requests_total`.
///
/// The endpoint is what the application makes of the request: one of the words that its program knows, and so never an id or whatever
/// else a client sends. The method is one of nine, or `other`.
#[derive(Clone)]
pub struct Endpoints {
    endpoint: Arc<dyn Fn(&RequestHead<'_>) -> &'static str + Send + Sync>,
}

impl Endpoints {
    /// With the endpoint of each request by this function.
    pub fn new(endpoint: impl Fn(&RequestHead<'_>) -> &'static str + Send + Sync + 'static) -> Endpoints {
        Endpoints { endpoint: Arc::new(endpoint) }
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints").finish_non_exhaustive()
    }
}

/// One request to an endpoint; of [`Endpoints`].
#[derive(Debug)]
pub struct EndpointRequest {
    endpoint: &'static str,
    method: Method,
    _in_flight: Guard,
}

impl HttpProfile for Endpoints {
    type Exchange = EndpointRequest;

    fn begin(&self, request: &RequestHead<'_>) -> Option<EndpointRequest> {
        STARTED.add(1);
        let endpoint = (self.endpoint)(request);
        Some(EndpointRequest { endpoint, method: request.method().clone(), _in_flight: IN_FLIGHT.guard() })
    }
}

impl HttpExchange for EndpointRequest {
    fn answered(&mut self, response: &ResponseHead<'_>) {
        ANSWERED.add(1, (self.endpoint, self.method.as_str(), response.status().as_u16()));
    }

    fn ended(&mut self, _: &HttpEnd<'_>) {}
}
