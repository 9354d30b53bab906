//! What tests of running exporters share: a scraper, a receiver, a log that can be read.
#![allow(dead_code, unused_imports, reason = "not every test binary uses all of it")]

#[cfg(unix)]
pub(crate) mod child;
pub(crate) mod random;
mod receiver;
pub(crate) mod reload;
pub(crate) mod told;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use metercast::Log;
use metercast::log::Level;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
pub(crate) use receiver::{Receiver, Reply};

/// An address that nobody listens at, and nobody who asks for any port gets.
pub(crate) const NOBODY: &str = "127.0.0.1:1";

/// Whether tests are to take their time.
pub(crate) fn is_long() -> bool {
    std::env::var_os("METERCAST_LONG").is_some()
}

/// The status line and body of an answer.
pub(crate) fn request(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    request_for(address, method, path, "*/*")
}

/// The same to who accepts this.
pub(crate) fn request_for(address: SocketAddr, method: &str, path: &str, accept: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let headers = format!("Host: {address}\r\nAccept: {accept}\r\nConnection: close");
    write!(stream, "{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n").unwrap();
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

/// The whole numbers of a metric's points, and since when they count.
pub(crate) fn sums_and_starts(message: &ExportMetricsServiceRequest, metric: &str) -> Vec<(i64, u64)> {
    let metrics =
        message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|s| &s.metrics);
    let found = metrics.filter(|found| found.name == metric).flat_map(|found| match &found.data {
        Some(Data::Sum(sum)) => sum.data_points.as_slice(),
        other => panic!("{other:?}"),
    });
    let of = |value: &Option<Value>| match value {
        Some(Value::AsInt(value)) => *value,
        other => panic!("{other:?}"),
    };
    found.map(|point| (of(&point.value), point.start_time_unix_nano)).collect()
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
