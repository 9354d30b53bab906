//! What tests of running exporters share: a scraper, a receiver, a log that can be read.
#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use metercast::Log;
use metercast::log::Level;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message;

/// The status line and body of an answer.
pub(crate) fn request(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The page.
pub(crate) fn scrape(address: SocketAddr) -> String {
    let (head, body) = request(address, "GET", "/metrics");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body
}

/// The value of the line that begins with `sample`, which is a name and labels.
pub(crate) fn value(page: &str, sample: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

/// Answers every push with 200, and hands on what it reads.
pub(crate) struct Receiver {
    pub(crate) endpoint: String,
    pub(crate) messages: mpsc::Receiver<ExportMetricsServiceRequest>,
}

impl Receiver {
    pub(crate) fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                thread::spawn(move || receive(stream.unwrap(), &sender));
            }
        });
        Receiver { endpoint, messages }
    }
}

fn receive(mut stream: TcpStream, sender: &mpsc::Sender<ExportMetricsServiceRequest>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
        while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
            let whole = end + 4 + length.trim().parse::<usize>().unwrap();
            if bytes.len() < whole {
                break;
            }
            let message = ExportMetricsServiceRequest::decode(&bytes[end + 4..whole]).unwrap();
            bytes.drain(..whole);
            let gone = sender.send(message).is_err();
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() || gone {
                return;
            }
        }
    }
}

/// The whole-number points of a metric: attribute values joined, and the value.
pub(crate) fn points(message: &ExportMetricsServiceRequest, metric: &str) -> Vec<(String, i64)> {
    let metrics =
        message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|s| &s.metrics);
    let Some(metric) = metrics.into_iter().find(|m| m.name == metric) else { return Vec::new() };
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    sum.data_points
        .iter()
        .map(|point| {
            let Some(Value::AsInt(value)) = point.value else { panic!("{point:?}") };
            let labels: Vec<String> = point
                .attributes
                .iter()
                .map(|attribute| format!("{:?}", attribute.value.as_ref().unwrap().value.as_ref().unwrap()))
                .collect();
            (labels.join(","), value)
        })
        .collect()
}

/// What was logged.
pub(crate) type Lines = Arc<Mutex<Vec<(Level, String)>>>;

/// A log, and the lines that went into it.
pub(crate) fn log() -> (Log, Lines) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| lines.lock().unwrap().push((level, line.to_owned()))
    });
    (log, lines)
}
