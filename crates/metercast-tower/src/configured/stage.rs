//! The stages that HTTP has: their selectors, and the instruments of the semantic conventions.

use http::HeaderName;
use metercast::dynamic::{Level, Measures, Moment, Selector, Stage, Standard};

/// A stage of requests that a server gets, for [`Configured::server`](super::Configured::server).
///
/// | selector | argument | when | value |
/// | --- | --- | --- | --- |
/// | `request_header` | its name | request | the first header of that name, if it is visible ASCII |
/// | `request_method` | `true` | request | the method, or `_OTHER` |
/// | `request_path` | `true` | request | the path as the client wrote it: as many series as there are paths, up to the limit of the metric |
/// | `request_query` | a parameter | request | the first value of this parameter, as it is written |
/// | `url_scheme` | `true` | request | `http` or `https` |
/// | `server_address`, `server_port` | `true` | request | whom the request says that it is for |
/// | `network_protocol_version` | `true` | request | `1.1`, `2` |
/// | `trace_id` | `true` | request | the trace of its `traceparent` |
/// | `baggage` | a key | request | the value of this key in `baggage`, as it is written |
/// | `route` | `true` | request, response | the template of the route that matched |
/// | `response_header` | its name | response | the first header of that name, if it is visible ASCII |
/// | `response_status` | `code` or `reason` | response | the status as a number, or in words |
/// | `event_size` | `true` | event | how many bytes this part of the response's body has |
/// | `error_type` | `true` | end | `error.type`: a status of 500 or more, `cancelled`, `panic`, `body`, or the type of the service's error |
/// | `request_body_size`, `response_body_size` | `true` | end | bytes, as far as they are known |
/// | `duration` | `true` | end | the seconds that it took |
///
/// Its events are the parts of the response's body. It knows the instruments `http.server.request.duration`,
/// `http.server.active_requests`, `http.server.request.body.size` and `http.server.response.body.size`, with the attributes of the
/// semantic conventions; none is on by default.
///
/// ```
/// use metercast_tower::dynamic::{Moment, Selector, Stages};
/// use metercast_tower::http_server_stage;
///
/// // With something of the application's own, which its profile answers.
/// let stage = http_server_stage("router").selector(Selector::truth("tenant", "Who asks", &[Moment::Request]));
/// let stages = Stages::new([stage]);
/// assert!(stages.stage("router").is_some());
/// ```
pub fn http_server_stage(name: &'static str) -> Stage {
    let duration = Standard::histogram("http.server.request.duration", Measures::Duration, "s")
        .description("Duration of HTTP server requests.")
        .buckets(&SECONDS);
    let active = Standard::up_down_counter("http.server.active_requests", Measures::Unit, "{request}")
        .description("Number of active HTTP server requests.");
    let size = |name, description, selector| {
        Standard::histogram(name, Measures::Selector(selector, ""), "By")
            .description(description)
            .buckets(&BYTES)
    };
    let request =
        size("http.server.request.body.size", "Size of HTTP server request bodies.", "request_body_size");
    let response =
        size("http.server.response.body.size", "Size of HTTP server response bodies.", "response_body_size");
    let whole = |standard: Standard| {
        beginning(standard)
            .attribute("http.route", Level::Required, "route", "")
            .attribute("http.response.status_code", Level::Required, "response_status", "code")
            .attribute("error.type", Level::Required, "error_type", "")
            .attribute("network.protocol.version", Level::Recommended, "network_protocol_version", "")
    };
    let stage = common(Stage::new(name)).selector(Selector::truth(
        "route",
        "The template of the route that matched",
        &[Moment::Request, Moment::Response],
    ));
    stage
        .standard(whole(duration))
        .standard(beginning(active))
        .standard(whole(request))
        .standard(whole(response))
}

/// What is known of a server's requests when they begin.
fn beginning(standard: Standard) -> Standard {
    standard
        .attribute("http.request.method", Level::Required, "request_method", "")
        .attribute("url.scheme", Level::Required, "url_scheme", "")
        .attribute("server.address", Level::OptIn, "server_address", "")
        .attribute("server.port", Level::OptIn, "server_port", "")
}

