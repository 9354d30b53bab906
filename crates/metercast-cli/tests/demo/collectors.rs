//! A collector that is down, slow or unwilling: the service does not notice, and the log says so once.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};

use conformance::program::free_address;
use serde_json::{Value, json};

use crate::support::{Demo, read_request};

/// A collector that treats each connection so; it ends with the test.
fn collector(treat: impl Fn(TcpStream) + Copy + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || treat(stream));
        }
    });
    url
}

fn answering(head: &'static str) -> String {
    collector(move |stream| {
        let mut to = stream.try_clone().unwrap();
        let mut from = BufReader::new(stream);
        while read_request(&mut from).is_some() {
            let _ = write!(to, "HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
        }
    })
}

/// Runs the demo against a collector, and returns the one line that the log has about it.
fn complaint(url: &str, variables: &[(&str, &str)]) -> String {
    let ended =
        Demo::start_with(&["--seconds", "3", "--rate", "500", "--json", "--otlp", url], variables).end();
    assert!(ended.status.success(), "{}", ended.trouble());
    let summary = ended.summary();
    assert_eq!(summary["requests_sent"], summary["scraped"]);
    assert_eq!((&summary["pushed"], &summary["equal"]), (&Value::Null, &json!(true)));
    assert!(!ended.trouble().contains("had no answer"), "{}", ended.trouble());
    let complaints: Vec<&String> =
        ended.stderr.iter().filter(|line| line.starts_with("metercast: error: ")).collect();
    assert_eq!(complaints.len(), 1, "{}", ended.trouble());
    let line = complaints[0];
    assert!(line.contains("exporter \"otlp\"") && line.contains(&format!("{url}/v1/metrics")), "{line}");
    line.clone()
}

#[test]
fn one_that_is_down() {
    let url = format!("http://{}", free_address());
    let line = complaint(&url, &[]);
    assert!(line.contains("connection refused"), "{line}");
}

#[test]
fn one_that_hangs() {
    let url = collector(|stream| {
        let mut from = BufReader::new(stream);
        // Reads, and never answers.
        while read_request(&mut from).is_some() {}
    });
    complaint(&url, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]);
}

#[test]
fn one_that_does_not_know_us() {
    let line = complaint(&answering("401 Unauthorized"), &[]);
    assert!(line.contains("401"), "{line}");
}

#[test]
fn one_that_is_broken() {
    let line = complaint(&answering("500 Internal Server Error"), &[]);
    assert!(line.contains("500"), "{line}");
}
