//! Traces as a receiver decodes them: parents, samplers, filters, what is lost and what is not.
#![cfg(feature = "traces")]

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::{Duration, Instant};

use conformance::collector::{Collector, Span};
use conformance::program::free_address;
use metercast::config::{ConfigBuilder, Protocol, Sampler, Traces as Settings};
use metercast::testing::isolated;
use metercast::{Config, Store, assert_counter};
use metercast_tracing::{Outcome, Traces, propagation};
use tracing::{Instrument, info, info_span, trace_span};
use tracing_subscriber::layer::SubscriberExt;

/// A program that pushes to this collector soon.
fn program(collector: &Collector, change: impl FnOnce(Settings) -> Settings) -> ConfigBuilder {
    let settings = Settings::to(&collector.url()).interval(Duration::from_millis(20));
    Config::builder().environment(false).service("shop", "1.0").traces(change(settings))
}

fn start(collector: &Collector, change: impl FnOnce(Settings) -> Settings) -> Traces {
    let traces = Traces::start(&program(collector, change).build().unwrap());
    assert!(traces.are_on(), "{}", traces.outcome());
    traces
}

fn within<R>(traces: &Traces, run: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(traces.layer()), run)
}

fn protocols() -> Vec<Protocol> {
    let mut all = vec![Protocol::HttpProtobuf];
    if cfg!(feature = "http-json") {
        all.push(Protocol::HttpJson);
    }
    if cfg!(feature = "grpc") {
        all.push(Protocol::Grpc);
    }
    all
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} in {spans:#?}"))
}

#[test]
fn spans_arrive_with_their_parents_and_the_resource_of_metrics_in_every_protocol() {
    for protocol in protocols() {
        let collector = Collector::start();
        let traces = start(&collector, |settings| settings.protocol(protocol));
        within(&traces, || {
            let order = info_span!("order", id = 7, otel.kind = "server").entered();
            info_span!("insert", table = "orders").in_scope(|| info!(rows = 1, "inserted"));
            drop(order);
        });
        let spans = collector.wait_for("two spans", |spans| spans.len() == 2);
        let (order, insert) = (named(&spans, "order"), named(&spans, "insert"));
        assert_eq!(
            (insert.parent.as_str(), order.parent.as_str()),
            (order.span_id.as_str(), ""),
            "{protocol:?}"
        );
        assert_eq!(insert.trace_id, order.trace_id);
        assert_eq!((order.attributes["id"].as_str(), order.kind), ("7", 2));
        assert_eq!(insert.events, ["inserted"]);
        assert_eq!(order.resource["service.name"], "shop");
        assert_eq!(order.resource["service.version"], "1.0");
        assert!(order.resource.contains_key("service.instance.id"));
        traces.shutdown().unwrap();
        let path = collector.paths().remove(0);
        let expected = if protocol == Protocol::Grpc {
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        } else {
            "/v1/traces"
        };
        assert_eq!(path, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spawned_task_has_the_span_that_it_is_given_as_parent() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings);
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    let dispatch = tracing::Dispatch::new(subscriber);
    let request = tracing::dispatcher::with_default(&dispatch, || info_span!("request"));
    let work = {
        let dispatch = dispatch.clone();
        async move {
            let _default = tracing::dispatcher::set_default(&dispatch);
            info_span!("work").in_scope(|| ());
        }
    };
    tokio::spawn(work.instrument(request)).await.unwrap();
    let spans = collector.wait_for("both", |spans| spans.len() == 2);
    assert_eq!(named(&spans, "work").parent, named(&spans, "request").span_id);
    traces.shutdown().unwrap();
}

#[test]
fn a_trace_goes_on_through_headers_that_change_their_case_and_garbage_begins_another() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings);
    within(&traces, || {
        let mut headers = HashMap::new();
        info_span!("client").in_scope(|| {
            propagation::inject(|name, value| {
                headers.insert(name.to_ascii_uppercase(), value.to_owned());
            });
        });
        assert!(headers.contains_key("TRACEPARENT"), "{headers:?}");
        let server = info_span!("server");
        propagation::extract(&headers).parent_of(&server);
        server.in_scope(|| info_span!("inside").in_scope(|| ()));
        drop(server);
        let stranger = info_span!("stranger");
        propagation::extract([("traceparent", "00-zz-zz-zz"), ("baggage", "\u{0}")]).parent_of(&stranger);
        drop(stranger.entered());
        let mut none = Vec::new();
        propagation::inject(|name, _| none.push(name));
        assert_eq!(none, [""; 0], "outside of all spans there is nothing to say");
    });
    let spans = collector.wait_for("all", |spans| spans.len() == 4);
    let (client, server) = (named(&spans, "client"), named(&spans, "server"));
    assert_eq!((&server.parent, &server.trace_id), (&client.span_id, &client.trace_id));
    assert!(named(&spans, "inside").is_within(client, &spans));
    let stranger = named(&spans, "stranger");
    assert!(stranger.parent.is_empty() && stranger.trace_id != client.trace_id);
    traces.shutdown().unwrap();
}

