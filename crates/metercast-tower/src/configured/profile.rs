//! The profile that records what a configuration defines.

use std::fmt;

use metercast::dynamic::{Found, Operation, Selection, StageHandle};

use super::look::{End, OfRequest, OfResponse, Part, Request, Response};
use crate::exchange::{
    BodyFrame, HttpEnd, HttpExchange, HttpOutcome, HttpProfile, RequestHead, ResponseHead,
};

/// Records what a configuration defines for a [stage](metercast::dynamic) of HTTP requests, and nothing while it defines nothing.
///
#[cfg_attr(feature = "config", doc = "```")]
#[cfg_attr(not(feature = "config"), doc = "```ignore")]
/// use axum::{Router, body::Body, routing::get};
/// use metercast_tower::dynamic::Stages;
/// use metercast_tower::{Config, Configured, HttpLayer, Log, PrometheusPage, Store, Telemetry, http_server_stage};
/// # use metercast_tower::FutureMetricsExt;
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let stages = Stages::new([http_server_stage("router")]);
/// let file = r#"
///     [telemetry.instruments.router]
///     "http.server.active_requests" = true
///
///     [telemetry.instruments.router."acme.slow"]
///     type = "histogram"
///     value = "duration"
///     unit = "ms"
///     condition = { eq = [200, { response_status = "code" }] }
///     attributes = { tenant = { request_header = "x-tenant", default = "none" } }
/// "#;
/// let config = Config::builder().environment(false).without_exporter("prometheus").stages(&stages);
/// let config = config.text("shop.toml", file).build().unwrap();
/// let telemetry = Telemetry::builder(config).store(Store::current()).start().unwrap();
///
/// let router = stages.stage("router").unwrap();
/// let app = Router::new().route("/", get(async || "hello")).layer(HttpLayer::new(Configured::server(router)));
/// # let app: Router = app;
/// let request = axum::http::Request::get("/").header("x-tenant", "acme").body(Body::empty()).unwrap();
/// drop(app.oneshot(request).await.unwrap());
///
/// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
/// assert!(page.contains("acme_slow_milliseconds_count{tenant=\"acme\"} 1\n"), "{page}");
/// assert!(page.contains("http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0\n"), "{page}");
/// # drop(telemetry);
/// # }.with_metrics());
/// ```
///
/// Beside what the program measures anyway, put it behind: `server().and(Configured::server(stage))`. What that measures, such as
/// `http.server.request.duration`, a configuration then cannot measure again: a request is counted once and with the labels of `server()`,
/// and a warning with file, line and key says so. Two layers on top of each other know nothing of each other, and count twice.
#[derive(Clone)]
pub struct Configured {
    stage: StageHandle,
    side: Side,
    of_request: Option<OfRequest>,
    of_response: Option<OfResponse>,
}

/// Who measures.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Server,
    Client,
}

impl Side {
    /// The first status that is an error: who asks for what there is not is no error of the server.
    pub(super) fn first_error(self) -> u16 {
        match self {
            Side::Server => 500,
            Side::Client => 400,
        }
    }
}

impl Configured {
    /// For requests that a server gets, through a stage that [`http_server_stage`](super::http_server_stage) made.
    pub fn server(stage: StageHandle) -> Configured {
        Configured { stage, side: Side::Server, of_request: None, of_response: None }
    }

    /// For requests that a client sends, through a stage that [`http_client_stage`](super::http_client_stage) made.
    pub fn client(stage: StageHandle) -> Configured {
        Configured { side: Side::Client, ..Configured::server(stage) }
    }

    /// With an answer for the selectors of the application's own that have a value at the request.
    ///
    /// ```
    /// use metercast_tower::dynamic::{Found, Moment, Selector, Stages};
    /// use metercast_tower::{Configured, http_client_stage};
    ///
    /// /// In the extensions of each request.
    /// #[derive(Clone)]
    /// struct Subgraph(&'static str);
    ///
    /// let name = Selector::truth("subgraph_name", "Which service it is for", &[Moment::Request]);
    /// let stages = Stages::new([http_client_stage("subgraph").selector(name)]);
    /// let profile = Configured::client(stages.stage("subgraph").unwrap()).of_requests(|request, selection| {
    ///     match selection.name() {
    ///         "subgraph_name" => request.extension::<Subgraph>().map(|subgraph| subgraph.0).into(),
    ///         _ => Found::Nothing,
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn of_requests(self, find: for<'a> fn(&RequestHead<'a>, &'a Selection) -> Found<'a>) -> Configured {
        Configured { of_request: Some(find), ..self }
    }

    /// With an answer for the selectors of the application's own that have a value at the response.
    #[must_use]
    pub fn of_responses(self, find: for<'a> fn(&ResponseHead<'a>, &'a Selection) -> Found<'a>) -> Configured {
        Configured { of_response: Some(find), ..self }
    }
}

impl HttpProfile for Configured {
    type Exchange = ConfiguredRequest;

    fn begin(&self, request: &RequestHead<'_>) -> Option<ConfiguredRequest> {
        let operation = self.stage.begin(&Request { head: *request, own: self.of_request })?;
        Some(ConfiguredRequest { operation: Some(operation), side: self.side, of_response: self.of_response })
    }

    fn beside(self, recorded: &[&'static str]) -> Configured {
        Configured { stage: self.stage.beside(recorded), ..self }
    }
}

impl fmt::Debug for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configured")
            .field("stage", &self.stage)
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}

/// A request in progress, as instruments of a configuration see it.
#[derive(Debug)]
pub struct ConfiguredRequest {
    /// `None` once it has ended.
    operation: Option<Operation>,
    side: Side,
    of_response: Option<OfResponse>,
}

impl HttpExchange for ConfiguredRequest {
    const WATCHES_DATA: bool = true;

    fn answered(&mut self, response: &ResponseHead<'_>) {
        if let Some(operation) = &mut self.operation {
            operation.response(&Response { head: *response, own: self.of_response });
        }
    }

    fn frame(&mut self, frame: &BodyFrame<'_>) {
        if let (Some(operation), BodyFrame::Data(bytes)) = (&mut self.operation, frame) {
            operation.event(&Part(*bytes));
        }
    }

    fn ended(&mut self, end: &HttpEnd<'_>) {
        let Some(mut operation) = self.operation.take() else { return };
        let seen = End { end: *end, side: self.side };
        match end.outcome() {
            HttpOutcome::Cancelled | HttpOutcome::Panicked => operation.abandon(&seen),
            HttpOutcome::Failed(_) | HttpOutcome::BodyFailed => {
                operation.error(&seen);
                operation.end(&seen);
            }
            HttpOutcome::Completed => operation.end(&seen),
        }
    }
}
