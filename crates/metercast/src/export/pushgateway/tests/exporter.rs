//! A program that keeps its group up to date: pushes at the interval, when asked, and a last time.

use std::sync::{Arc, Mutex};

use super::*;
use crate::config::{Config, Pushgateway as Exporter};
use crate::{Log, Telemetry};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const LONG: Duration = Duration::from_secs(60);

/// A program with one exporter, and the lines of its log.
fn start(exporter: Exporter, store: &Store) -> (Telemetry, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| lines.lock().unwrap().push(format!("{level}: {line}"))
    });
    let config = Config::builder().environment(false).exporter("till", exporter).build().unwrap();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(log).start().unwrap();
    (telemetry, lines)
}

#[test]
fn the_group_is_put_when_asked_and_a_last_time_with_what_was_recorded_by_then() {
    let server = Server::answering(OK);
    let exporter =
        Exporter::to(&server.url, "checkout").group("instance", "a").interval(YEAR).basic("u", "p");
    let store = store();
    let (telemetry, lines) = start(exporter, &store);
    telemetry.flush(LONG).unwrap();
    let request = server.requests.recv().unwrap();
    assert!(request.starts_with("PUT /metrics/job/checkout/instance/a HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Basic dTpw\r\n"), "{request}");
    assert!(request.contains("\njobs_total 3\n"), "{request}");
    store.scope(|| u64_counter!("jobs", "Jobs", 1));
    telemetry.shutdown().unwrap();
    let request = server.requests.recv().unwrap();
    assert!(request.contains("\njobs_total 4\n"), "{request}");
    assert!(request.contains("metercast_exporter_last_success_seconds{"), "it measures itself: {request}");
    let said = format!("push till {} every {YEAR:?}", server.url);
    assert!(lines.lock().unwrap()[0].contains(&said), "{lines:?}");
}

#[test]
fn the_group_is_put_at_the_interval() {
    let server = Server::answering(OK);
    let exporter = Exporter::to(&server.url, "checkout").interval(Duration::from_millis(1));
    let (telemetry, _) = start(exporter, &store());
    for _ in 0..3 {
        assert!(server.requests.recv().unwrap().starts_with("PUT /metrics/job/checkout "));
    }
    telemetry.shutdown().unwrap();
}

#[test]
fn a_reload_puts_the_old_group_a_last_time_and_goes_on_with_the_new_one() {
    let server = Server::answering(OK);
    let exporter = |job| Exporter::to(&server.url, job).interval(YEAR);
    let (telemetry, _) = start(exporter("old"), &store());
    let config = Config::builder().environment(false).exporter("till", exporter("new")).build().unwrap();
    assert_eq!(telemetry.reload(config).unwrap().to_string(), "till: job changed");
    assert!(server.requests.recv().unwrap().starts_with("PUT /metrics/job/old "));
    telemetry.flush(LONG).unwrap();
    assert!(server.requests.recv().unwrap().starts_with("PUT /metrics/job/new "));
    telemetry.shutdown().unwrap();
}

#[test]
fn a_gateway_that_refuses_is_said_once_and_so_is_that_it_works_again() {
    let free = free_address();
    let store = store();
    let (telemetry, lines) =
        start(Exporter::to(&format!("http://{free}"), "checkout").interval(YEAR), &store);
    for _ in 0..2 {
        let error = telemetry.flush(LONG).unwrap_err();
        assert!(error.to_string().contains("is a Pushgateway listening there?"), "{error}");
    }
    let listener = TcpListener::bind(&free).unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(serve(stream.unwrap(), OK))));
    telemetry.flush(LONG).unwrap();
    telemetry.shutdown().unwrap();
    let lines = lines.lock().unwrap();
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("error: exporter \"till\"")).collect();
    assert_eq!(failed.len(), 1, "{lines:?}");
    assert_eq!(lines.last().unwrap(), "info: exporter \"till\": push works again");
    // What it says of itself.
    let page = crate::PrometheusPage::new("test", Log::default()).render(&store);
    let failures = page.lines().find(|line| line.starts_with("metercast_exporter_failures_total{")).unwrap();
    assert!(failures.ends_with(" 2"), "{failures}");
    assert!(page.contains("error_type=\"connect\""), "{page}");
}

#[test]
fn shutdown_keeps_its_deadline_at_a_gateway_that_hangs() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (telemetry, _) = start(Exporter::to(&url, "checkout").interval(YEAR).timeout(LONG), &store());
    let asked = std::time::Instant::now();
    let error = telemetry.shutdown_within(Duration::from_millis(50)).unwrap_err();
    assert!(asked.elapsed() < LONG / 2, "{error}");
}
