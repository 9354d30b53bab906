//! What metrics that were pushed come to: of deltas the sum, of everything else the last value.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, NumberDataPoint, number_data_point};

use crate::Labels;
use crate::collector::texts;

/// The number of the protocol.
const DELTA: i32 = 1;

/// What was pushed, by who did. Who is the path before `/v1/metrics`, without slashes: `http://host:port/router` pushes as `router`.
#[derive(Debug, Default)]
pub struct Pushed {
    by_sender: BTreeMap<String, Sender>,
}

#[derive(Debug, Default)]
struct Sender {
    requests: usize,
    /// Who does not know whether a message arrived sends the same bytes again, which count once.
    seen: HashSet<u64>,
    values: BTreeMap<(String, Labels), f64>,
    distributions: BTreeMap<(String, Labels), Distribution>,
}

/// What is known of a histogram's series.
#[derive(Clone, Debug, Default)]
struct Distribution {
    bounds: Vec<f64>,
    /// One more than there are bounds.
    counts: Vec<u64>,
    sum: f64,
}

impl Pushed {
    /// Takes a request to this path, which came as these bytes.
    pub(crate) fn add(&mut self, path: &str, bytes: &[u8], request: &ExportMetricsServiceRequest) {
        let who = path.trim_end_matches("/v1/metrics").trim_matches('/');
        let sender = self.by_sender.entry(who.to_owned()).or_default();
        sender.requests += 1;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        if !sender.seen.insert(hasher.finish()) {
            return;
        }
        let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            match &metric.data {
                Some(Data::Sum(sum)) => {
                    let is_delta = sum.aggregation_temporality == DELTA;
                    for point in &sum.data_points {
                        sender.put(&metric.name, texts(&point.attributes), number(point), is_delta);
                    }
                }
                Some(Data::Gauge(gauge)) => {
                    for point in &gauge.data_points {
                        sender.put(&metric.name, texts(&point.attributes), number(point), false);
                    }
                }
                Some(Data::Histogram(histogram)) => {
                    let is_delta = histogram.aggregation_temporality == DELTA;
                    for point in &histogram.data_points {
                        sender.put(&metric.name, texts(&point.attributes), point.count as f64, is_delta);
                        sender.distribute(&metric.name, point, is_delta);
                    }
                }
                _ => {}
            }
        }
    }

    /// How many requests there were, those counted that came again.
    pub fn requests(&self, who: &str) -> usize {
        self.by_sender.get(who).map_or(0, |sender| sender.requests)
    }

    /// The sum over the series of a metric that have these labels; of a histogram, how many values it has. `None` if there is no such series.
    pub fn sum(&self, who: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let values: Vec<f64> = self
            .series(who)
            .filter(|(found, of, _)| {
                *found == name
                    && labels.iter().all(|(key, value)| of.get(*key).is_some_and(|found| found == value))
            })
            .map(|(.., value)| value)
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// All series of who pushes: name, labels and value.
    pub fn series(&self, who: &str) -> impl Iterator<Item = (&str, &Labels, f64)> {
        let values = self.by_sender.get(who).map(|sender| &sender.values);
        values.into_iter().flatten().map(|((name, labels), value)| (name.as_str(), labels, *value))
    }

    /// All of who pushes as a page, as a collector has one: the metrics that have a name there. Labels have underscores for dots.
    pub fn page(&self, who: &str, names: &BTreeMap<String, String>) -> String {
        let Some(sender) = self.by_sender.get(who) else { return String::new() };
        let mut page = String::new();
        for (key @ (declared, labels), value) in &sender.values {
            let Some(name) = names.get(declared) else { continue };
            let Some(Distribution { bounds, counts, sum }) = sender.distributions.get(key) else {
                put_line(&mut page, name, labels, None, *value);
                continue;
            };
            let (mut below, buckets) = (0, format!("{name}_bucket"));
            let bounds = bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (bound, count) in bounds.zip(counts) {
                below += count;
                put_line(&mut page, &buckets, labels, Some(&bound), below as f64);
            }
            put_line(&mut page, &format!("{name}_sum"), labels, None, *sum);
            put_line(&mut page, &format!("{name}_count"), labels, None, *value);
        }
        page
    }
}

