//! What clients make up: methods, hosts, paths, header values that are no text.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::HOST;
use http::{HeaderValue, Request};
use metercast_tower::{HttpLayer, HttpRoute, ServerSemantic, server};
use tower::ServiceExt;

use crate::support::{lines, with_store};

/// The series of durations and of active requests after requests with this method, URI and `Host`.
fn measured(layer: HttpLayer<ServerSemantic>, requests: &[(&str, &str, Option<&[u8]>)]) -> [Vec<String>; 2] {
    with_store(|store| async move {
        let app = Router::new()
            .route("/orders/{id}", get(|| async {}))
            .route("/said", get(|| async { axum::Extension(HttpRoute("/said/by/response")) }))
            .layer(layer);
        for (method, uri, host) in requests {
            let mut request = Request::builder().method(*method).uri(*uri).body(Body::empty()).unwrap();
            if let Some(host) = host {
                request.headers_mut().insert(HOST, HeaderValue::from_bytes(host).unwrap());
            }
            drop(app.clone().oneshot(request).await.unwrap());
        }
        let short = |line: String| {
            line.replace("http.request.", "")
                .replace("http.response.", "")
                .replace("network.protocol.version=1.1 ", "")
        };
        ["http.server.request.duration", "http.server.active_requests"]
            .map(|name| lines(&store, name).into_iter().map(short).collect())
    })
}

#[test]
fn methods_are_those_that_are_known() {
    let [durations, active] = measured(
        server(),
        &[
            ("QUERY", "/orders/1", None),
            ("PATCH", "/orders/1", None),
            ("query", "/orders/1", None),
            ("X", "/", None),
        ],
    );
    assert_eq!(
        active,
        [
            "method=PATCH url.scheme=http 0",
            "method=QUERY url.scheme=http 0",
            "method=_OTHER url.scheme=http 0"
        ]
    );
    assert_eq!(durations.len(), 4, "{durations:?}");
}

#[test]
fn another_list_of_methods_replaces_the_known_ones() {
    let layer = server().known_methods(["GET", "PURGE", "no method"]);
    let [_, active] = measured(layer, &[("PURGE", "/", None), ("GET", "/", None), ("POST", "/", None)]);
    assert_eq!(
        active,
        ["method=GET url.scheme=http 0", "method=PURGE url.scheme=http 0", "method=_OTHER url.scheme=http 0"]
    );
}

#[test]
fn there_is_no_host_unless_hosts_are_listed() {
    let [durations, active] = measured(server(), &[("GET", "/orders/1", Some(b"evil.example"))]);
    assert_eq!(durations, ["method=GET status_code=200 http.route=/orders/{id} url.scheme=http 1"]);
    assert_eq!(active, ["method=GET url.scheme=http 0"]);
}

#[test]
fn hosts_that_are_not_listed_are_one() {
    let layer = server().hosts(["api.example.com", "[::1]:8080", "intern:9000", "not a host"]);
    let [durations, active] = measured(
        layer,
        &[
            ("GET", "/orders/1", Some(b"API.example.com")),
            ("GET", "/orders/1", Some(b"api.example.com:443")),
            ("GET", "http://api.example.com/orders/1", Some(b"evil.example")),
            ("GET", "/orders/1", Some(b"[::1]:8080")),
            ("GET", "/orders/1", Some(b"intern:9000")),
            ("GET", "/orders/1", Some(b"intern:9001")),
            ("GET", "/orders/1", Some(b"evil.example")),
            ("GET", "/orders/1", Some(b"not a host")),
            ("GET", "/orders/1", Some(b"\xff\xfe")),
            ("GET", "/orders/1", None),
        ],
    );
    let told = |lines: &[String]| -> Vec<String> {
        lines
            .iter()
            .map(|line| {
                let parts =
                    line.split(' ').filter(|part| !part.contains("method") && !part.contains("url.scheme"));
                parts
                    .filter(|part| !part.contains("http.route") && !part.contains("status"))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    assert_eq!(
        told(&durations),
        [
            "server.address=[::1] server.port=8080 1",
            "server.address=_OTHER 5",
            "server.address=api.example.com 3",
            "server.address=intern server.port=9000 1",
        ]
    );
    assert_eq!(active.len(), 4);
}

#[test]
fn what_matches_no_route_is_as_the_application_wants_it() {
    let requests: &[(&str, &str, _)] = &[("GET", "/orders/1", None), ("GET", "/../etc/passwd", None)];
    let [durations, _] = measured(server(), requests);
    assert_eq!(durations[1], "method=GET status_code=404 url.scheme=http 1");
    let [durations, _] = measured(server().unmatched("other"), requests);
    assert_eq!(durations[1], "method=GET status_code=404 http.route=other url.scheme=http 1");
    let [durations, active] = measured(server().skip_unmatched(), requests);
    assert_eq!(durations, ["method=GET status_code=200 http.route=/orders/{id} url.scheme=http 1"]);
    assert_eq!(active, ["method=GET url.scheme=http 0"]);
}

#[test]
fn a_service_says_its_route_in_its_response() {
    let [durations, _] = measured(server(), &[("GET", "/said", None)]);
    assert_eq!(durations, ["method=GET status_code=200 http.route=/said/by/response url.scheme=http 1"]);
}
