//! A collector that speaks HTTP, over TLS if there is a certificate, and keeps what it is told, as OTLP's own types have it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU16, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, number_data_point};
use prost::Message;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Authority;

/// A collector.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Got>>>,
    connections: Arc<Mutex<usize>>,
    answer: Arc<AtomicU16>,
    refused: Arc<AtomicUsize>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    /// The first line and the headers, in small letters.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) message: ExportMetricsServiceRequest,
}

impl Collector {
    /// One that takes everything, on a free port.
    pub(crate) fn new(authority: Option<&Authority>) -> Collector {
        Collector::at("127.0.0.1:0", authority)
    }

    /// One that takes everything, at this address.
    pub(crate) fn at(address: &str, authority: Option<&Authority>) -> Collector {
        let listener = TcpListener::bind(address).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let tls = authority.map(|authority| authority.server(&[]));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let collector = Collector {
            url: format!("{scheme}://localhost:{port}"),
            got: Arc::default(),
            connections: Arc::default(),
            answer: Arc::new(AtomicU16::new(200)),
            refused: Arc::default(),
        };
        let all = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                *all.connections.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                let (all, tls) = (all.clone(), tls.clone());
                std::thread::spawn(move || all.converse(stream, tls));
            }
        });
        collector
    }

    fn converse(&self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Option<()> {
        match tls {
            None => self.take(stream),
            Some(tls) => self.take(StreamOwned::new(ServerConnection::new(tls).ok()?, stream)),
        }
    }

    /// Takes requests until whoever asks goes away, or does not trust us.
    fn take(&self, stream: impl Read + Write) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).ok()? == 0 {
                    return None;
                }
            }
            head.make_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
            let mut body = vec![0; length.trim().parse().ok()?];
            stream.read_exact(&mut body).ok()?;
            let message = ExportMetricsServiceRequest::decode(&*body).expect("OTLP");
            let status = self.answer.load(Relaxed);
            if status == 200 {
                self.got.lock().unwrap_or_else(PoisonError::into_inner).push(Got { head, body, message });
            } else {
                self.refused.fetch_add(1, Relaxed);
            }
            let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).ok()?;
        }
    }

    /// From now on answers with this status, and keeps nothing unless that is 200.
    pub(crate) fn answer(&self, status: u16) {
        self.answer.store(status, Relaxed);
    }

    /// How many requests were answered with another status than 200.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Relaxed)
    }

    /// All requests that were taken.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The values of each request, without those that are as in the request before, and without requests that have none.
    pub(crate) fn distinct(&self) -> Vec<Vec<String>> {
        let mut distinct: Vec<Vec<String>> =
            self.got().iter().map(Got::lines).filter(|lines| !lines.is_empty()).collect();
        distinct.dedup();
        distinct
    }

    /// How often anybody connected.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Got {
    /// All metrics.
    pub(crate) fn metrics(&self) -> Vec<&Metric> {
        let resources = self.message.resource_metrics.iter();
        resources.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics).collect()
    }

    /// Every value with its labels, spelled as a page has them, sorted.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.metrics().into_iter().flat_map(lines_of).collect();
        lines.sort();
        lines
    }

    /// The attributes of the resource.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        let resources = self.message.resource_metrics.iter().filter_map(|metrics| metrics.resource.as_ref());
        let attributes = resources.flat_map(|resource| &resource.attributes);
        attributes.map(|attribute| (attribute.key.clone(), text(attribute.value.as_ref()))).collect()
    }

    /// Whether a metric is `monotonic cumulative` and so on; `gauge` if it is none of these.
    pub(crate) fn kind(&self, name: &str) -> String {
        let metric = self.metrics().into_iter().find(|metric| metric.name == name);
        match metric.and_then(|metric| metric.data.as_ref()) {
            Some(Data::Sum(sum)) => {
                let monotonic = if sum.is_monotonic { "monotonic" } else { "up and down" };
                format!(
                    "{monotonic} {}",
                    if sum.aggregation_temporality == 2 { "cumulative" } else { "delta" }
                )
            }
            Some(Data::Gauge(_)) => "gauge".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

fn lines_of(metric: &Metric) -> Vec<String> {
    let points: &[NumberDataPoint] = match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        _ => &[],
    };
    let line = |point: &NumberDataPoint| {
        let labels: BTreeMap<&str, String> =
            point.attributes.iter().map(|label| (&*label.key, text(label.value.as_ref()))).collect();
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let value = match point.value {
            Some(number_data_point::Value::AsInt(value)) => value as f64,
            Some(number_data_point::Value::AsDouble(value)) => value,
            None => f64::NAN,
        };
        format!("{}{labels} {value}", metric.name)
    };
    points.iter().map(line).collect()
}

fn text(value: Option<&opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
