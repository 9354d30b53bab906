//! Jobs from their making to their end, and what is counted of it.

use std::time::Duration;

use conformance::program::{until, use_programs};
use conformance::servers::Nats;
use serde_json::json;

use super::support::{Osapi, config, measured, value_in};

#[test]
fn attempts_and_ends_of_jobs_are_told_apart_over_two_agents() {
    if !use_programs("attempts_and_ends_of_jobs_are_told_apart_over_two_agents", "nats-server") {
        return;
    }
    let mut nats = Nats::start();
    let config = measured(&nats.url());
    let controller = Osapi::start("controller", &config, &[]);
    let agents = [Osapi::agent("a1", &config), Osapi::agent("a2", &config)];
    let sum = |series: &str| agents.iter().filter_map(|agent| agent.value(series)).sum::<f64>();
    let reaches = |series: &str, expected: f64| {
        until(&format!("{series} {expected}"), || (sum(series) == expected).then_some(()));
    };
    controller.wait_for("osapi_component_up", 1.0);
    controller.wait_for("osapi_workers_connected", 2.0);

    // A job is created, and its agent known, whichever it is.
    let sleeps = controller.create("sleep");
    reaches("osapi_jobs_active", 1.0);
    let others = ["ok", "ok", "ok", "fail", "skip"].map(|op| controller.create(op));
    let ends = others.map(|id| controller.done(&id));
    let statuses = ends.each_ref().map(|job| job["status"].as_str().unwrap());
    assert_eq!(statuses, ["completed", "completed", "completed", "failed", "skipped"]);
    assert_eq!(ends[3]["response"]["attempts"], 5);
    assert_eq!(controller.done(&sleeps)["status"], "completed");
    reaches("osapi_jobs_active", 0.0);

    // What the queue has acknowledged, the agents have counted, a moment later.
    reaches("osapi_jobs_completed_total{status=\"completed\"}", 4.0);
    reaches("osapi_jobs_completed_total{status=\"failed\"}", 1.0);
    reaches("osapi_jobs_completed_total{status=\"skipped\"}", 1.0);
    assert_eq!(sum("osapi_jobs_attempts_total{outcome=\"failed\"}"), 5.0);
    assert_eq!(sum("osapi_jobs_failures_total{reason=\"work\"}"), 5.0);
    assert_eq!(sum("osapi_jobs_attempts_total{outcome=\"completed\"}"), 4.0);
    assert_eq!(sum("osapi_jobs_redelivered_total"), 4.0);
    // As they were called first.
    assert_eq!(sum("osapi_jobs_processed_total{status=\"failed\"}"), 5.0);
    assert_eq!(sum("osapi_jobs_processed_total{status=\"completed\"}"), 4.0);
    assert_eq!(sum("osapi_job_duration_seconds_count"), 10.0);
    assert_eq!(sum("osapi_job_duration_seconds_bucket{le=\"10\"}"), 10.0);
    assert!(sum("osapi_job_duration_seconds_bucket{le=\"0.1\"}") >= 3.0);
    assert!(sum("osapi_job_duration_seconds_bucket{le=\"1\"}") <= 9.0, "one sleeps for two seconds");
    assert_eq!(sum("osapi_job_wait_seconds_count"), 6.0);
    let processed =
        ["a1", "a2"].map(|worker| sum(&format!("osapi_worker_jobs_processed_total{{worker=\"{worker}\"}}")));
    assert_eq!(processed[0] + processed[1], 6.0);
    assert!(agents.iter().all(|agent| agent.value("osapi_heartbeat_age_seconds").unwrap() < 2.0));

    let page = controller.page();
    for (series, expected) in [
        ("osapi_jobs_created_total", 6.0),
        ("http_server_request_total{method=\"POST\",status=\"201\"}", 6.0),
        ("osapi_workers_connected", 2.0),
    ] {
        assert_eq!(value_in(&page, series), Some(expected), "{series}");
    }
    let posts: Vec<_> = page
        .iter()
        .filter(|line| {
            line.starts_with("http_server_request_duration_seconds_count{") && line.contains("POST")
        })
        .collect();
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert!(posts[0].contains("http_route=\"/job\"") && posts[0].ends_with(" 6"), "{posts:?}");
    let labels = [
        "http_request_method=\"POST\"",
        "http_response_status_code=\"201\"",
        "url_scheme=\"http\"",
        "network_protocol_version=",
        "server_address=\"127.0.0.1\"",
    ];
    assert!(labels.iter().all(|label| posts[0].contains(label)), "{posts:?}");
    assert!(page.iter().any(|line| line.starts_with("http_server_active_requests{")));
    let bounds: Vec<_> = page
        .iter()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_bucket{"))
        .filter(|line| line.contains("POST"))
        .filter_map(|line| Some(line.split_once("le=\"")?.1.split_once('"')?.0))
        .collect();
    let expected = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf";
    assert_eq!(bounds.join(" "), expected);

    // One goes without a word, and is not counted for long.
    let [first, second] = agents;
    first.kill();
    controller.wait_for("osapi_workers_connected", 1.0);
    // NATS is gone: the other one's heartbeat grows old.
    nats.stop();
    until("an old heartbeat", || second.value("osapi_heartbeat_age_seconds").filter(|age| *age > 2.0));
    second.wait_for("osapi_subsystem_up{subsystem=\"agent.heartbeat\"}", 0.0);
    assert_eq!(second.probe("/health/ready").0, 503);
    controller.wait_for("osapi_workers_connected", 0.0);
    // What is not in the queue is no job.
    let (status, said) = controller.ask("POST", "/job", r#"{"op":"ok"}"#);
    assert_eq!((status, said["error"].is_string()), (503, true), "{said}");
    assert_eq!(controller.value("osapi_jobs_created_total"), Some(6.0));
    nats.start_again();
    controller.wait_for("osapi_workers_connected", 1.0);
    // And work goes on.
    let id = until("a job to be taken", || {
        let (status, job) = controller.ask("POST", "/job", r#"{"op":"ok"}"#);
        (status == 201).then(|| job["id"].as_str().unwrap().to_owned())
    });
    assert_eq!(controller.done(&id)["status"], "completed");
}

#[test]
fn a_job_of_an_agent_that_dies_is_done_by_another() {
    if !use_programs("a_job_of_an_agent_that_dies_is_done_by_another", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let config = measured(&nats.url());
    let controller = Osapi::start("controller", &config, &[]);
    controller.wait_for("osapi_component_up", 1.0);
    let first = Osapi::agent("a1", &config);
    let id = controller.create("sleep");
    first.wait_for("osapi_jobs_active", 1.0);
    first.kill();
    let second = Osapi::agent("a2", &config);
    let job = controller.done(&id);
    assert_eq!((&job["status"], &job["response"]["agent"]), (&json!("completed"), &json!("a2")));
    second.wait_for("osapi_jobs_completed_total{status=\"completed\"}", 1.0);
    assert_eq!(second.value("osapi_jobs_redelivered_total"), Some(1.0));
    // One that ends as it should leaves at once, and gives back what it has not done.
    let id = controller.create("sleep");
    second.wait_for("osapi_jobs_active", 1.0);
    let (status, took) = second.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    controller.wait_for("osapi_workers_connected", 0.0);
    assert_eq!(controller.ask("GET", &format!("/job/{id}"), "").1["status"], "queued");
}

#[test]
fn routes_are_templates_whatever_is_asked_for() {
    if !use_programs("routes_are_templates_whatever_is_asked_for", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let controller = Osapi::start("controller", &measured(&nats.url()), &[]);
    controller.wait_for("osapi_component_up", 1.0);
    for number in 0..1000 {
        assert_eq!(controller.ask("GET", &format!("/node/host-{number}"), "").0, 404);
    }
    for path in ["/nowhere", "/job/..%2f..", "/node/%ff", "/job/a%20b"] {
        controller.ask("GET", path, "");
    }
    let counts: Vec<_> = controller
        .page()
        .into_iter()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_count{"))
        .filter(|line| line.contains("/node/{hostname}"))
        .collect();
    assert!(counts.iter().any(|line| line.ends_with(" 1000")), "{counts:?}");
    assert!(counts.len() <= 2, "{counts:?}");
    assert!(controller.page().iter().all(|line| !line.contains("host-") && !line.contains("nowhere")));
}

#[test]
fn without_metrics_nothing_listens_and_jobs_are_done_all_the_same() {
    if !use_programs("without_metrics_nothing_listens_and_jobs_are_done_all_the_same", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let config = config(&nats.url());
    let port = conformance::program::free_address();
    let port = port.rsplit_once(':').unwrap().1;
    let controller = Osapi::start("controller", &config, &[("OSAPI_CONTROLLER_METRICS_PORT", port)]);
    let agent = Osapi::agent("a1", &config);
    assert!(!controller.has_metrics() && !agent.has_metrics());
    assert!(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err());
    let id = until("a job to be taken", || {
        let (status, job) = controller.ask("POST", "/job", r#"{"op":"ok"}"#);
        (status == 201).then(|| job["id"].as_str().unwrap().to_owned())
    });
    assert_eq!(controller.done(&id)["status"], "completed");
    assert_eq!(controller.ask("GET", "/metrics", "").0, 404);
}

#[test]
fn a_zero_is_neither_a_busy_loop_nor_a_job_that_never_ends() {
    if !use_programs("a_zero_is_neither_a_busy_loop_nor_a_job_that_never_ends", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let zeros = "job: { max_deliver: 0, ack_wait_milliseconds: 0, sleep_milliseconds: 0, heartbeat_milliseconds: 0, ttl_milliseconds: 0 }\n";
    let config = measured(&nats.url());
    let (start, _) = config.split_once("job: ").unwrap();
    let config = format!("{start}{zeros}telemetry: {{ metrics: {{ enabled: true }} }}\n");
    let controller = Osapi::start("controller", &config, &[("OSAPI_AGENT_CONCURRENCY", "0")]);
    let agent = Osapi::agent("a1", &config);
    controller.wait_for("osapi_component_up", 1.0);
    controller.wait_for("osapi_workers_connected", 1.0);
    let ends = ["fail", "sleep", "ok"].map(|op| controller.done(&controller.create(op)));
    assert_eq!(
        ends.each_ref().map(|job| job["status"].as_str().unwrap()),
        ["failed", "completed", "completed"]
    );
    assert_eq!(ends[0]["response"]["attempts"], 1);
    agent.wait_for("osapi_jobs_attempts_total{outcome=\"failed\"}", 1.0);
    agent.wait_for("osapi_jobs_completed_total{status=\"completed\"}", 2.0);
}
