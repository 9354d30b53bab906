//! One trace from who asks for a job to who does it.

use std::time::Duration;

use conformance::authority::Authority;
use conformance::collector::Collector;
use conformance::http;
use conformance::program::{Folder, free_address, use_programs};
use conformance::servers::Nats;

use super::endings::NOWHERE;
use super::support::{Osapi, config, measured};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT: &str = "b7ad6b7169203331";

#[test]
fn a_trace_goes_from_the_client_over_http_and_nats_to_the_job() {
    if !use_programs("a_trace_goes_from_the_client_over_http_and_nats_to_the_job", "nats-server") {
        return;
    }
    let (nats, collector) = (Nats::start(), Collector::start());
    let config = measured(&nats.url());
    let url = collector.url();
    let to_collector = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OSAPI_AGENT_METRICS_PORT", "0"),
        ("OSAPI_AGENT_NAME", "a1"),
    ];
    let controller = Osapi::start("controller", &config, &to_collector);
    let _agent = Osapi::start("agent", &config, &to_collector);
    controller.wait_for("osapi_component_up", 1.0);
    let url = format!("{}/job", controller.api.as_ref().unwrap());
    let headers = format!("Content-Type: application/json\r\ntraceparent: 00-{TRACE}-{CLIENT}-01\r\n");
    let (status, ..) = http::ask(&url, "POST", &headers, br#"{"op":"fail"}"#).unwrap();
    assert_eq!(status, 201);

    // Each of the five deliveries is a span.
    let spans = collector.wait_for("five attempts", |spans| {
        let count = |name| spans.iter().filter(|span| span.name == name).count();
        count("job.process") == 5 && count("POST /job") == 1
    });
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let (create, publish) = (named("POST /job"), named("job.publish"));
    assert_eq!((create.len(), publish.len()), (1, 1), "{spans:#?}");
    assert_eq!(create[0].parent, CLIENT);
    assert_eq!(publish[0].parent, create[0].span_id);
    for attempt in named("job.process") {
        assert_eq!(attempt.parent, publish[0].span_id);
        assert_eq!(attempt.attributes["worker"], "a1");
        assert_eq!(attempt.attributes["job_id"], publish[0].attributes["job_id"]);
    }
    assert!(spans.iter().all(|span| span.trace_id == TRACE && span.resource["service.name"] == "osapi"));
}

#[test]
fn work_goes_on_without_the_collector_and_a_line_says_that_it_is_away() {
    let test = "work_goes_on_without_the_collector_and_a_line_says_that_it_is_away";
    if !use_programs(test, "nats-server") {
        return;
    }
    let nats = Nats::start();
    let config = measured(&nats.url());
    let away = format!("http://{}", free_address());
    let gone = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*away), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let controller = Osapi::start("controller", &config, &gone);
    let agent = Osapi::start("agent", &config, &[gone[0], gone[1], ("OSAPI_AGENT_METRICS_PORT", "0")]);
    controller.wait_for("osapi_component_up", 1.0);
    assert_eq!(controller.done(&controller.create("ok"))["status"], "completed");
    agent.wait_for("osapi_jobs_completed_total{status=\"completed\"}", 1.0);
    for component in [controller, agent] {
        let line = component.line("refused");
        assert!(line.contains("traces") && line.contains(&away), "{line}");
        let (status, took) = component.end();
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    }
}

#[test]
fn where_traces_go_and_why_they_do_not_is_a_line() {
    let start = |variables: &[(&str, &str)]| Osapi::start("controller", &config(NOWHERE), variables);
    let off = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]);
    assert!(!off.said().contains("traces"), "{}", off.said());

    let (collector, folder) = (Authority::new().show(&[]), Folder::new());
    let other = folder.write("other.pem", &Authority::new().authority);
    let to = |ca| {
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", ca),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ]
    };
    let not_there = start(&to("/nowhere/ca.pem"));
    let line = not_there.line("there are no traces");
    assert!(line.contains("OTEL_EXPORTER_OTLP_CERTIFICATE") && line.contains("/nowhere/ca.pem"), "{line}");

    let not_trusted = start(&to(&other));
    let line = not_trusted.line("traces: push");
    assert!(line.contains(&collector.url), "{line}");
    assert_eq!(not_trusted.ask("GET", "/job/1", "").0, 503);
    let line = not_trusted.line("is not signed by one of");
    assert!(line.contains(&other) && line.contains(&collector.url), "{line}");
    assert_eq!(collector.trusting(), 0);

    let refusing = Collector::start();
    refusing.answer(401);
    let mut variables = to(&other);
    let url = refusing.url();
    variables[0].1 = &url;
    let not_taken = start(&variables);
    assert_eq!(not_taken.ask("GET", "/job/1", "").0, 503);
    let line = not_taken.line("401");
    assert!(line.contains(&url), "{line}");
    for component in [off, not_there, not_trusted, not_taken] {
        assert!(!component.said().contains("s3cret"), "{}", component.said());
        let (status, took) = component.end();
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    }
}