fn put_line(page: &mut String, name: &str, labels: &Labels, bound: Option<&str>, value: f64) {
    let label = |(key, value): (&String, &String)| format!("{}={value:?}", key.replace('.', "_"));
    let all: Vec<String> =
        labels.iter().map(label).chain(bound.map(|bound| format!("le=\"{bound}\""))).collect();
    let _ = writeln!(page, "{name}{{{}}} {value}", all.join(","));
}

impl Sender {
    fn put(&mut self, name: &str, labels: Labels, value: f64, is_delta: bool) {
        let total = self.values.entry((name.to_owned(), labels)).or_default();
        *total = if is_delta { *total + value } else { value };
    }

    fn distribute(&mut self, name: &str, point: &HistogramDataPoint, is_delta: bool) {
        let key = (name.to_owned(), texts(&point.attributes));
        let known = self.distributions.entry(key).or_default();
        let sum = point.sum.unwrap_or_default();
        let adds = is_delta && known.bounds == point.explicit_bounds;
        let before = if adds { std::mem::take(known) } else { Distribution::default() };
        known.bounds.clone_from(&point.explicit_bounds);
        let counts = point.bucket_counts.iter().enumerate();
        known.counts =
            counts.map(|(at, count)| count + before.counts.get(at).copied().unwrap_or_default()).collect();
        known.sum = sum + before.sum;
    }
}

fn number(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        Some(number_data_point::Value::AsDouble(value)) => value,
        None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::metrics::v1::{Histogram, Metric, ResourceMetrics, ScopeMetrics, Sum};

    use super::*;

    fn message(value: i64, aggregation_temporality: i32) -> ExportMetricsServiceRequest {
        let value = Some(number_data_point::Value::AsInt(value));
        let data_points = vec![NumberDataPoint { value, ..NumberDataPoint::default() }];
        let sum = Sum { data_points, aggregation_temporality, is_monotonic: true };
        let metric = Metric { name: "n".to_owned(), data: Some(Data::Sum(sum)), ..Metric::default() };
        let scope = ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() };
        let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
        ExportMetricsServiceRequest { resource_metrics: vec![resource] }
    }

    #[test]
    fn deltas_add_up_and_what_comes_again_counts_once() {
        let mut pushed = Pushed::default();
        pushed.add("/a/v1/metrics", b"1", &message(3, DELTA));
        pushed.add("/a/v1/metrics", b"2", &message(4, DELTA));
        pushed.add("/a/v1/metrics", b"2", &message(4, DELTA));
        pushed.add("/b/v1/metrics", b"1", &message(3, 2));
        pushed.add("/b/v1/metrics", b"2", &message(4, 2));
        assert_eq!((pushed.sum("a", "n", &[]), pushed.sum("b", "n", &[])), (Some(7.0), Some(4.0)));
        assert_eq!((pushed.requests("a"), pushed.sum("a", "m", &[])), (3, None));
        assert_eq!(pushed.sum("a", "n", &[("k", "v")]), None);
    }

    #[test]
    fn what_was_pushed_is_a_page_under_the_names_of_one() {
        let mut pushed = Pushed::default();
        pushed.add("/a/v1/metrics", b"1", &message(3, 2));
        let data_points = vec![HistogramDataPoint {
            count: 3,
            sum: Some(4.5),
            explicit_bounds: vec![0.5, 1.0],
            bucket_counts: vec![1, 0, 2],
            ..HistogramDataPoint::default()
        }];
        for bytes in [b"2", b"3"] {
            let histogram = Histogram { data_points: data_points.clone(), aggregation_temporality: DELTA };
            let metric = Metric {
                name: "h.d".to_owned(),
                data: Some(Data::Histogram(histogram)),
                ..Metric::default()
            };
            let scope = ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() };
            let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
            pushed.add(
                "/a/v1/metrics",
                bytes,
                &ExportMetricsServiceRequest { resource_metrics: vec![resource] },
            );
        }
        let names = [("n".to_owned(), "n_total".to_owned()), ("h.d".to_owned(), "h_d".to_owned())];
        let expected = "h_d_bucket{le=\"0.5\"} 2\nh_d_bucket{le=\"1\"} 2\nh_d_bucket{le=\"+Inf\"} 6\nh_d_sum{} 9\nh_d_count{} 6\nn_total{} 3\n";
        assert_eq!(pushed.page("a", &names.into_iter().collect()), expected);
        assert_eq!(pushed.page("a", &BTreeMap::new()), "", "what has no name is on no page");
    }
}
