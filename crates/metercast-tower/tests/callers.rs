//! Requests by who sent them: what is told apart, what is one, and what is not measured at all.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt;
use metercast_tower::testing::isolated;
use metercast_tower::{Callers, Log, PageOptions, Profile, PrometheusPage, Store, StoreFutureExt, server};
use tower::ServiceExt;

fn app() -> Router {
    Router::new()
        .route("/api/items/{id}", get(|| async { "an item" }))
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/slow", get(std::future::pending::<()>))
        .route("/panic", get(fail))
        .route("/health", get(|| async {}))
        .route("/metrics", get(|| async {}))
        .route("/healthy", get(|| async {}))
        .nest("/_", Router::new().route("/a", get(|| async {})))
        .route("/_liveness", get(|| async {}))
        .layer(server().profile(Callers))
}

async fn fail() -> StatusCode {
    panic!("on purpose")
}

fn request(path: &str, caller: Option<&str>) -> Request<Body> {
    let request = Request::get(path);
    let request = match caller {
        Some(caller) => request.header("x-envoy-downstream-service-cluster", caller),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}

/// The samples of the counter, and the counts of the histogram, after these requests.
fn measured(requests: &[(&str, Option<&str>)]) -> Vec<String> {
    isolated(|store| {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            for (path, caller) in requests {
                let response = app().oneshot(request(path, *caller)).await.unwrap();
                response.into_body().collect().await.unwrap();
            }
        });
        samples(store)
    })
}

fn samples(store: &Store) -> Vec<String> {
    let options = PageOptions::new().profile(Profile::MetricsRs);
    let page = PrometheusPage::with("own", options, &[], Log::default()).render(store);
    let samples = page.lines().filter(|line| line.starts_with("http_"));
    let mut samples: Vec<_> = samples
        .filter(|line| line.contains("_total") || line.contains("_count"))
        .map(str::to_owned)
        .collect();
    samples.sort();
    samples
}

#[test]
fn a_request_is_counted_by_status_caller_and_route() {
    assert_eq!(
        measured(&[("/api/items/7", Some("web")), ("/api/items/8", Some("web")), ("/broken", None)]),
        [
            r#"http_request_latency_ms_count{code="200",caller="web",action="/api/items/{id}"} 2"#,
            r#"http_request_latency_ms_count{code="502",caller="unknown",action="/broken"} 1"#,
            r#"http_requests_total{code="200",caller="web",action="/api/items/{id}"} 2"#,
            r#"http_requests_total{code="502",caller="unknown",action="/broken"} 1"#,
        ]
    );
}

#[test]
fn a_caller_whose_name_is_none_is_unknown() {
    let (longest, longer) = ("x".repeat(64), "x".repeat(65));
    for caller in ["web", "Web_2-a", &longest] {
        let lines = measured(&[("/broken", Some(caller))]);
        assert!(lines[1].contains(&format!("caller=\"{caller}\"")), "{lines:?}");
    }
    for caller in ["", "a b!", "ä", "a\"b", "a.b", &longer] {
        let lines = measured(&[("/broken", Some(caller))]);
        assert!(lines[1].contains("caller=\"unknown\""), "{caller}: {lines:?}");
    }
}

#[test]
fn what_asks_for_health_or_for_nothing_that_is_there_is_not_measured() {
    assert_eq!(
        measured(&[
            ("/health", None),
            ("/metrics", None),
            ("/_liveness", None),
            ("/_/a", None),
            ("/nope", None)
        ]),
        Vec::<String>::new()
    );
    assert_eq!(measured(&[("/healthy", None)]).len(), 2);
}

#[test]
fn a_request_that_is_broken_off_or_panics_is_not_forgotten() {
    let lines = isolated(|store| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut broken_off = Box::pin(app().oneshot(request("/slow", None)));
            assert!(
                std::future::poll_fn(|context| std::task::Poll::Ready(
                    broken_off.as_mut().poll(context).is_pending()
                ))
                .await
            );
            drop(broken_off);
            let panicked = tokio::spawn(app().oneshot(request("/panic", None)).in_store(store.clone()));
            assert!(panicked.await.is_err());
        });
        samples(store)
    });
    assert_eq!(
        lines[2..],
        [
            r#"http_requests_total{code="499",caller="unknown",action="/slow"} 1"#,
            r#"http_requests_total{code="500",caller="unknown",action="/panic"} 1"#,
        ]
    );
}
