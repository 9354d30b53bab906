//! A trace as a library of others reads it: across tasks, HTTP and NATS, in every protocol.
#![cfg(all(feature = "async_nats_0_51", feature = "axum"))]

use async_nats_0_51::HeaderMap;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::post;
use conformance::collector::Collector;
use conformance::oracle::python::SpanRead;
use conformance::servers::Nats;
use conformance::use_programs;
use futures_util::StreamExt;
use http::Request;
use metercast::Config;
use metercast::config::{Protocol, Traces as Settings};
use metercast_tracing::Traces;
use metercast_tracing::http::{client_spans, server_spans};
use metercast_tracing::propagation::{extract_nats, inject_nats};
use serde_json::json;
use tower::{Layer, ServiceExt};
use tracing::{Instrument, info, info_span};
use tracing_subscriber::layer::SubscriberExt;

/// An order is sent over HTTP; a task tells of it over NATS, and whoever hears of it does it.
async fn order(nats: &str) {
    let nats = async_nats_0_51::connect(nats).await.unwrap();
    let mut jobs = nats.subscribe("jobs").await.unwrap();
    nats.flush().await.unwrap();
    let accept = || async move {
        let publish = info_span!("publish", otel.kind = "producer", attempts = 1, late = false, share = 0.5);
        let publishing = async move {
            let mut headers = HeaderMap::new();
            inject_nats(&mut headers);
            nats.publish_with_headers("jobs", headers, "a job".into()).await.unwrap();
        };
        tokio::spawn(publishing.instrument(publish)).await.unwrap();
        "accepted"
    };
    let app = Router::new().route("/orders/{id}", post(accept)).layer(server_spans());
    let app = client_spans().layer(app);
    let request = Request::post("http://shop.test/orders/7").body(Body::empty()).unwrap();
    let answer = app.oneshot(request).await.unwrap();
    assert_eq!(to_bytes(Body::new(answer.into_body()), 100).await.unwrap(), "accepted");

    let message = jobs.next().await.expect("a message");
    let job = info_span!("job", otel.kind = "consumer");
    extract_nats(&message.headers).parent_of(&job);
    job.in_scope(|| info!("done"));
}

fn of_kind<'s>(spans: &'s [SpanRead], kind: &str) -> &'s SpanRead {
    let found: Vec<_> = spans.iter().filter(|span| span.kind == kind).collect();
    assert_eq!(found.len(), 1, "{kind} in {spans:#?}");
    found[0]
}

#[test]
fn another_library_reads_one_trace_across_tasks_http_and_nats_in_every_protocol() {
    let test = "another_library_reads_one_trace_across_tasks_http_and_nats_in_every_protocol";
    if !use_programs(test, "nats-server") {
        return;
    }
    let nats = Nats::start();
    let mut protocols = vec![Protocol::HttpProtobuf];
    if cfg!(feature = "http-json") {
        protocols.push(Protocol::HttpJson);
    }
    if cfg!(feature = "grpc") {
        protocols.push(Protocol::Grpc);
    }
    for protocol in protocols {
        let collector = Collector::start();
        let settings = Settings::to(&collector.url()).protocol(protocol);
        let config = Config::builder().environment(false).service("shop", "1.4").traces(settings);
        let traces = Traces::start(&config.build().unwrap());
        // All tasks are on the thread that this subscriber is of.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        tracing::subscriber::with_default(subscriber, || runtime.block_on(order(&nats.url())));
        traces.shutdown().unwrap();

        let spans = collector.spans_read_by_python(env!("CARGO_TARGET_TMPDIR"));
        let chain = ["client", "server", "producer", "consumer"].map(|kind| of_kind(&spans, kind));
        assert_eq!((spans.len(), chain[0].parent.as_str()), (4, ""), "{protocol:?}: {spans:#?}");
        for (around, inside) in chain.iter().zip(&chain[1..]) {
            assert_eq!((&inside.trace, &inside.parent), (&around.trace, &around.span), "{protocol:?}");
        }
        let [_, server, publish, job] = chain;
        assert_eq!(server.attributes["http.route"].1, "/orders/{id}");
        let bits = 0.5_f64.to_bits().to_string();
        for (name, kind, value) in [
            ("attempts", "int", json!("1")),
            ("late", "bool", json!(false)),
            ("share", "double", json!(bits)),
        ] {
            assert_eq!(publish.attributes[name], (kind.to_owned(), value), "{protocol:?}");
        }
        assert_eq!(job.events, ["done"]);
        assert_eq!(job.resource["service.name"].1, "shop");
    }
}
