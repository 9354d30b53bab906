//! What is recorded of requests, stage by stage: the profile of a layer.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::head::{RequestHead, ResponseHead};

/// What an [`HttpLayer`](super::HttpLayer) records of requests. There are
/// [`ServerSemantic`](crate::ServerSemantic) and [`ClientSemantic`](crate::ClientSemantic) (the semantic conventions),
/// [`Endpoints`](crate::Endpoints), `Callers` and [`Totals`](crate::Totals); an application's own is a few lines:
///
/// ```
/// use axum::{Router, body::Body, http::StatusCode, routing::get};
/// use metercast_tower::{HttpEnd, HttpExchange, HttpProfile, RequestHead, assert_counter, labels, metrics};
/// # use metercast_tower::FutureMetricsExt;
/// use tower::ServiceExt;
///
/// labels! {
///     /// Who asks: a customer's program says which it is.
///     one_of Program { "app", "web" } else "other"
/// }
/// metrics! {
///     /// Requests that ended, by program and whether they succeeded.
///     static ASKED: Counter<u64> = "asked" { unit: "{request}", labels: { program: Program, succeeded: bool } };
/// }
///
/// #[derive(Clone)]
/// struct Programs;
///
/// /// What is kept of one request.
/// struct Asked(Option<String>);
///
/// impl HttpProfile for Programs {
///     type Exchange = Asked;
///
///     fn begin(&self, request: &RequestHead<'_>) -> Option<Asked> {
///         Some(Asked(request.header("x-program").map(str::to_owned)))
///     }
/// }
///
/// impl HttpExchange for Asked {
///     fn ended(&mut self, end: &HttpEnd<'_>) {
///         let succeeded = end.status().is_some_and(|status| status.is_success());
///         ASKED.add(1, (self.0.as_deref().unwrap_or_default(), succeeded));
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // Beside those of the semantic conventions; `profile` instead of `and` would record nothing else.
/// let app = Router::new().route("/", get(async || "hello")).layer(metercast_tower::server().and(Programs));
/// # let app: Router = app;
/// let request = axum::http::Request::get("/").header("x-program", "web").body(Body::empty()).unwrap();
/// drop(app.oneshot(request).await.unwrap());
/// assert_counter!("asked", 1, "program" => "web", "succeeded" => true);
/// # }.with_metrics());
/// ```
///
/// Each stage is called with the store as the current one that was current when the request began, wherever its response is
/// polled or dropped.
pub trait HttpProfile {
    /// What is kept of one request while it is in progress; dropped after its end.
    type Exchange: HttpExchange;

    /// The request stage: a request is about to be handed on. `None` if nothing is recorded of it.
    fn begin(&self, request: &RequestHead<'_>) -> Option<Self::Exchange>;

    /// The names of metrics that it records, as far as a profile [beside it](super::HttpLayer::and) might record them too. None unless it
    /// says so; those of the semantic conventions do.
    fn records(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The same profile beside one that records these metrics, which it is then to leave out. All the same unless it cares;
    /// [`Configured`](crate::Configured) does.
    #[must_use]
    fn beside(self, _recorded: &[&'static str]) -> Self
    where
        Self: Sized,
    {
        self
    }
}

/// One request in progress, as its [`HttpProfile`] wants it.
pub trait HttpExchange {
    /// Whether [`frame`](Self::frame) wants data as well, and not trailers alone.
    const WATCHES_DATA: bool = false;

    /// The response stage: the head of the response is there. Not called if there is none.
    fn answered(&mut self, _response: &ResponseHead<'_>) {}

    /// The event stage: a frame of the response's body passed.
    fn frame(&mut self, _frame: &BodyFrame<'_>) {}

    /// The last stage, exactly once: the response's body ended, or something else ended the request.
    fn ended(&mut self, end: &HttpEnd<'_>);
}

/// A frame of a response's body.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum BodyFrame<'a> {
    /// So many bytes of data.
    Data(usize),
    /// What stands after all data.
    Trailers(&'a HeaderMap),
}

/// How a request ended, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct HttpEnd<'a> {
    pub(super) outcome: HttpOutcome<'a>,
    pub(super) took: Duration,
    pub(super) status: Option<StatusCode>,
    pub(super) request_body: Option<u64>,
    pub(super) response_body: u64,
    pub(super) read_to_its_end: bool,
}

impl<'a> HttpEnd<'a> {
    /// How it ended.
    pub fn outcome(&self) -> HttpOutcome<'a> {
        self.outcome
    }

    /// The time from the request's head to this end.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The size of the request's body in bytes: what passed of it, if [it is counted](super::HttpLayer::count_request_bodies),
    /// otherwise what its head said. `None` if that is not known.
    pub fn request_body(&self) -> Option<u64> {
        self.request_body
    }

    /// How many bytes of the response's body passed.
    pub fn response_body(&self) -> u64 {
        self.response_body
    }

    /// Whether the response's body was read to its end. A body may complete without: nobody needs to ask for one that is empty, or
    /// for that of an answer to `HEAD`.
    pub fn read_to_its_end(&self) -> bool {
        self.read_to_its_end
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpOutcome<'a> {
    /// The whole response passed, or nobody asked for its body, or the connection became another protocol's.
    Completed,
    /// Dropped before that: by a client that went away, a timeout, or whoever else did not want it any more.
    Cancelled,
    /// Something panicked while it was in progress.
    Panicked,
    /// The service failed instead of answering, with an error of this type.
    Failed(&'a str),
    /// The response's body failed on its way.
    BodyFailed,
}

impl<'a> HttpOutcome<'a> {
    /// `error.type` of the semantic conventions: `cancelled`, `panic`, `body`, the type of the service's error; `None` if it
    /// completed, whatever its status says.
    pub fn error_type(self) -> Option<&'a str> {
        match self {
            HttpOutcome::Completed => None,
            HttpOutcome::Cancelled => Some("cancelled"),
            HttpOutcome::Panicked => Some("panic"),
            HttpOutcome::Failed(error_type) => Some(error_type),
            HttpOutcome::BodyFailed => Some("body"),
        }
    }
}
