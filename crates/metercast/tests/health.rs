//! A program that says whether it can do its work, as a probe and a scrape see it, also after a reload.
#![cfg(feature = "serve")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;

use metercast::config::{Config, Prometheus};
use metercast::{Health, Log, Store, Telemetry};

fn get(telemetry: &Telemetry, path: &str) -> String {
    let mut stream = TcpStream::connect(telemetry.scrape_address().unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn config(readiness_path: &str) -> Config {
    let page = Prometheus::listen("127.0.0.1:0").liveness_path("/health").readiness_path(readiness_path);
    Config::builder().environment(false).exporter("scrape", page).build().unwrap()
}

#[test]
fn a_check_that_hangs_keeps_neither_the_page_nor_the_probe_waiting_and_a_reload_keeps_the_checks() {
    let store = Store::new();
    let health = store.scope(|| Health::builder().requires_checks().build());
    let telemetry = Telemetry::builder(config("/health/ready"))
        .store(store)
        .log(Log::to(|_, _| {}))
        .health(health.clone())
        .start()
        .unwrap();
    assert!(
        get(&telemetry, "/health/ready")
            .ends_with("{\"status\":\"not_ready\",\"error\":\"no check is set\"}\n")
    );
    assert!(get(&telemetry, "/health").ends_with("{\"status\":\"ok\"}\n"));

    let (gate, closed) = channel::<()>();
    let (begun, begins) = channel();
    let check = health.check("nats").run(move || {
        let _ = begun.send(());
        let _ = closed.recv();
        Ok::<(), &str>(())
    });
    begins.recv().unwrap();
    let page = get(&telemetry, "/metrics");
    assert!(
        page.contains("\ncomponent_up 0\n") && page.contains("\nsubsystem_up{subsystem=\"nats\"} 0\n"),
        "{page}"
    );
    let error = "{\"status\":\"not_ready\",\"error\":\"nats: not checked yet\"}\n";
    assert!(get(&telemetry, "/health/ready").ends_with(error));

    let changed = telemetry.reload(config("/readyz")).unwrap();
    assert_eq!(changed.to_string(), "scrape: readiness_path changed");
    assert!(get(&telemetry, "/readyz").ends_with(error));
    assert!(get(&telemetry, "/health/ready").starts_with("HTTP/1.1 404"));

    drop(gate);
    assert!(health.check_now().is_ready());
    let ready = get(&telemetry, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.ends_with("{\"status\":\"ready\"}\n"), "{ready}");
    let page = get(&telemetry, "/metrics");
    assert!(
        page.contains("\ncomponent_up 1\n") && page.contains("\nsubsystem_up{subsystem=\"nats\"} 1\n"),
        "{page}"
    );
    drop(check);
}
