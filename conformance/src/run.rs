//! A case from end to end: recorded into a store, scraped over HTTP, pushed over HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use metercast::config::{Config, Otlp, Prometheus};
use metercast::{Log, Store, Telemetry};

use crate::Given;
use crate::otlp;

/// What came out of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The page.
    pub prometheus: String,
    /// The pushed message in lines.
    pub otlp: String,
    /// What was said, a line each.
    pub log: String,
}

/// Records what a case gives into a store of its own, and exports it both ways.
///
/// # Panics
///
/// If anything on the way fails.
pub fn run(given: &Given) -> Outcome {
    let store = Store::new();
    store.scope(|| given.record());

    let receiver = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", receiver.local_addr().expect("bound"));
    let received = thread::spawn(move || receive(&receiver));
    let said = Arc::new(Mutex::new(String::new()));
    let log = Log::to({
        let said = Arc::clone(&said);
        move |level, line| {
            // The start-up line names ports, which differ from run to run.
            if level != metercast::log::Level::Info {
                *said.lock().expect("no panic") += &format!("{level}: {line}\n");
            }
        }
    });
    let config = Config::builder()
        .environment(false)
        .exporter("scrape", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", Otlp::to(&endpoint))
        .build()
        .expect("a valid configuration");
    let telemetry = Telemetry::builder(config).store(store).log(log).start().expect("exporters start");
    let address = telemetry.scrape_address().expect("a listener");
    let page = get(&address.to_string());
    let again = get(&address.to_string());
    assert_eq!(page, again, "two scrapes of an unchanged store are the same bytes");
    telemetry.shutdown().expect("the final push");
    let otlp = otlp::lines(&received.join().expect("a push"));
    let log = said.lock().expect("no panic").clone();
    Outcome { prometheus: page, otlp, log }
}

/// The body of an answer to `GET /metrics`.
fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the listener accepts");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    body.to_owned()
}

/// The body of the first request, answered with 200.
fn receive(listener: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().expect("a push");
    let mut request = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut buffer).expect("a request");
        request.extend_from_slice(&buffer[..read]);
        let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
        assert!(head.starts_with("post /v1/metrics http/1.1"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).expect("a length");
        let length: usize = length.trim().parse().expect("a length");
        if request.len() >= end + 4 + length {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("answered");
            return request[end + 4..].to_vec();
        }
    }
}
