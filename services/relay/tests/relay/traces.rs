//! What a collector is told: steps 7, 8, 9 and 12.

use std::collections::BTreeSet;
use std::time::Duration;

use conformance::Unasked;
use conformance::authority::Authority;
use conformance::collector::{Collector, Span};
use conformance::program::{Folder, free_address};
use serde_json::{Value, json};

use crate::scenario;
use crate::support::{Client, Page, Relay, Services, until};

/// Headers of a client that is traced.
const PARENT: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[test]
fn what_clients_do_is_traced_across_tasks_and_the_page_is_the_same() {
    let test = "what_clients_do_is_traced_across_tasks_and_the_page_is_the_same";
    let Some(services) = Services::start(test) else { return };
    let lines = |variables: &[(&str, &str)], clear: &str| {
        let relay = Relay::start(&services, variables);
        let mut a = scenario::clients(&relay.clients, clear);
        assert_eq!(relay.ask("GET", "/api/items/7", PARENT), 200);
        assert_eq!(a.ask(&json!(["COUNT", "n", { "kinds": [7] }]))[0], "COUNT");
        let is_settled = |page: &Page| {
            page.value("buzz_ws_connections_active") == Some(1.0)
                && page.value("buzz_audit_log_seconds_count") == Some(3.0)
        };
        let page = until("the page", || Some(relay.page()).filter(is_settled));
        relay.signal("TERM");
        let logged = relay.logged();
        let (status, _) = relay.ended();
        assert!(status.success(), "{status}");
        let series: Vec<String> = page.series().into_iter().map(str::to_owned).collect();
        (series, logged)
    };
    let (without, _) = lines(&[], "a");
    let collector = Collector::start();
    let (with, logged) = lines(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())], "b");
    assert_eq!(with, without, "names and labels do not know of traces");

    let spans = collector.spans();
    for (name, count) in [("ws.auth", 3), ("ws.event", 3), ("ws.req", 2), ("ws.count", 1)] {
        let of_name = named(&spans, name);
        assert_eq!(of_name.len(), count, "{name} in {spans:#?}");
        assert!(of_name.iter().all(|span| span.attributes["conn_id"].len() == 32), "{of_name:#?}");
    }
    assert!(named(&spans, "ws.req").iter().all(|span| span.attributes.contains_key("sub_id")));
    let connections: std::collections::HashSet<_> =
        named(&spans, "ws.auth").iter().map(|span| span.attributes["conn_id"].clone()).collect();
    assert_eq!(connections.len(), 3);
    for event in named(&spans, "ws.event") {
        assert!(connections.contains(&event.attributes["conn_id"]));
        for inside in ["INSERT events", "fan_out", "bus.publish"] {
            let of_event = named(&spans, inside).into_iter().filter(|span| span.is_within(event, &spans));
            assert_eq!(of_event.count(), 1, "{inside} in {spans:#?}");
        }
    }
    let item = &named(&spans, "GET /api/items/{id}")[0];
    assert_eq!((item.trace_id.as_str(), item.parent.as_str()), (&PARENT[16..48], &PARENT[49..65]));
    assert!(spans.iter().all(|span| span.resource["service.name"] == "buzz-relay"));
    assert!(
        collector.paths().iter().all(|path| path.ends_with("TraceService/Export")),
        "gRPC unless it is said"
    );
    let lines: Vec<Value> =
        logged.iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let says = |line: &Value| line["fields"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(says(&lines[0]).starts_with("traces: push to http://"), "{lines:?}");
}