/// A stage of requests that a client sends, for [`Configured::client`](super::Configured::client): the selectors of a
/// [server's stage](http_server_stage), with `url_template` in place of `route`. It knows the instruments `http.client.request.duration`,
/// `http.client.active_requests`, `http.client.request.body.size` and `http.client.response.body.size`; none is on by default. An
/// `error_type` is here a status of 400 or more.
pub fn http_client_stage(name: &'static str) -> Stage {
    let duration = Standard::histogram("http.client.request.duration", Measures::Duration, "s")
        .description("Duration of HTTP client requests.")
        .buckets(&SECONDS);
    let active = Standard::up_down_counter("http.client.active_requests", Measures::Unit, "{request}")
        .description("Number of active HTTP requests.");
    let size = |name, description, selector| {
        Standard::histogram(name, Measures::Selector(selector, ""), "By")
            .description(description)
            .buckets(&BYTES)
    };
    let request =
        size("http.client.request.body.size", "Size of HTTP client request bodies.", "request_body_size");
    let response =
        size("http.client.response.body.size", "Size of HTTP client response bodies.", "response_body_size");
    let sent = |standard: Standard| {
        standard
            .attribute("http.request.method", Level::Required, "request_method", "")
            .attribute("server.address", Level::Required, "server_address", "")
            .attribute("server.port", Level::Required, "server_port", "")
            .attribute("url.template", Level::OptIn, "url_template", "")
            .attribute("url.scheme", Level::OptIn, "url_scheme", "")
    };
    let whole = |standard: Standard| {
        sent(standard)
            .attribute("http.response.status_code", Level::Required, "response_status", "code")
            .attribute("error.type", Level::Required, "error_type", "")
            .attribute("network.protocol.version", Level::Recommended, "network_protocol_version", "")
    };
    let stage = common(Stage::new(name)).selector(Selector::truth(
        "url_template",
        "By which template the URL was made",
        &[Moment::Request],
    ));
    stage.standard(whole(duration)).standard(sent(active)).standard(whole(request)).standard(whole(response))
}

const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const BYTES: [f64; 11] =
    [64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0, 67108864.0];

/// What both sides have.
fn common(stage: Stage) -> Stage {
    const REQUEST: &[Moment] = &[Moment::Request];
    stage
        .selector(Selector::text("request_header", "A header of the request", REQUEST).checked(header_name))
        .selector(Selector::truth("request_method", "The method, or `_OTHER`", REQUEST))
        .selector(Selector::truth("request_path", "The path as it is written", REQUEST))
        .selector(Selector::text("request_query", "A parameter of the query", REQUEST).checked(not_empty))
        .selector(Selector::truth("url_scheme", "`http` or `https`", REQUEST))
        .selector(Selector::truth("server_address", "The host that the request is for", REQUEST))
        .selector(Selector::truth("server_port", "The port that the request is for", REQUEST))
        .selector(Selector::truth("network_protocol_version", "The version of HTTP", REQUEST))
        .selector(Selector::truth("trace_id", "The trace of `traceparent`", REQUEST))
        .selector(Selector::text("baggage", "A value of `baggage`", REQUEST).checked(not_empty))
        .selector(
            Selector::text("response_header", "A header of the response", &[Moment::Response])
                .checked(header_name),
        )
        .selector(Selector::words(
            "response_status",
            &["code", "reason"],
            "The status of the response",
            &[Moment::Response],
        ))
        .selector(Selector::truth("event_size", "The bytes of a part of the body", &[Moment::Event]))
        .selector(Selector::truth("error_type", "What went wrong, in a word", &[Moment::End]))
        .selector(Selector::truth("request_body_size", "The bytes of the request's body", &[Moment::End]))
        .selector(Selector::truth("response_body_size", "The bytes of the response's body", &[Moment::End]))
}

fn header_name(name: &str) -> Result<(), String> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{name:?} is no name of a header; write one such as \"x-tenant\"")),
    }
}

fn not_empty(name: &str) -> Result<(), String> {
    if name.is_empty() { Err("is empty; write the name that is looked for".to_owned()) } else { Ok(()) }
}
