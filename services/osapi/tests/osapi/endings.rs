//! How components end, and what keeps them from beginning.

use std::net::TcpListener;
use std::time::Duration;

use conformance::http;
use conformance::program::free_address;

use super::support::{Osapi, measured, refused};

/// Nobody is there.
pub(crate) const NOWHERE: &str = "nats://127.0.0.1:1";

#[test]
fn a_metrics_port_that_is_taken_ends_the_agent_or_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let port = ("OSAPI_AGENT_METRICS_PORT", &*port);
    let (status, said) = refused("agent", &measured(NOWHERE), &[port]);
    assert!(!status.success());
    assert!(said.contains("agent: metrics:") && said.contains(port.1) && said.contains("in use"), "{said}");
    let agent =
        Osapi::start("agent", &measured(NOWHERE), &[port, ("OSAPI_TELEMETRY_METRICS_ON_ERROR", "report")]);
    assert!(!agent.has_metrics());
    let (status, _) = agent.end();
    assert!(status.success(), "{status}");
}

#[test]
fn components_end_in_time_when_they_are_asked_also_without_nats() {
    for component in ["controller", "agent"] {
        let running = Osapi::start(component, &measured(NOWHERE), &[("OSAPI_AGENT_METRICS_PORT", "0")]);
        let (status, took) = running.end();
        assert!(status.success(), "{component}: {status}");
        assert!(took < Duration::from_secs(5), "{component}: {took:?}");
    }
}

#[test]
fn an_api_port_that_is_taken_ends_the_controller() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (status, said) = refused("controller", &measured(NOWHERE), &[("OSAPI_CONTROLLER_PORT", &port)]);
    assert!(!status.success());
    assert!(said.contains(&format!("controller 127.0.0.1:{port}:")) && said.contains("in use"), "{said}");
}

#[test]
fn nats_whose_port_is_taken_or_that_is_not_installed_ends_the_start_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", taken.local_addr().unwrap());
    let (status, said) = refused("nats", &measured(&url), &[]);
    let place = url.trim_start_matches("nats://");
    assert!(!status.success());
    assert!(said.contains(&format!("cannot listen on {place}")) && said.contains("in use"), "{said}");
    let (status, said) = refused("start", &measured(&free_address()), &[("PATH", "/nowhere")]);
    assert!(!status.success());
    assert!(said.contains("nats-server cannot be started") && said.contains("install it"), "{said}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused_with_their_name() {
    let refused = |config: &str, variables: &[(&str, &str)], parts: &[&str]| {
        let (status, said) = refused("agent", config, variables);
        assert!(!status.success());
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
    };
    refused("", &[("OSAPI_AGENT_METRICS_ENABLED", "perhaps")], &["OSAPI_AGENT_METRICS_ENABLED: \"perhaps\""]);
    refused("agent: { metrics: { prot: 1 } }\n", &[], &["osapi.yaml", "prot", "one of enabled, host, port"]);
    refused("agent:\n  concurrency: many\n", &[], &["osapi.yaml", "line 2", "many"]);
    for name in ["a b", "jobs.>", "a\"\n", "*"] {
        refused("", &[("OSAPI_AGENT_NAME", name)], &["agent.name", "letters, digits"]);
    }
    let path = ("OSAPI_TELEMETRY_METRICS_PATH", "metrics");
    refused(&measured(NOWHERE), &[path], &["\"metrics\"", "/metrics"]);
    let host = ("OSAPI_AGENT_METRICS_HOST", "no such host");
    refused(&measured(NOWHERE), &[host], &["no such host"]);
}

#[test]
fn the_page_is_where_the_settings_say() {
    let path = ("OSAPI_TELEMETRY_METRICS_PATH", "/stats");
    let agent = Osapi::start("agent", &measured(NOWHERE), &[("OSAPI_AGENT_METRICS_PORT", "0"), path]);
    let status = |path: &str| http::ask(&format!("{}{path}", agent.metrics()), "GET", "", b"").unwrap().0;
    assert_eq!((status("/stats"), status("/metrics"), status("/health")), (200, 404, 200));
}
