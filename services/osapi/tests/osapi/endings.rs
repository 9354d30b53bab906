//! How components end, and what keeps them from beginning.

use std::net::TcpListener;
use std::time::Duration;

use super::support::{Osapi, measured, refused};

/// Nobody is there.
const NOWHERE: &str = "nats://127.0.0.1:1";

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
fn settings_that_cannot_be_meant_are_refused_with_their_name() {
    let (status, said) = refused("agent", "", &[("OSAPI_AGENT_METRICS_ENABLED", "perhaps")]);
    assert!(!status.success());
    assert_eq!(said, "osapi: OSAPI_AGENT_METRICS_ENABLED: \"perhaps\" is not true or false\n");
    let (status, said) = refused("agent", "agent: { metrics: { prot: 1 } }\n", &[]);
    assert!(!status.success());
    assert!(said.contains("osapi.yaml") && said.contains("prot"), "{said}");
}
