//! Whether components are ready, and what a page says of it.

use std::time::{Duration, Instant};

use conformance::program::{until, use_programs};
use conformance::servers::Nats;
use serde_json::json;

use super::gate::Gate;
use super::support::{Osapi, measured};

/// A scrape and a probe do not wait for a check.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn the_controller_is_ready_when_nats_is_and_lives_before() {
    if !use_programs("the_controller_is_ready_when_nats_is_and_lives_before", "nats-server") {
        return;
    }
    let mut nats = Nats::start();
    nats.stop();
    let controller = Osapi::start("controller", &measured(&nats.url()), &[]);
    assert_eq!(controller.probe("/health"), (200, json!({ "status": "ok" })));
    let (status, said) = controller.probe("/health/ready");
    assert_eq!((status, &said["status"]), (503, &json!("not_ready")));
    assert!(said["error"].as_str().unwrap().contains("nats"), "{said}");
    assert_eq!(controller.value("osapi_component_up"), Some(0.0));
    assert_eq!(controller.value("osapi_subsystem_up{subsystem=\"nats\"}"), Some(0.0));
    assert_eq!(controller.ask("POST", "/job", r#"{"op":"ok"}"#).0, 503);
    nats.start_again();
    controller.wait_for("osapi_component_up", 1.0);
    assert_eq!(controller.probe("/health/ready"), (200, json!({ "status": "ready" })));
    assert_eq!(controller.value("osapi_subsystem_up{subsystem=\"controller.api\"}"), Some(1.0));
    assert_eq!(controller.value("osapi_jobs_created_total"), Some(0.0), "what is not in the queue is no job");
}

#[test]
fn a_check_that_hangs_is_down_and_nobody_waits_for_it() {
    if !use_programs("a_check_that_hangs_is_down_and_nobody_waits_for_it", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let gate = Gate::to(&nats.url());
    let agent = Osapi::agent("a1", &measured(gate.url()));
    agent.wait_for("osapi_component_up", 1.0);
    until("a heartbeat", || agent.value("osapi_heartbeat_age_seconds").filter(|age| *age < 0.5));
    gate.hold();
    let mut oldest = 0.0;
    until("the check to be down", || {
        let begun = Instant::now();
        let age = agent.value("osapi_heartbeat_age_seconds").expect("it is there");
        let ready = agent.probe("/health/ready");
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        assert!(age >= oldest, "it grows while nothing arrives: {age} after {oldest}");
        oldest = age;
        (ready.0 == 503).then_some(())
    });
    agent.wait_for("osapi_subsystem_up{subsystem=\"nats\"}", 0.0);
    agent.wait_for("osapi_subsystem_up{subsystem=\"agent.heartbeat\"}", 0.0);
    gate.let_go();
    agent.wait_for("osapi_component_up", 1.0);
    until("a heartbeat", || agent.value("osapi_heartbeat_age_seconds").filter(|age| *age < 0.5));
}