#[test]
fn with_an_endpoint_the_receiver_gets_spans_and_not_one_request_of_metrics_and_the_page_is_the_same() {
    let test =
        "with_an_endpoint_the_receiver_gets_spans_and_not_one_request_of_metrics_and_the_page_is_the_same";
    let run = |variables: &[(&str, &str)]| {
        // Each has a database of its own, so that the same is kept, sent and counted.
        let services = Services::start(test)?;
        let relay = Relay::start(&services, variables);
        let mut a = scenario::clients(&relay.clients, "e");
        for path in ["/api/items/7", "/nope", "/_liveness"] {
            relay.ask("GET", path, "x-envoy-downstream-service-cluster: web\r\n");
        }
        assert_eq!(a.ask(&json!(["COUNT", "n", { "search": "x" }]))[0], "CLOSED");
        assert_eq!(relay.ask("POST", "/api/workflows/manual", ""), 202);
        let is_settled = |page: &Page| {
            page.value("buzz_ws_connections_active") == Some(1.0)
                && page.value("buzz_audit_log_seconds_count") == Some(4.0)
        };
        let page = until("the page", || Some(relay.page()).filter(is_settled));
        relay.signal("TERM");
        let (status, _) = relay.ended();
        assert!(status.success(), "{status}");
        Some(page)
    };
    let Some(without) = run(&[]) else { return };
    for protocol in ["grpc", "http/protobuf"] {
        let collector = Collector::start();
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            // As often as may be, if anybody pushed metrics.
            ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
        ];
        let with = run(&variables).expect("there is a database");
        assert_eq!(with.lines(), without.lines());
        assert!(without.lines().len() > 100, "{}", without.0);
        assert_eq!(named(&collector.spans(), "ws.event").len(), 3);
        let paths = collector.paths();
        let is_of_traces = |path: &String| path == "/v1/traces" || path.ends_with("TraceService/Export");
        assert!(!paths.is_empty() && paths.iter().all(is_of_traces), "{paths:?}");
    }
}

#[test]
fn an_event_that_reaches_another_node_is_one_trace_with_what_it_was_told_in() {
    let test = "an_event_that_reaches_another_node_is_one_trace_with_what_it_was_told_in";
    let Some(services) = Services::start(test) else { return };
    let collector = Collector::start();
    let node = |pod: &str| {
        let [url, pod] = [collector.url(), format!("pod={pod}")];
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
            ("OTEL_RESOURCE_ATTRIBUTES", &*pod),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        Relay::start(&services, &variables)
    };
    let (one, two) = (node("one"), node("two"));
    // A node without traces hears the same, and its own events are the beginning of a trace.
    let silent = Relay::start(&services, &[]);
    let mut readers = [&two, &silent].map(|node| Client::known(&node.clients));
    for reader in &mut readers {
        reader.subscribe("far");
    }
    let hears = |readers: &mut [Client], id: &str| {
        for reader in readers {
            assert_eq!(reader.next().expect("an event")[2]["id"], id);
        }
    };
    assert!(Client::known(&one.clients).send("traced", 1).0);
    hears(&mut readers, "traced");
    assert!(Client::known(&silent.clients).send("untraced", 1).0);
    hears(&mut readers, "untraced");

    let received = |span: &Span| span.name == "bus.receive" && span.resource["pod"] == "two";
    let spans = collector.wait_for("both events on the other node", |spans| {
        let fans_out = |span: &&Span| {
            span.name == "fan_out" && spans.iter().any(|of| received(of) && of.span_id == span.parent)
        };
        spans.iter().filter(fans_out).count() == 2 && spans.iter().any(|span| span.name == "bus.publish")
    });
    let read = collector.spans_read_by_python(env!("CARGO_TARGET_TMPDIR"));
    let read: BTreeSet<_> = read.into_iter().map(|span| (span.span, span.parent)).collect();
    let parents = |spans: &[Span]| -> BTreeSet<_> {
        spans.iter().map(|span| (span.span_id.clone(), span.parent.clone())).collect()
    };
    // More may have come before it read them, and after.
    assert!(parents(&spans).is_subset(&read) && read.is_subset(&parents(&collector.spans())), "{read:#?}");
    let published = named(&spans, "bus.publish")[0];
    assert_eq!((published.resource["pod"].as_str(), published.kind), ("one", 4), "a producer");
    let (within, alone): (Vec<&Span>, Vec<&Span>) =
        spans.iter().filter(|span| received(span)).partition(|span| span.parent == published.span_id);
    assert_eq!((within.len(), alone.len()), (1, 1), "the traced one, and the other: {spans:#?}");
}

