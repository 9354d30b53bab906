//! A collector that keeps what it is told, as OTLP's own types have it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use conformance::authority::Authority;
use conformance::http::{self, Answer, Request};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point};
use prost::Message;

use super::grpc;

/// A collector.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) at: Instant,
    pub(crate) head: String,
    /// What it was answered with.
    pub(crate) status: u16,
    pub(crate) message: ExportMetricsServiceRequest,
}

/// What a metric is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: &'static str,
    pub(crate) unit: String,
    pub(crate) is_delta: bool,
    pub(crate) is_monotonic: bool,
    pub(crate) description: String,
}

impl Got {
    /// Whether a metric of this name is in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        let scopes = self.message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        scopes.flat_map(|scope| &scope.metrics).any(|metric| metric.name == name)
    }
}

impl Collector {
    /// One that takes everything.
    pub(crate) fn new() -> Collector {
        let (got, answers) = (Arc::<Mutex<Vec<Got>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (kept, next) = (Arc::clone(&got), Arc::clone(&answers));
        let url = http::serve(move |Request { head, body, .. }| {
            let message = decoded(&body, head.contains("content-encoding: gzip"));
            let mut answers = next.lock().unwrap_or_else(PoisonError::into_inner);
            let (status, headers) = if answers.is_empty() { (200, "") } else { answers.remove(0) };
            let got = Got { at: Instant::now(), head, status, message };
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(got);
            Answer::status(status, headers)
        });
        Collector { url, got, answers }
    }

    /// One that takes everything by gRPC, encrypted.
    pub(crate) fn encrypted() -> (Collector, Authority) {
        let got = Arc::<Mutex<Vec<Got>>>::default();
        let kept = Arc::clone(&got);
        let (url, authority) = grpc::serve(move |head, body, is_packed| {
            let got = Got { at: Instant::now(), head, status: 200, message: decoded(body, is_packed) };
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(got);
        });
        (Collector { url, got, answers: Arc::default() }, authority)
    }

    /// Answers the next requests so: status and headers.
    pub(crate) fn answer_with(&self, answers: &[(u16, &'static str)]) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(answers);
    }

    /// All requests.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All points of all requests that were taken, by the names of their metrics.
    fn metrics(&self) -> Vec<Metric> {
        let taken = self.got().into_iter().filter(|got| got.status == 200);
        let resources = taken.flat_map(|got| got.message.resource_metrics);
        resources.flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics).collect()
    }

    /// The names of all metrics that ever came.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.metrics().into_iter().map(|metric| metric.name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What a metric is, in the request that had it last.
    pub(crate) fn shape(&self, name: &str) -> Option<Shape> {
        let metric = self.metrics().into_iter().rev().find(|metric| metric.name == name)?;
        let (kind, temporality, is_monotonic) = match metric.data? {
            Data::Sum(sum) => ("sum", sum.aggregation_temporality, sum.is_monotonic),
            Data::Histogram(histogram) => ("histogram", histogram.aggregation_temporality, false),
            Data::Gauge(_) => ("gauge", 0, false),
            _ => ("other", 0, false),
        };
        let (unit, description) = (metric.unit, metric.description);
        Some(Shape { kind, unit, is_delta: temporality == 1, is_monotonic, description })
    }

    /// The name of the scope that had a metric last.
    pub(crate) fn scope(&self, name: &str) -> Option<String> {
        let got = self.got();
        let resources = got.iter().rev().flat_map(|got| &got.message.resource_metrics);
        let mut scopes = resources.flat_map(|resource| &resource.scope_metrics);
        let scope = scopes.find(|scope| scope.metrics.iter().any(|metric| metric.name == name))?;
        scope.scope.as_ref().map(|scope| scope.name.clone())
    }

    /// What the series with these labels add up to: of deltas and counts of histograms all, of others the last value.
    pub(crate) fn total(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let mut deltas = 0.0;
        let mut last = BTreeMap::new();
        for metric in self.metrics().into_iter().filter(|metric| metric.name == name) {
            let mut add = |attributes: &[KeyValue], value: f64, is_delta: bool| {
                let of = labels_of(attributes);
                if !labels.iter().all(|(key, value)| of.get(*key).is_some_and(|found| found == value)) {
                    return;
                }
                if is_delta {
                    deltas += value;
                } else {
                    last.insert(of, value);
                }
            };
            match metric.data {
                Some(Data::Sum(sum)) => {
                    for point in sum.data_points {
                        add(&point.attributes, number(point.value), sum.aggregation_temporality == 1);
                    }
                }
                Some(Data::Gauge(gauge)) => {
                    for point in gauge.data_points {
                        add(&point.attributes, number(point.value), false);
                    }
                }
                Some(Data::Histogram(histogram)) => {
                    for point in histogram.data_points {
                        let is_delta = histogram.aggregation_temporality == 1;
                        add(&point.attributes, point.count as f64, is_delta);
                    }
                }
                _ => {}
            }
        }
        deltas + last.values().sum::<f64>()
    }

    /// The keys of the attributes of the points that a metric had last, sorted.
    pub(crate) fn keys(&self, name: &str) -> Vec<String> {
        let metric = self.metrics().into_iter().rev().find(|metric| metric.name == name);
        let points: Vec<Vec<KeyValue>> = match metric.and_then(|metric| metric.data) {
            Some(Data::Sum(sum)) => sum.data_points.into_iter().map(|point| point.attributes).collect(),
            Some(Data::Histogram(histogram)) => {
                histogram.data_points.into_iter().map(|point| point.attributes).collect()
            }
            _ => Vec::new(),
        };
        let keys: BTreeSet<String> = points.into_iter().flatten().map(|attribute| attribute.key).collect();
        keys.into_iter().collect()
    }

    /// The bounds that a histogram had last.
    pub(crate) fn bounds(&self, name: &str) -> Vec<f64> {
        let metrics = self.metrics();
        let histograms = metrics.iter().rev().filter(|metric| metric.name == name);
        let points = histograms.filter_map(|metric| match &metric.data {
            Some(Data::Histogram(histogram)) => histogram.data_points.last(),
            _ => None,
        });
        points.map(|point| point.explicit_bounds.clone()).next().unwrap_or_default()
    }

    /// The start of the last point of a sum.
    pub(crate) fn started(&self, name: &str) -> Option<u64> {
        let metrics = self.metrics();
        let sums = metrics.iter().rev().filter(|metric| metric.name == name);
        sums.filter_map(|metric| match &metric.data {
            Some(Data::Sum(sum)) => sum.data_points.last().map(|point| point.start_time_unix_nano),
            _ => None,
        })
        .next()
    }

    /// An attribute of the resource of the last request.
    pub(crate) fn resource(&self, key: &str) -> Option<String> {
        let got = self.got();
        let resource = got.last()?.message.resource_metrics.first()?.resource.clone()?;
        labels_of(&resource.attributes).remove(key)
    }
}

fn decoded(body: &[u8], is_packed: bool) -> ExportMetricsServiceRequest {
    let mut plain = Vec::new();
    if is_packed {
        GzDecoder::new(body).read_to_end(&mut plain).expect("gzip");
    } else {
        plain.extend_from_slice(body);
    }
    ExportMetricsServiceRequest::decode(&*plain).expect("an OTLP message")
}

fn labels_of(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(truth)) => truth.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn number(value: Option<number_data_point::Value>) -> f64 {
    match value {
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        Some(number_data_point::Value::AsDouble(value)) => value,
        None => 0.0,
    }
}
