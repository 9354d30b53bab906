//! One trace from who asks for a job to who does it.

use std::time::Duration;

use conformance::collector::Collector;
use conformance::http;
use conformance::program::use_programs;
use conformance::servers::Nats;

use super::support::{Osapi, measured};

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
fn work_goes_on_without_the_collector() {
    if !use_programs("work_goes_on_without_the_collector", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let config = measured(&nats.url());
    let gone = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let controller = Osapi::start("controller", &config, &[gone]);
    let agent = Osapi::start("agent", &config, &[gone, ("OSAPI_AGENT_METRICS_PORT", "0")]);
    controller.wait_for("osapi_component_up", 1.0);
    assert_eq!(controller.done(&controller.create("ok"))["status"], "completed");
    agent.wait_for("osapi_jobs_completed_total{status=\"completed\"}", 1.0);
    for component in [controller, agent] {
        let (status, took) = component.end();
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    }
}
