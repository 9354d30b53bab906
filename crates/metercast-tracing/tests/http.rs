//! Requests over HTTP as a receiver of traces sees them.
#![cfg(feature = "axum")]

use std::convert::Infallible;

use axum::body::{Body, to_bytes};
use axum::routing::get;
use axum::{Router, response::IntoResponse};
use conformance::collector::{Collector, Span};
use http::{Request, Response, StatusCode};
use metercast::Config;
use metercast::config::Traces as Settings;
use metercast_tracing::Traces;
use metercast_tracing::http::{TracedBody, client_spans, server_spans};
use tower::{Layer, ServiceExt, service_fn};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} in {spans:#?}"))
}

#[tokio::test]
async fn a_client_a_server_and_what_they_do_are_one_trace() {
    let collector = Collector::start();
    let settings = Settings::to(&collector.url());
    let traces = Traces::start(&Config::builder().environment(false).traces(settings).build().unwrap());
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(traces.layer()));

    let item = || async { info_span!("look").in_scope(|| "one") };
    let app = Router::new()
        .route("/items/{id}", get(item))
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY.into_response() }))
        .layer(server_spans());
    let client = client_spans().layer(app);
    let ask = |path: &'static str| {
        let request =
            Request::get(format!("http://me:s3cret@shop.test:8080{path}")).body(Body::empty()).unwrap();
        client.clone().oneshot(request)
    };
    let answer = ask("/items/7?key=s3cret").await.unwrap();
    assert_eq!(to_bytes(Body::new(answer.into_body()), 100).await.unwrap(), "one");
    drop(ask("/broken").await.unwrap());

    // Whoever goes away before the answer leaves a span all the same.
    let hanging = service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, Infallible>>());
    let mut gone =
        Box::pin(server_spans().layer(hanging).oneshot(Request::put("/hang").body(Body::empty()).unwrap()));
    assert!(futures_util::poll!(&mut gone).is_pending());
    drop(gone);
    let odd = Request::builder().method("BREW").uri("/").body(Body::empty()).unwrap();
    let echo = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let _: Response<TracedBody<Body>> = server_spans().layer(echo).oneshot(odd).await.unwrap();
    drop(_default);
    traces.shutdown().unwrap();

    let spans = collector.spans();
    let (server, look) = (named(&spans, "GET /items/{id}"), named(&spans, "look"));
    let client = spans.iter().find(|span| span.span_id == server.parent).expect("the client's");
    assert_eq!(
        (look.parent.as_str(), look.trace_id.as_str()),
        (server.span_id.as_str(), client.trace_id.as_str())
    );
    assert_eq!((client.name.as_str(), client.kind, server.kind), ("GET", 3, 2));
    let of = |span: &Span, key: &str| span.attributes.get(key).cloned().unwrap_or_default();
    assert_eq!(of(server, "http.route"), "/items/{id}");
    assert_eq!(of(server, "http.response.status_code"), "200");
    assert_eq!(
        (of(client, "server.address"), of(client, "server.port")),
        ("shop.test".into(), "8080".into())
    );
    assert_eq!(of(client, "url.full"), "http://shop.test:8080/items/7");
    assert_eq!((of(server, "url.scheme"), of(server, "url.path")), ("http".into(), "/items/7".into()));
    assert!(!format!("{spans:?}").contains("s3cret"));
    assert_eq!(of(named(&spans, "GET /broken"), "error.type"), "502");
    assert_eq!(of(named(&spans, "PUT"), "http.response.status_code"), "");
    assert_eq!(of(named(&spans, "HTTP"), "http.request.method"), "_OTHER");
}