#[test]
fn the_last_span_arrives_after_sigterm_and_the_name_is_as_the_environment_says() {
    let test = "the_last_span_arrives_after_sigterm_and_the_name_is_as_the_environment_says";
    let Some(services) = Services::start(test) else { return };
    let of_list = "pod=p-1,service.name=of%20the%20list";
    for (said, list, name) in
        [("x", of_list, "x"), ("", of_list, "of the list"), ("", "pod=p-1", "buzz-relay")]
    {
        let collector = Collector::start();
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
            ("OTEL_SERVICE_NAME", said.to_owned()),
            ("OTEL_RESOURCE_ATTRIBUTES", list.to_owned()),
            // So that nothing but the end brings the spans.
            ("OTEL_BSP_SCHEDULE_DELAY", "3600000".to_owned()),
            ("BUZZ_OTEL_FILTER", "relay::connection=info".to_owned()),
        ];
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let relay = Relay::start(&services, &variables);
        let mut client = Client::known(&relay.clients);
        client.subscribe("last");
        assert_eq!(collector.requests(), 0);
        relay.signal("TERM");
        let (status, took) = relay.ended();
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
        let last = collector.span("ws.req");
        assert_eq!((last.resource["service.name"].as_str(), last.resource["pod"].as_str()), (name, "p-1"));
        assert!(collector.spans().iter().all(|span| span.name.starts_with("ws.")), "the filter is its own");
    }
}

#[test]
fn without_an_endpoint_nobody_is_connected_to_and_one_that_is_none_is_said_in_a_line() {
    let test = "without_an_endpoint_nobody_is_connected_to_and_one_that_is_none_is_said_in_a_line";
    let Some(services) = Services::start(test) else { return };
    let unasked = Unasked::listen();
    let run = |variables: &[(&str, &str)]| {
        let relay = Relay::start(&services, variables);
        let mut client = Client::known(&relay.clients);
        client.subscribe("s");
        relay.signal("TERM");
        let logged = relay.logged();
        assert!(relay.ended().0.success());
        let lines = logged.iter().map(|line| serde_json::from_str(line).expect("a line of JSON"));
        // Where its page is, it always says.
        lines
            .filter(|line: &Value| line["level"] != "INFO" || line.to_string().contains("traces"))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(&[]), Vec::<Value>::new());
    assert_eq!(run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Vec::<Value>::new());
    unasked.nobody_came();
    let logged = run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[bad")]);
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert_eq!(logged[0]["level"], "WARN");
    let says = logged[0]["fields"]["message"].as_str().expect("a text");
    assert!(says.starts_with("there are no traces: OTEL_EXPORTER_OTLP_ENDPOINT: \"http://[bad\""), "{says}");

    // One that takes nothing from this token says so; the token is not shown.
    let collector = Collector::start();
    collector.answer(401);
    let relay = Relay::start(
        &services,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ],
    );
    assert!(Client::known(&relay.clients).send("untraced", 1).0);
    let refused =
        until("why nothing is taken", || relay.logged().into_iter().find(|line| line.contains("401")));
    assert!(refused.contains(&collector.url()) && !refused.contains("s3cret"), "{refused}");
    assert!(relay.page().value("buzz_events_stored_total{kind=\"1\"}").is_some());

    // A collector that is away keeps nobody from anything.
    let nobody = format!("http://{}", free_address());
    let relay = Relay::start(&services, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody)]);
    let mut client = Client::known(&relay.clients);
    client.subscribe("s");
    assert!(client.send("unseen", 1).0);
    relay.signal("TERM");
    let (status, took) = relay.ended();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
}

#[test]
fn a_collector_that_nobody_trusted_has_signed_gets_nothing_and_the_line_says_why() {
    let test = "a_collector_that_nobody_trusted_has_signed_gets_nothing_and_the_line_says_why";
    let Some(services) = Services::start(test) else { return };
    let folder = Folder::new();
    let other = folder.write("other.pem", &Authority::new().authority);
    for protocol in ["grpc", "http/protobuf"] {
        let collector = Authority::new().show(&["h2", "http/1.1"]);
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &other),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let relay = Relay::start(&services, &variables);
        assert!(Client::known(&relay.clients).send(protocol, 1).0);
        let line = until("why nothing is taken", || {
            relay.logged().into_iter().find(|line| line.contains("is not signed by one of"))
        });
        assert!(line.contains(&other) && line.contains(&collector.url), "{line}");
        assert_eq!((relay.healthy("/_readiness"), collector.trusting()), (200, 0));

        let not_there =
            variables.map(|(name, value)| (name, if value == other { "/nowhere" } else { value }));
        let relay = Relay::start(&services, &not_there);
        let line = until("why there are no traces", || {
            relay.logged().into_iter().find(|line| line.contains("there are no traces"))
        });
        assert!(line.contains("OTEL_EXPORTER_OTLP_CERTIFICATE") && line.contains("/nowhere"), "{line}");
        assert_eq!(relay.healthy("/_readiness"), 200);
    }
}
