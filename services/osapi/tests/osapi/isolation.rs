//! Several components in one process, and NATS as one of them: each with its own figures.

use conformance::program::{free_address, until, use_programs};

use super::support::{Osapi, measured, value_in};

#[test]
fn nats_has_health_and_no_jobs() {
    if !use_programs("nats_has_health_and_no_jobs", "nats-server") {
        return;
    }
    let config = measured(&free_address());
    let nats = Osapi::start("nats", &config, &[]);
    nats.wait_for("osapi_component_up", 1.0);
    assert_eq!(nats.value("osapi_subsystem_up{subsystem=\"nats.server\"}"), Some(1.0));
    // What others do through it is on their pages.
    let controller = Osapi::start("controller", &config, &[]);
    let agent = Osapi::agent("a1", &config);
    controller.wait_for("osapi_component_up", 1.0);
    controller.done(&controller.create("ok"));
    let page = nats.page();
    for family in
        ["process_cpu_seconds_total", "process_resident_memory_bytes", "tokio_runtime_", "build_info"]
    {
        assert!(page.iter().any(|line| line.starts_with(family)), "{family}: {page:#?}");
    }
    let others: Vec<_> = page.into_iter().filter(|line| !is_of_the_component(line)).collect();
    assert_eq!(others, [] as [&str; 0]);
    assert!(
        controller.page().iter().all(|line| !line.contains("_jobs_completed") && !line.contains("heartbeat"))
    );
    assert!(agent.page().iter().all(|line| !line.contains("http_") && !line.contains("_created")));
    drop((controller, agent));
    let (status, _) = nats.end();
    assert!(status.success(), "{status}");
}

/// Whether a line says how the component or its process is.
fn is_of_the_component(line: &str) -> bool {
    // jemalloc: where the whole workspace is built with all features.
    ["osapi_component_up", "osapi_subsystem_up", "process_", "tokio_runtime_", "build_info", "jemalloc_"]
        .iter()
        .any(|name| line.starts_with(name))
}

#[test]
fn components_in_one_process_have_each_its_own_page() {
    if !use_programs("components_in_one_process_have_each_its_own_page", "nats-server") {
        return;
    }
    let config =
        measured(&free_address()).replace("nats: { server: {", "nats: { server: { store_dir: stored,");
    let (all, servers) = Osapi::start_all(&config, &[("OSAPI_AGENT_METRICS_PORT", "0")]);
    all.wait_for("osapi_component_up", 1.0);
    let id = all.create("ok");
    assert_eq!(all.done(&id)["status"], "completed");
    // The agent counts it when the queue has taken what came of it, which is a moment later.
    until("the end of the job", || {
        value_in(&all.page_at(&servers[1]), "osapi_jobs_completed_total{status=\"completed\"}")
    });
    let [controller, agent, nats] = servers.each_ref().map(|server| all.page_at(server));
    let has = |page: &[String], name: &str| page.iter().any(|line| line.starts_with(name));
    for (name, expected) in [
        ("osapi_component_up", [true, true, true]),
        ("osapi_jobs_created_total", [true, false, false]),
        ("osapi_workers_connected", [true, false, false]),
        ("http_server_request_total", [true, false, false]),
        ("osapi_jobs_completed_total", [false, true, false]),
        ("osapi_heartbeat_age_seconds", [false, true, false]),
    ] {
        let found = [&controller, &agent, &nats].map(|page| has(page, name));
        assert_eq!(found, expected, "{name}");
    }
    let (status, _) = all.end();
    assert!(status.success(), "{status}");
}

#[test]
fn the_other_profile_has_the_namespace_and_scopes() {
    if !use_programs("the_other_profile_has_the_namespace_and_scopes", "nats-server") {
        return;
    }
    let config = measured(&free_address()).replace("enabled: true", "enabled: true, profile: osapi");
    let _nats = Osapi::start("nats", &config, &[]);
    let controller = Osapi::start("controller", &config, &[]);
    controller
        .wait_for("osapi_component_up{otel_scope_name=\"metercast\",otel_scope_version=\"0.1.0\"}", 1.0);
    controller.create("ok");
    let page = controller.page();
    let has =
        |begin: &str, part: &str| page.iter().any(|line| line.starts_with(begin) && line.contains(part));
    assert!(has("osapi_http_server_request_duration_seconds_count{", "otel_scope_name=\"metercast-tower\""));
    assert!(has("osapi_http_server_request_body_size_bytes_count{", "http_route=\"/job\""));
    assert!(has("osapi_jobs_created_total", " 1"), "{page:#?}");
    assert!(has("target_info{", "service_name=\"osapi\""), "{page:#?}");
    assert!(has("osapi_tokio_runtime_workers{", "tokio_runtime_name=\"controller\""), "{page:#?}");
    // The names of the process are everybody's.
    let begins = ["osapi_", "target_info{", "process_"];
    let others: Vec<_> =
        page.iter().filter(|line| !begins.iter().any(|begin| line.starts_with(begin))).collect();
    assert_eq!(others, [] as [&str; 0]);
}
