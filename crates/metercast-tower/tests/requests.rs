//! What is measured of a request, however it ends.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode};
use axum::routing::{any, get};
use http_body::Frame;
use http_body_util::BodyExt;
use metercast_tower::snapshot::Point;
use metercast_tower::testing::isolated;
use metercast_tower::{HttpLayer, InMemoryReader, ServerSemantic, Store, server};
use tower::{Layer, ServiceExt};

fn app() -> Router {
    Router::new()
        .route("/orders/{id}", get(|| async { "an order" }))
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/slow", get(std::future::pending::<()>))
        .route("/panic", any(fail))
        .route("/stream", get(|| async { Body::new(Endless) }))
        .route("/torn", get(|| async { Body::new(Torn) }))
        .nest("/nested", Router::new().route("/{x}/y", get(|| async {})))
        .layer(server())
}

async fn fail() -> StatusCode {
    panic!("on purpose")
}

/// A body that goes on for ever.
struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"more")))))
    }
}

/// A body that fails.
struct Torn;

impl http_body::Body for Torn {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("torn"))))
    }
}

fn request(method: &str, uri: &str) -> Request<Body> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

/// A line per series: duration as a count, active as it is.
fn measured(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    for family in InMemoryReader::new(store.clone()).collect().families {
        for series in family.series {
            let labels: Vec<String> = series
                .labels
                .iter()
                .map(|(key, value)| format!("{}={value}", key.rsplit('.').next().unwrap()))
                .collect();
            lines.push(match series.point {
                Point::Histogram(buckets) => format!("{} {}", labels.join(" "), buckets.count()),
                Point::I64(active) => format!("active {} {active}", labels.join(" ")),
                other => panic!("{other:?}"),
            });
        }
    }
    lines
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Sends a request and reads its answer to the end, in a store of its own.
fn one(method: &str, uri: &str) -> Vec<String> {
    isolated(|store| {
        block_on(async {
            let response = app().oneshot(request(method, uri)).await.unwrap();
            let active = measured(store).into_iter().find(|line| line.starts_with("active")).unwrap();
            assert!(active.ends_with(" 1"), "the request lasts until its body has been sent: {active}");
            let _ = response.into_body().collect().await;
        });
        measured(store)
    })
}

fn active(method: &str, n: u32) -> String {
    let method = if ["GET", "POST", "HEAD"].contains(&method) { method } else { "_OTHER" };
    format!("active method={method} scheme=http {n}")
}

#[test]
fn a_request_is_measured_with_the_template_of_its_route() {
    for uri in ["/orders/1", "/orders/2?x=1"] {
        assert_eq!(
            one("GET", uri),
            [&active("GET", 0), "method=GET status_code=200 route=/orders/{id} version=1.1 scheme=http 1"]
        );
    }
    assert_eq!(
        one("GET", "/nested/a/y")[1],
        "method=GET status_code=200 route=/nested/{x}/y version=1.1 scheme=http 1"
    );
}

#[test]
fn what_matches_no_route_has_none() {
    assert_eq!(
        one("GET", "/secret/0/1"),
        [&active("GET", 0), "method=GET status_code=404 version=1.1 scheme=http 1"]
    );
}

#[test]
fn unknown_methods_are_other() {
    assert_eq!(
        one("BREW", "/orders/1"),
        [&active("BREW", 0), "method=_OTHER status_code=405 route=/orders/{id} version=1.1 scheme=http 1"]
    );
    assert_eq!(one("get", "/orders/1")[0], active("get", 0), "methods are case-sensitive");
}

#[test]
fn a_server_error_is_an_error() {
    assert_eq!(
        one("GET", "/broken")[1],
        "type=502 method=GET status_code=502 route=/broken version=1.1 scheme=http 1"
    );
}

#[test]
fn the_scheme_is_that_of_the_request() {
    assert!(one("GET", "https://example.com/orders/1")[1].ends_with("scheme=https 1"));
}

#[test]
fn a_body_that_nobody_asks_for_is_not_a_cancellation() {
    let lines = isolated(|store| {
        block_on(async {
            drop(app().oneshot(request("HEAD", "/orders/1")).await.unwrap());
        });
        measured(store)
    });
    assert_eq!(lines[1], "method=HEAD status_code=200 route=/orders/{id} version=1.1 scheme=http 1");
}

#[test]
fn a_request_that_is_cancelled_before_its_answer_is_counted() {
    isolated(|store| {
        {
            let mut future = pin!(app().oneshot(request("GET", "/slow")));
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
            assert_eq!(measured(store), [active("GET", 1)]);
        }
        assert_eq!(
            measured(store),
            [&active("GET", 0), "type=cancelled method=GET route=/slow version=1.1 scheme=http 1"]
        );
    });
}

#[test]
fn a_body_that_is_dropped_on_the_way_is_a_cancellation() {
    isolated(|store| {
        block_on(async {
            let mut body = app().oneshot(request("GET", "/stream")).await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
        });
        assert_eq!(
            measured(store)[1],
            "type=cancelled method=GET status_code=200 route=/stream version=1.1 scheme=http 1"
        );
    });
}

#[test]
fn a_body_that_fails_is_an_error() {
    assert_eq!(
        one("GET", "/torn")[1],
        "type=body method=GET status_code=200 route=/torn version=1.1 scheme=http 1"
    );
}

#[test]
fn a_handler_that_panics_is_counted() {
    isolated(|store| {
        let result =
            std::panic::catch_unwind(AssertUnwindSafe(|| block_on(app().oneshot(request("GET", "/panic")))));
        assert!(result.is_err());
        assert_eq!(
            measured(store),
            [&active("GET", 0), "type=panic method=GET route=/panic version=1.1 scheme=http 1"]
        );
    });
}

/// The `error.type` of a request whose service fails so.
fn failure<E: std::fmt::Debug + 'static>(layer: &HttpLayer<ServerSemantic>, error: impl Fn() -> E) -> String {
    isolated(|store| {
        let service = tower::service_fn(|_: Request<Body>| {
            let error = error();
            async { Err::<axum::http::Response<Body>, _>(error) }
        });
        assert!(block_on(layer.layer(service).oneshot(request("POST", "/"))).is_err());
        let lines = measured(store);
        assert_eq!(lines[0], active("POST", 0));
        let labels = lines[1].strip_suffix(" method=POST version=1.1 scheme=http 1").unwrap();
        labels.strip_prefix("type=").unwrap().to_owned()
    })
}

#[test]
fn an_error_of_the_service_is_counted_by_its_type() {
    #[derive(Debug)]
    struct Full;
    assert!(failure(&server(), || Full).ends_with("::Full"));
}

#[test]
fn errors_have_the_names_that_the_application_gives_them() {
    #[derive(Debug)]
    struct Code(u8);
    let layer = server()
        .error_type(|error: &Code| (error.0 == 1).then_some("first"))
        .error_type(|_: &Code| Some("another"))
        .error_type(|_: &u8| Some("no error of this service"));
    assert_eq!(failure(&layer, || Code(1)), "first");
    assert_eq!(failure(&layer, || Code(2)), "another");
}

#[test]
fn methods_and_paths_that_a_client_makes_up_make_no_series() {
    isolated(|store| {
        block_on(async {
            for n in 0..500 {
                let response = app().oneshot(request(&format!("M{n}"), &format!("/{n}"))).await.unwrap();
                let _ = response.into_body().collect().await;
            }
        });
        assert_eq!(
            measured(store),
            [
                "active method=_OTHER scheme=http 0",
                "method=_OTHER status_code=404 version=1.1 scheme=http 500"
            ]
        );
    });
}
