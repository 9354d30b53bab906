//! Other metrics than those of the semantic conventions: the presets, an application's own, and which requests they leave out.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{any, get};
use futures_util::{FutureExt, stream};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use metercast_tower::{
    BodyFrame, Endpoints, HttpEnd, HttpExchange, HttpProfile, RequestHead, ResponseHead, Store,
    StoreFutureExt, Totals, server,
};
use tower::ServiceExt;

use crate::support::{lines, with_store};

fn request(method: &str, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

async fn send(app: &Router, method: &str, uri: &str) -> StatusCode {
    let response = app.clone().oneshot(request(method, uri)).await.unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

/// Sends a request that ends before its answer: dropped, or by a panic.
async fn break_off(store: &Store, app: &Router, uri: &str) {
    let task = tokio::spawn(app.clone().oneshot(request("GET", uri)).in_store(store.clone()));
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.is_err());
}

async fn fail() {
    panic!("on purpose")
}

/// The endpoints of a mailroom: a mailbox has a name of 13 letters.
fn endpoint(request: &RequestHead<'_>) -> &'static str {
    match request.path() {
        "/" => "/",
        "/health" => "/health",
        path if path.len() == 14 && path[1..].bytes().all(|byte| byte.is_ascii_lowercase()) => "/{mailbox}",
        _ => "other",
    }
}

#[test]
fn endpoints_count_what_starts_and_what_is_answered() {
    with_store(|store| async move {
        let app = Router::new()
            .route("/health", get(|| async {}))
            .route("/panic", get(fail))
            .route("/slow", get(std::future::pending::<()>))
            .route("/{mailbox}", any(|| async {}))
            .layer(server().profile(Endpoints::new(endpoint)));
        for (method, uri) in [
            ("GET", "/health"),
            ("GET", "/a/b.php"),
            ("FROBNICATE", "/"),
            ("POST", "/qqqqqqqqqqqqq"),
            ("GET", "/qqqqqqqqqqqqq"),
            ("GET", "/ppppppppppppp"),
        ] {
            send(&app, method, uri).await;
        }
        break_off(&store, &app, "/slow").await;
        break_off(&store, &app, "/panic").await;
        assert_eq!(lines(&store, "http_requests_started_total"), ["8"]);
        assert_eq!(lines(&store, "http_requests_in_flight"), ["0"]);
        assert_eq!(
            lines(&store, "http_requests_total"),
            [
                "endpoint=/ method=other status_code=404 1",
                "endpoint=/health method=GET status_code=200 1",
                "endpoint=/{mailbox} method=GET status_code=200 2",
                "endpoint=/{mailbox} method=POST status_code=200 1",
                "endpoint=other method=GET status_code=404 1",
            ]
        );
        assert_eq!(
            lines(&store, "http.server.request.duration"),
            [""; 0],
            "a profile replaces the one before it"
        );
    });
}

#[test]
fn an_endpoint_counts_at_the_head_of_its_answer() {
    with_store(|store| async move {
        let endless = || async { Body::new(StreamBody::new(stream::pending::<Result<_, axum::Error>>())) };
        let endless = get(endless as fn() -> _);
        let app = Router::new().route("/", endless).layer(server().profile(Endpoints::new(endpoint)));
        let response = app.oneshot(request("GET", "/")).await.unwrap();
        assert_eq!(lines(&store, "http_requests_total"), ["endpoint=/ method=GET status_code=200 1"]);
        assert_eq!(lines(&store, "http_requests_in_flight"), ["1"]);
        drop(response);
        assert_eq!(lines(&store, "http_requests_in_flight"), ["0"]);
    });
}

#[test]
fn totals_stand_beside_the_semantic_conventions() {
    with_store(|store| async move {
        let app = Router::new()
            .route("/node/{hostname}", get(|| async {}))
            .route("/job", any(|| async { StatusCode::CREATED }))
            .route("/slow", get(std::future::pending::<()>))
            .layer(server().and(Totals));
        for n in 0..1000 {
            send(&app, "GET", &format!("/node/host-{n}")).await;
        }
        send(&app, "POST", "/job").await;
        send(&app, "BREW", "/job").await;
        break_off(&store, &app, "/slow").await;
        assert_eq!(
            lines(&store, "http_server_request_total"),
            [
                "method=GET status=200 1000",
                "method=GET status=499 1",
                "method=POST status=201 1",
                "method=other status=201 1"
            ]
        );
        assert_eq!(lines(&store, "http.server.request.duration").len(), 4);
    });
}

/// Says which stages there were.
#[derive(Clone)]
struct Stages(Sender<String>);

struct Told(Sender<String>);

impl HttpProfile for Stages {
    type Exchange = Told;
    fn begin(&self, request: &RequestHead<'_>) -> Option<Told> {
        let said = request.header("x-said").unwrap_or("nothing");
        self.0.send(format!("request {} {said} {:?}", request.path(), request.body_size())).unwrap();
        Some(Told(self.0.clone()))
    }
}

impl HttpExchange for Told {
    const WATCHES_DATA: bool = true;
    fn answered(&mut self, response: &ResponseHead<'_>) {
        self.0.send(format!("response {}", response.status().as_u16())).unwrap();
    }
    fn frame(&mut self, frame: &BodyFrame<'_>) {
        let line = match frame {
            BodyFrame::Data(bytes) => format!("data {bytes}"),
            BodyFrame::Trailers(trailers) => format!("trailers {}", trailers.len()),
            _ => "?".to_owned(),
        };
        self.0.send(line).unwrap();
    }
    fn ended(&mut self, end: &HttpEnd<'_>) {
        let outcome = end.outcome().error_type();
        self.0.send(format!("end {outcome:?} {} {}", end.response_body(), end.read_to_its_end())).unwrap();
    }
}

fn stages() -> (Stages, impl Fn() -> Vec<String>) {
    let (sender, receiver): (_, Receiver<String>) = channel();
    let receiver = Mutex::new(receiver);
    (Stages(sender), move || receiver.lock().unwrap().try_iter().collect())
}

async fn streamed() -> Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let frames = [
        http_body::Frame::data(Bytes::from_static(b"four")),
        http_body::Frame::data(Bytes::from_static(b"three")),
        http_body::Frame::trailers(trailers),
    ];
    Body::new(StreamBody::new(stream::iter(frames.map(Ok::<_, axum::Error>))))
}

#[test]
fn a_profile_sees_every_stage_in_turn() {
    let (profile, seen) = stages();
    with_store(|store| async move {
        let app = Router::new()
            .route("/", get(streamed))
            .route("/panic", get(fail))
            .route("/slow", get(std::future::pending::<()>))
            .layer(server().profile(profile));
        let mut asked = request("GET", "/");
        asked.headers_mut().insert("x-said", "hello".parse().unwrap());
        app.clone().oneshot(asked).await.unwrap().into_body().collect().await.unwrap();
        let all =
            ["request / hello Some(0)", "response 200", "data 4", "data 5", "trailers 1", "end None 9 true"];
        assert_eq!(seen(), all);

        let mut body = app.clone().oneshot(request("GET", "/")).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(seen()[2..], ["data 4", "end Some(\"cancelled\") 4 false"]);

        break_off(&store, &app, "/slow").await;
        assert_eq!(seen()[1..], ["end Some(\"cancelled\") 0 false"]);
        break_off(&store, &app, "/panic").await;
        assert_eq!(seen()[1..], ["end Some(\"panic\") 0 false"]);
    });
}

#[test]
fn each_of_two_profiles_leaves_out_what_it_wants() {
    /// Takes requests that say something.
    #[derive(Clone)]
    struct Said(Stages);
    impl HttpProfile for Said {
        type Exchange = Told;
        fn begin(&self, request: &RequestHead<'_>) -> Option<Told> {
            request.header("x-said").and_then(|_| self.0.begin(request))
        }
    }
    let ((first, seen_first), (second, seen_second)) = (stages(), stages());
    with_store(|_| async move {
        let layer = server().profile(first).and(Said(second));
        let app = Router::new().route("/", get(streamed)).layer(layer);
        send(&app, "GET", "/").await;
        assert_eq!((seen_first().len(), seen_second().len()), (6, 0));
        let mut asked = request("GET", "/");
        asked.headers_mut().insert("x-said", "hello".parse().unwrap());
        app.oneshot(asked).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(seen_first(), seen_second());
    });
}

#[test]
fn what_is_left_out_is_not_seen_by_any_profile() {
    with_store(|store| async move {
        let layer = server()
            .and(Totals)
            .skip_path("/health")
            .skip_path("/metrics")
            .skip_prefix("/_")
            .skip_if(|request| request.header("x-probe").is_some());
        let app = Router::new().fallback(|| async {}).layer(layer);
        for uri in ["/health", "/metrics", "/_liveness", "/_/a"] {
            send(&app, "GET", uri).await;
        }
        let mut probe = request("GET", "/");
        probe.headers_mut().insert("x-probe", "1".parse().unwrap());
        app.clone().oneshot(probe).await.unwrap();
        for name in
            ["http_server_request_total", "http.server.request.duration", "http.server.active_requests"]
        {
            assert_eq!(lines(&store, name), [""; 0], "{name}");
        }
        send(&app, "GET", "/healthy").await;
        assert_eq!(lines(&store, "http_server_request_total"), ["method=GET status=200 1"]);
    });
}

/// Fails at every end.
#[derive(Clone)]
struct Failing;

impl HttpProfile for Failing {
    type Exchange = Failing;
    fn begin(&self, _: &RequestHead<'_>) -> Option<Failing> {
        Some(Failing)
    }
}

impl HttpExchange for Failing {
    fn ended(&mut self, _: &HttpEnd<'_>) {
        std::panic::panic_any("on purpose, too")
    }
}

#[test]
fn a_profile_whose_end_panics_keeps_no_other_from_its_own() {
    with_store(|store| async move {
        let app = Router::new().route("/", get(|| async {})).layer(server().profile(Failing).and(Totals));
        assert!(AssertUnwindSafe(send(&app, "GET", "/")).catch_unwind().await.is_err());
        assert_eq!(lines(&store, "http_server_request_total"), ["method=GET status=200 1"]);
    });
}

#[test]
fn a_profile_that_panics_at_the_end_of_a_request_that_panics_does_not_end_the_process() {
    with_store(|store| async move {
        let app = Router::new().route("/panic", get(fail)).layer(server().and(Failing));
        break_off(&store, &app, "/panic").await;
        assert_eq!(lines(&store, "http.server.request.duration").len(), 1);
        let active = lines(&store, "http.server.active_requests");
        assert_eq!(active, ["http.request.method=GET url.scheme=http 0"]);
    });
}

#[test]
fn a_panic_that_a_layer_outside_catches_is_one() {
    let (profile, seen) = stages();
    with_store(|_| async move {
        let torn = async || {
            Body::new(StreamBody::new(stream::poll_fn(
                |_| -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
                    std::panic::panic_any("on purpose")
                },
            )))
        };
        let routes = Router::new().route("/panic", get(fail)).route("/torn", get(torn));
        let app = routes.layer(server().profile(profile));

        // As tower-http's CatchPanic does it: what is polled is dropped after the panic was caught.
        let response = AssertUnwindSafe(app.clone().oneshot(request("GET", "/panic"))).catch_unwind().await;
        assert!(response.is_err());
        assert_eq!(seen()[1..], ["end Some(\"panic\") 0 false"]);

        let mut body = app.oneshot(request("GET", "/torn")).await.unwrap().into_body();
        assert!(AssertUnwindSafe(body.frame()).catch_unwind().await.is_err());
        drop(body);
        assert_eq!(seen()[2..], ["end Some(\"panic\") 0 false"]);
    });
}