#[cfg(feature = "http")]
#[test]
fn headers_of_http_carry_state_and_baggage_and_the_callers_decision() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings);
    within(&traces, || {
        let mut headers = http::HeaderMap::new();
        let said = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        headers.insert("traceparent", format!("{said}-01").parse().unwrap());
        headers.append("tracestate", "a=1".parse().unwrap());
        headers.append("tracestate", "b=2".parse().unwrap());
        headers.insert("baggage", "tenant=7".parse().unwrap());
        let span = info_span!("kept");
        propagation::extract_headers(&headers).parent_of(&span);
        let mut on = http::HeaderMap::new();
        on.insert("tracestate", "stale=1".parse().unwrap());
        span.in_scope(|| propagation::inject_headers(&mut on));
        assert!(on["traceparent"].to_str().unwrap().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        assert_eq!(
            (on["tracestate"].as_bytes(), on["baggage"].as_bytes()),
            (&b"a=1,b=2"[..], &b"tenant=7"[..])
        );
        drop(span);
        // Who calls does not keep it, so nobody does.
        headers.insert("traceparent", format!("{said}-00").parse().unwrap());
        let span = info_span!("not kept");
        propagation::extract_headers(&headers).parent_of(&span);
        span.in_scope(|| propagation::inject_headers(&mut on));
        assert!(on["traceparent"].to_str().unwrap().ends_with("-00"), "{on:?}");
        headers.insert("traceparent", http::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(propagation::extract_headers(&headers).trace_id(), None);
    });
    traces.shutdown().unwrap();
    let spans = collector.spans();
    assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["kept"]);
    assert_eq!(spans[0].parent, "b7ad6b7169203331");
}

#[test]
fn exemplars_point_at_spans_that_the_receiver_has_and_there_are_none_if_nothing_is_sampled() {
    metercast::metrics! {
        /// Time to answer.
        static ANSWERS: Histogram<f64> = "traces.answers" { unit: "s", buckets: [1.0] };
        /// Answers, by whom.
        static ANSWERED: Counter<u64> = "traces.answered" { labels: { who: &str } };
    }
    for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
        let (collector, store) = (Collector::start(), Store::new());
        let config = program(&collector, |settings| settings.sampler(sampler))
            .exporter("page", metercast::config::Prometheus::listen("127.0.0.1:0"))
            .exporter("push", metercast::config::Otlp::to(&collector.url()))
            .build()
            .unwrap();
        let traces = store.scope(|| Traces::start(&config));
        let telemetry = metercast::Telemetry::builder(config).store(store.clone()).start().unwrap();
        store.scope(|| {
            within(&traces, || {
                info_span!("answer").in_scope(|| {
                    ANSWERS.record(0.3);
                    ANSWERED.add(1, ("me",));
                });
                // In none.
                ANSWERS.record(3.0);
            });
        });
        let accept = "Accept: application/openmetrics-text\r\n";
        let (_, _, page) =
            conformance::http::ask(&telemetry.scrape_url().unwrap(), "GET", accept, b"").unwrap();
        let page = String::from_utf8(page).unwrap();
        telemetry.shutdown().unwrap();
        traces.shutdown().unwrap();
        let of_page: Vec<(&str, &str)> = page
            .lines()
            .filter_map(|line| line.split_once(" # ")?.1.split_once("trace_id=\""))
            .map(|(_, rest)| (&rest[..32], rest.split_once("span_id=\"").unwrap().1.get(..16).unwrap()))
            .collect();
        if sampler == Sampler::AlwaysOff {
            assert_eq!((of_page, collector.exemplars().len(), collector.spans().len()), (vec![], 0, 0));
            continue;
        }
        let spans = collector.spans();
        assert_eq!(spans.len(), 1);
        let expected = (spans[0].trace_id.as_str(), spans[0].span_id.as_str());
        assert_eq!(of_page, [expected; 2], "{page}");
        let of_push: Vec<_> = collector.exemplars().into_iter().collect();
        assert_eq!(of_push, [(expected.0.to_owned(), expected.1.to_owned())]);
    }
}

