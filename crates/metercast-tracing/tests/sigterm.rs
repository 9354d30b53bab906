//! What SIGTERM does to spans that wait. Each case is a process of its own: this test binary, run again.
#![cfg(all(unix, feature = "traces"))]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use conformance::collector::Collector;
use metercast::config::{OnSigterm, Otlp, Traces as Settings};
use metercast::{Config, Telemetry, u64_counter};
use metercast_tracing::Traces;
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

/// Where the child pushes to; it is a child if this is set.
const ENDPOINT: &str = "METERCAST_TEST_ENDPOINT";

/// Nothing leaves by itself for as long as a test lasts.
const NEVER: Duration = Duration::from_secs(3600);

/// In the child: a span that has ended, and the program goes on until it is ended.
fn work(endpoint: &str, on_sigterm: OnSigterm, metrics: bool) {
    let mut config = Config::builder().environment(false).on_sigterm(on_sigterm);
    config = config.traces(Settings::to(endpoint).interval(NEVER));
    if metrics {
        config = config.exporter("push", Otlp::to(endpoint).interval(NEVER));
    }
    let config = config.build().unwrap();
    let traces = Traces::start(&config);
    let _telemetry = metrics.then(|| Telemetry::start(config).unwrap());
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    tracing::subscriber::with_default(subscriber, || info_span!("work").in_scope(|| ()));
    u64_counter!("work", "Work", 1);
    ready();
    // So that a fault in what is tested cannot leave a process behind.
    std::thread::park_timeout(Duration::from_secs(60));
}

#[expect(clippy::print_stdout, reason = "the parent waits for this line")]
fn ready() {
    println!("ready");
}

/// In the parent: runs this binary again as the child that `test` names, ends it by SIGTERM, and returns how it ended.
fn terminated(test: &str, collector: &Collector) -> ExitStatus {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ENDPOINT, collector.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next().expect("the child says that it is ready").unwrap().ends_with("ready") {}
    assert_eq!(collector.requests(), 0, "before the signal");
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    child.wait().unwrap()
}

#[test]
fn spans_that_wait_leave_on_sigterm_and_the_program_ends_by_it() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return work(&endpoint, OnSigterm::Exit, false);
    }
    let collector = Collector::start();
    let status = terminated("spans_that_wait_leave_on_sigterm_and_the_program_ends_by_it", &collector);
    assert_eq!(status.signal(), Some(15));
    assert_eq!(collector.span("work").parent, "");
    assert_eq!(collector.requests(), 1);
}

#[test]
fn spans_and_metrics_leave_on_the_same_sigterm() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return work(&endpoint, OnSigterm::Exit, true);
    }
    let collector = Collector::start();
    let status = terminated("spans_and_metrics_leave_on_the_same_sigterm", &collector);
    assert_eq!(status.signal(), Some(15));
    let mut paths = collector.paths();
    paths.sort_unstable();
    assert_eq!(paths, ["/v1/metrics", "/v1/traces"]);
}

#[test]
fn whoever_wants_sigterm_left_alone_has_it_left_alone() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return work(&endpoint, OnSigterm::Ignore, false);
    }
    let collector = Collector::start();
    let status = terminated("whoever_wants_sigterm_left_alone_has_it_left_alone", &collector);
    assert_eq!((status.signal(), collector.requests()), (Some(15), 0));
}
