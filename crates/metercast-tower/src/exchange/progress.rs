//! A request from its head to the end of its response, however that comes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;
use metercast::Store;

use super::head::{RequestHead, ResponseHead};
use super::profile::{BodyFrame, HttpEnd, HttpExchange, HttpOutcome, HttpProfile};
use super::rules::Rules;

/// A request in progress. Dropping it ends it, so that none is forgotten: not a cancelled one, not one whose handler panics.
pub(super) struct InProgress<X: HttpExchange> {
    exchange: X,
    rules: Rules,
    request_body: RequestBody,
    status: Option<StatusCode>,
    failure: Option<Failure>,
    /// Whether the service or the body is at work at this moment: whoever drops this then has caught a panic of it.
    is_polled: bool,
    /// Whether the whole response is on its way: then what drops this is no cancellation.
    complete: bool,
    read_to_its_end: bool,
    /// Whether the connection is the client's for another protocol if this succeeds.
    connects: bool,
    response_body: u64,
    /// How long the response's body says that it is.
    announced: Option<u64>,
    started: Instant,
    store: Store,
}

#[derive(Clone, Copy)]
enum Failure {
    Service(&'static str),
    Body,
}

/// What is known of the size of a request's body.
pub(super) enum RequestBody {
    Said(Option<u64>),
    Counted(Arc<AtomicU64>),
}

impl<X: HttpExchange> InProgress<X> {
    /// `None` if nothing is recorded of a request like this.
    pub(super) fn begin<P: HttpProfile<Exchange = X>>(
        request: &RequestHead<'_>,
        profile: &P,
        rules: &Rules,
    ) -> Option<InProgress<X>> {
        if rules.skip(request) {
            return None;
        }
        let started = Instant::now();
        Some(InProgress {
            exchange: profile.begin(request)?,
            rules: rules.clone(),
            request_body: RequestBody::Said(request.body_size()),
            status: None,
            failure: None,
            is_polled: false,
            complete: false,
            read_to_its_end: false,
            connects: request.method() == Method::CONNECT,
            response_body: 0,
            announced: None,
            started,
            store: Store::current(),
        })
    }

    /// The request's body is counted here from now on.
    pub(super) fn count_request(&mut self) -> Arc<AtomicU64> {
        let bytes = Arc::new(AtomicU64::new(0));
        self.request_body = RequestBody::Counted(Arc::clone(&bytes));
        bytes
    }

    /// The service answered. What is returned goes on with the body, unless this was all.
    pub(super) fn answered<B: Body>(mut self, response: &Response<B>) -> Option<InProgress<X>> {
        let status = response.status();
        self.status = Some(status);
        let InProgress { exchange, store, .. } = &mut self;
        store.scope(|| exchange.answered(&ResponseHead::of(response)));
        let is_another_protocols = status == StatusCode::SWITCHING_PROTOCOLS;
        if is_another_protocols || (self.connects && status.is_success()) {
            self.complete = true;
            return None;
        }
        // A server need not ask for a body that is empty, or for that of an answer to HEAD: until it asks, nothing is
        // cancelled by not asking.
        self.complete = true;
        self.announced = response.body().size_hint().exact().or_else(|| content_length(response.headers()));
        Some(self)
    }

    pub(super) fn failed<E: 'static>(mut self, error: &E) {
        self.failure = Some(Failure::Service(self.rules.error_type(error)));
    }

    /// Somebody asks for the body's next frame.
    pub(super) fn asked(&mut self) {
        self.complete = false;
    }

    /// Polls the service or the body that this is about, which may panic.
    pub(super) fn polls<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        self.is_polled = true;
        let polled = poll();
        self.is_polled = false;
        polled
    }

    /// Data passed. Tells whether it was the last.
    pub(super) fn data(&mut self, bytes: usize) -> bool {
        self.response_body += bytes as u64;
        if X::WATCHES_DATA {
            let InProgress { exchange, store, .. } = self;
            store.scope(|| exchange.frame(&BodyFrame::Data(bytes)));
        }
        // Who sent a `Content-Length` need not ask whether there is more.
        self.announced.is_some_and(|announced| announced <= self.response_body)
    }

    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        let InProgress { exchange, store, .. } = self;
        store.scope(|| exchange.frame(&BodyFrame::Trailers(trailers)));
    }

    pub(super) fn body_failed(mut self) {
        self.failure = Some(Failure::Body);
    }

    /// The body was read to its end.
    pub(super) fn body_ended(mut self) {
        self.complete = true;
        self.read_to_its_end = true;
    }

    fn outcome(&self) -> HttpOutcome<'static> {
        match self.failure {
            Some(Failure::Service(error_type)) => HttpOutcome::Failed(error_type),
            Some(Failure::Body) => HttpOutcome::BodyFailed,
            None if self.complete => HttpOutcome::Completed,
            None if self.is_polled || std::thread::panicking() => HttpOutcome::Panicked,
            None => HttpOutcome::Cancelled,
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl<X: HttpExchange> Drop for InProgress<X> {
    fn drop(&mut self) {
        let end = HttpEnd {
            outcome: self.outcome(),
            took: self.started.elapsed(),
            status: self.status,
            request_body: match &self.request_body {
                RequestBody::Said(said) => *said,
                RequestBody::Counted(bytes) => Some(bytes.load(Relaxed)),
            },
            response_body: self.response_body,
            read_to_its_end: self.read_to_its_end,
        };
        let InProgress { exchange, store, .. } = self;
        let mut ended = || store.scope(|| exchange.ended(&end));
        if std::thread::panicking() {
            // Of an application's own profile, a second panic here would end the process.
            let _ = catch_unwind(AssertUnwindSafe(ended));
        } else {
            ended();
        }
    }
}

impl<X: HttpExchange> fmt::Debug for InProgress<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProgress").field("status", &self.status).finish_non_exhaustive()
    }
}