#[test]
fn what_cannot_be_set_up_is_said_in_one_line_and_nothing_else_happens() {
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT".to_owned(), "collector:4317".to_owned())];
    let config = Config::builder().variables(variables).build().unwrap();
    let traces = Traces::start(&config);
    let said = traces.outcome().to_string();
    assert!(
        said.starts_with(
            "there are no traces: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: \"collector:4317\" has no scheme"
        ),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
    within(&traces, || info_span!("order").in_scope(|| ()));
    traces.report();
    traces.shutdown().unwrap();

    let ca = Settings::from(metercast::config::Otlp::to("https://localhost:1").ca("/nowhere/ca.pem"));
    let traces = Traces::start(&Config::builder().environment(false).traces(ca).build().unwrap());
    assert!(
        matches!(traces.outcome(), Outcome::Failed(why) if why.contains("/nowhere/ca.pem")),
        "{traces:?}"
    );
}

#[test]
fn the_filter_decides_what_is_traced_and_what_is_left_out_is_not_in_between() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings.filter("info,noise=off,deep=trace"));
    within(&traces, || {
        let outer = info_span!("outer").entered();
        let noise = info_span!(target: "noise", "noise").entered();
        trace_span!("detail").in_scope(|| trace_span!(target: "deep", "deep").in_scope(|| ()));
        drop(noise);
        drop(outer);
    });
    traces.shutdown().unwrap();
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{spans:#?}");
    assert_eq!(named(&spans, "deep").parent, named(&spans, "outer").span_id);
}

#[test]
fn the_last_span_arrives_at_the_end_and_batches_are_of_the_size_that_is_asked_for() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| {
        settings.interval(Duration::from_secs(3_600)).max_batch_size(10).max_queue_size(1_000)
    });
    within(&traces, || {
        for number in 0..25 {
            info_span!("one", number).in_scope(|| ());
        }
    });
    collector.wait_for("two full batches", |spans| spans.len() >= 20);
    assert_eq!(collector.spans().len(), 20);
    traces.flush(Duration::from_secs(10)).unwrap();
    assert_eq!(collector.spans().len(), 25);
    within(&traces, || info_span!("last").in_scope(|| ()));
    traces.shutdown().unwrap();
    assert_eq!(collector.span("last").attributes.get("number"), None);
    assert_eq!(collector.requests(), 4);
}

#[test]
fn limits_of_spans_hold() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings.span_limits(4, 1, 1).max_value_length(3));
    within(&traces, || {
        info_span!("span", a = "äöüß", b = 2, c = 3, d = 4, e = 5, f = 6).in_scope(|| {
            info!("first");
            info!("second");
        });
    });
    traces.shutdown().unwrap();
    let span = collector.span("span");
    assert!(span.attributes.len() <= 4, "{span:#?}");
    assert_eq!(span.events, ["first"]);
    assert!(span.attributes.values().all(|value| value.chars().count() <= 3), "{span:#?}");
}

#[test]
fn a_collector_that_is_away_costs_spans_and_nothing_else_and_that_is_measured() {
    let url = format!("http://{}", free_address());
    isolated(|store| {
        let settings =
            Settings::to(&url).max_queue_size(50).max_batch_size(10).interval(Duration::from_millis(1));
        let config = Config::builder().environment(false).traces(settings).build().unwrap();
        let traces = Traces::start(&config);
        let begun = Instant::now();
        within(&traces, || {
            for _ in 0..10_000 {
                info_span!("request").in_scope(|| ());
            }
        });
        assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits: {:?}", begun.elapsed());
        let begun = Instant::now();
        let error = traces.shutdown_within(Duration::from_millis(500)).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(error.to_string().contains("connection refused"), "{error}");
        assert!((1..=60).contains(&error.lost()), "{}", error.lost());

        let total = |name: &str| -> u64 {
            let families = store.collect();
            let family = families.iter().find(|family| family.definition.name() == name);
            let values =
                family.into_iter().flat_map(|family| &family.series).map(|series| match series.point {
                    metercast::reading::Point::U64(value) => value,
                    metercast::reading::Point::I64(value) => value as u64,
                    _ => 0,
                });
            values.sum()
        };
        assert_eq!(total("otel.sdk.span.started"), 10_000);
        assert_eq!(total("otel.sdk.span.live"), 0);
        assert_eq!(total("otel.sdk.processor.span.processed"), 10_000);
        assert_eq!(total("otel.sdk.processor.span.queue.size"), 0);
        assert_eq!(total("otel.sdk.exporter.span.inflight"), 0);
        assert!(total("otel.sdk.exporter.span.exported") <= 120, "the rest did not get that far");
        assert_counter!(
            "otel.sdk.span.started",
            10_000,
            "otel.span.parent.origin" => "none",
            "otel.span.sampling_result" => "RECORD_AND_SAMPLE"
        );
    });
}

