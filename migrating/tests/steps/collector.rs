//! A receiver of OTLP over HTTP, which keeps what was pushed last.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use prost::Message;

/// Listens on a port of its own.
pub(crate) struct Collector {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<String>,
}

impl Collector {
    pub(crate) fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut last = String::new();
            for connection in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                if let Some(request) = take(connection.unwrap()) {
                    last = points(&request);
                }
            }
            last
        });
        Collector { address, is_over, thread }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was pushed last.
    pub(crate) fn stop(self) -> String {
        self.is_over.store(true, Ordering::SeqCst);
        // So that the listener wakes.
        let _ = TcpStream::connect(self.address);
        self.thread.join().unwrap()
    }
}

/// One request, answered; `None` if it is none.
fn take(connection: TcpStream) -> Option<ExportMetricsServiceRequest> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    for line in reader.by_ref().lines() {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    reader.into_inner().write_all(answer.as_bytes()).ok()?;
    ExportMetricsServiceRequest::decode(&*body).ok()
}

/// Every point on a line: scope, name, unit, labels and value; without the times.
fn points(request: &ExportMetricsServiceRequest) -> String {
    let mut lines = Vec::new();
    for scope in request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics) {
        let library = scope.scope.as_ref().map_or("", |scope| &scope.name);
        for metric in &scope.metrics {
            let mut line = |labels: &[KeyValue], value: String| {
                let unit =
                    if metric.unit.is_empty() { String::new() } else { format!(" in {}", metric.unit) };
                lines.push(format!("{library}: {}{}{unit} = {value}", metric.name, text(labels)));
            };
            let number = |value: Option<number_data_point::Value>| match value {
                Some(number_data_point::Value::AsInt(value)) => value.to_string(),
                Some(number_data_point::Value::AsDouble(value)) => format!("{value:?}"),
                None => "nothing".to_owned(),
            };
            match metric.data.as_ref().expect("a metric has data") {
                Data::Sum(sum) => {
                    let kind = if sum.is_monotonic { "counter" } else { "up-down counter" };
                    for point in &sum.data_points {
                        line(&point.attributes, format!("{} ({kind})", number(point.value)));
                    }
                }
                Data::Gauge(gauge) => {
                    for point in &gauge.data_points {
                        line(&point.attributes, format!("{} (gauge)", number(point.value)));
                    }
                }
                Data::Histogram(histogram) => {
                    for point in &histogram.data_points {
                        let (counts, bounds) = (&point.bucket_counts, &point.explicit_bounds);
                        let sum = point.sum.unwrap_or_default();
                        line(&point.attributes, format!("{counts:?} in {bounds:?}, sum {sum:?} (histogram)"));
                    }
                }
                Data::Summary(summary) => {
                    for point in &summary.data_points {
                        line(
                            &point.attributes,
                            format!("{} values, sum {:?} (summary)", point.count, point.sum),
                        );
                    }
                }
                Data::ExponentialHistogram(_) => panic!("no step has one"),
            }
        }
    }
    lines.sort();
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

fn text(labels: &[KeyValue]) -> String {
    let labels =
        labels.iter().map(|label| match label.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(value)) => format!("{}={value:?}", label.key),
            other => format!("{}={other:?}", label.key),
        });
    let labels: Vec<String> = labels.collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}