#[test]
fn spans_that_are_lost_on_their_way_while_it_ends_are_an_error() {
    let url = format!("http://{}", free_address());
    isolated(|store| {
        let settings = Settings::to(&url).interval(Duration::from_millis(1));
        let traces = Traces::start(&Config::builder().environment(false).traces(settings).build().unwrap());
        within(&traces, || info_span!("first").in_scope(|| ()));
        let is_under_way = || {
            store.collect().iter().any(|family| {
                family.definition.name() == "otel.sdk.exporter.span.inflight"
                    && family.series.iter().any(|series| series.point == metercast::reading::Point::I64(1))
            })
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !is_under_way() {
            assert!(Instant::now() < end);
            std::thread::yield_now();
        }
        let error = traces.shutdown_within(Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.lost(), 1, "{error}");
    });
}

#[test]
fn a_collector_that_never_answers_keeps_nobody_from_ending() {
    // The system takes connections in its name.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    for protocol in protocols() {
        let settings = Settings::to(&url).protocol(protocol).interval(Duration::from_millis(1));
        let config = Config::builder().environment(false).traces(settings).build().unwrap();
        let traces = Traces::start(&config);
        within(&traces, || info_span!("first").in_scope(|| ()));
        let begun = Instant::now();
        let error = traces.flush(Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.lost(), 0, "{protocol:?}: it is still on its way");
        within(&traces, || info_span!("second").in_scope(|| ()));
        let error = traces.shutdown_within(Duration::from_millis(300)).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(3), "{protocol:?}: {:?}", begun.elapsed());
        assert!(error.to_string().contains("deadline"), "{error}");
    }
}

#[test]
fn traces_that_are_dropped_push_what_there_is() {
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings.interval(Duration::from_secs(3_600)));
    within(&traces, || info_span!("last").in_scope(|| ()));
    drop(traces);
    assert_eq!(collector.spans().len(), 1);
}

#[test]
fn a_collector_that_is_overloaded_gets_the_same_spans_again_and_once_it_takes_them_no_more() {
    for protocol in protocols() {
        let collector = Collector::start();
        collector.answer(503);
        let traces = start(&collector, |settings| settings.protocol(protocol));
        within(&traces, || info_span!("patient").in_scope(|| ()));
        let end = Instant::now() + Duration::from_secs(20);
        while collector.requests() < 2 {
            assert!(Instant::now() < end, "{protocol:?}");
            std::thread::yield_now();
        }
        collector.answer(200);
        collector.span("patient");
        traces.shutdown().unwrap();
        assert_eq!(collector.spans().len(), 1, "{protocol:?}");
    }
}

#[test]
fn spans_that_a_receiver_rejects_are_lost_which_it_says() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings::to(&format!("http://{}", listener.local_addr().unwrap()));
    let traces = Traces::start(&Config::builder().environment(false).traces(settings).build().unwrap());
    within(&traces, || (0..3).for_each(|_| info_span!("any").in_scope(|| ())));
    let answering = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let mut length = 0;
        for line in reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()) {
            if let Some(digits) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = digits.trim().parse().unwrap();
            }
        }
        io::copy(&mut reader.take(length), &mut io::sink()).unwrap();
        let body = r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        (&stream).write_all((head + body).as_bytes()).unwrap();
    });
    let error = traces.shutdown().unwrap_err();
    answering.join().unwrap();
    assert_eq!(error.to_string(), "traces: the receiver did not take 2 of 3 spans: too old");
    assert_eq!(error.lost(), 2);
}

#[test]
fn a_request_that_is_too_large_is_halved_until_it_is_taken_or_a_single_span() {
    let collector = Collector::start();
    let otlp = metercast::config::Otlp::to(&collector.url()).max_request_size(4_096);
    let settings = Settings::from(otlp).interval(Duration::from_secs(3_600));
    let traces = Traces::start(&Config::builder().environment(false).traces(settings).build().unwrap());
    within(&traces, || {
        for number in 0..40 {
            info_span!("long", number, text = "x".repeat(500)).in_scope(|| ());
        }
    });
    traces.shutdown().unwrap();
    assert_eq!(collector.spans().len(), 40);
    assert!(collector.requests() >= 8, "{}", collector.requests());

    let collector = Collector::start();
    collector.answer(413);
    let traces = start(&collector, |settings| settings.interval(Duration::from_secs(3_600)));
    within(&traces, || (0..4).for_each(|_| info_span!("any").in_scope(|| ())));
    let error = traces.shutdown().unwrap_err();
    assert_eq!((error.lost(), collector.requests()), (4, 7));
}

#[test]
fn code_on_the_api_of_opentelemetry_is_in_the_same_trace() {
    use opentelemetry::trace::{Span as _, Tracer as _};
    let collector = Collector::start();
    let traces = start(&collector, |settings| settings);
    traces.install();
    within(&traces, || {
        info_span!("outer").in_scope(|| {
            opentelemetry::global::tracer("of a library").start("inner").end();
        });
    });
    traces.shutdown().unwrap();
    let spans = collector.spans();
    assert_eq!(named(&spans, "inner").parent, named(&spans, "outer").span_id);
}
