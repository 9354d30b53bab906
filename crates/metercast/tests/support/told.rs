//! What receivers were told: messages and pages as samples that can be compared.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as Side;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
};

/// Name and labels, these sorted.
pub(crate) type Key = (String, Vec<(String, String)>);

/// What is known of one series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sample {
    Number(f64),
    /// A count for each bound, and one above.
    Buckets {
        bounds: Vec<f64>,
        counts: Vec<u64>,
        sum: f64,
    },
    /// Each bucket above zero by its index.
    Exponential {
        scale: i32,
        zeroes: u64,
        counts: BTreeMap<i32, u64>,
        sum: f64,
    },
}

/// The series of a receiver.
pub(crate) type Samples = BTreeMap<Key, Sample>;

/// A receiver that adds deltas up, and takes totals for what they are.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) samples: Samples,
    /// Until when each series was told as deltas.
    until: BTreeMap<Key, u64>,
}

impl Told {
    pub(crate) fn hear(&mut self, message: &ExportMetricsServiceRequest) {
        let scopes = message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            self.metric(metric);
        }
    }

    fn metric(&mut self, metric: &Metric) {
        let delta = AggregationTemporality::Delta as i32;
        match metric.data.as_ref().unwrap() {
            Data::Gauge(gauge) => {
                for point in &gauge.data_points {
                    self.take(key(metric, &point.attributes), number(point), None);
                }
            }
            Data::Sum(sum) => {
                for point in &sum.data_points {
                    let times = (point.start_time_unix_nano, point.time_unix_nano);
                    let times = (sum.aggregation_temporality == delta).then_some(times);
                    self.take(key(metric, &point.attributes), number(point), times);
                }
            }
            Data::Histogram(histogram) => {
                for point in &histogram.data_points {
                    let times = (point.start_time_unix_nano, point.time_unix_nano);
                    let times = (histogram.aggregation_temporality == delta).then_some(times);
                    self.take(key(metric, &point.attributes), buckets(point), times);
                }
            }
            Data::ExponentialHistogram(histogram) => {
                for point in &histogram.data_points {
                    let times = (point.start_time_unix_nano, point.time_unix_nano);
                    let times = (histogram.aggregation_temporality == delta).then_some(times);
                    self.take(key(metric, &point.attributes), exponential(point), times);
                }
            }
            other @ Data::Summary(_) => panic!("{other:?}"),
        }
    }

    fn take(&mut self, key: Key, sample: Sample, delta: Option<(u64, u64)>) {
        let Some((start, time)) = delta else {
            self.samples.insert(key, sample);
            return;
        };
        let until = self.until.entry(key.clone()).or_default();
        assert!(*until <= start && start <= time, "{key:?}: {start} to {time}, after {until}");
        *until = time;
        match self.samples.get_mut(&key) {
            Some(there) => there.add(sample, &key),
            None => drop(self.samples.insert(key, sample)),
        }
    }
}

impl Sample {
    fn add(&mut self, delta: Sample, key: &Key) {
        match (self, delta) {
            (Sample::Number(all), Sample::Number(more)) => *all += more,
            (
                Sample::Buckets { bounds, counts, sum },
                Sample::Buckets { bounds: same, counts: more, sum: more_sum },
            ) => {
                assert_eq!(*bounds, same, "{key:?}");
                counts.iter_mut().zip(more).for_each(|(all, more)| *all += more);
                *sum += more_sum;
            }
            (
                Sample::Exponential { scale, zeroes, counts, sum },
                Sample::Exponential { scale: other, zeroes: more_zeroes, counts: more, sum: more_sum },
            ) => {
                let lowest = other.min(*scale);
                let mut all = BTreeMap::new();
                let here =
                    std::mem::take(counts).into_iter().map(|(at, count)| (at >> (*scale - lowest), count));
                for (at, count) in
                    here.chain(more.into_iter().map(|(at, count)| (at >> (other - lowest), count)))
                {
                    *all.entry(at).or_default() += count;
                }
                (*scale, *counts) = (lowest, all);
                *zeroes += more_zeroes;
                *sum += more_sum;
            }
            (all, more) => panic!("{key:?}: {all:?} and {more:?}"),
        }
    }
}

fn key(metric: &Metric, attributes: &[KeyValue]) -> Key {
    let mut labels: Vec<_> =
        attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute.value.as_ref()))).collect();
    labels.sort();
    (metric.name.clone(), labels)
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(number)) => number.to_string(),
        Some(Any::BoolValue(yes)) => yes.to_string(),
        other => panic!("{other:?}"),
    }
}

fn number(point: &NumberDataPoint) -> Sample {
    Sample::Number(match point.value {
        Some(Value::AsInt(value)) => value as f64,
        Some(Value::AsDouble(value)) => value,
        None => panic!("{point:?}"),
    })
}

fn buckets(point: &HistogramDataPoint) -> Sample {
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count, "{point:?}");
    Sample::Buckets {
        bounds: point.explicit_bounds.clone(),
        counts: point.bucket_counts.clone(),
        sum: point.sum.unwrap(),
    }
}

fn exponential(point: &ExponentialHistogramDataPoint) -> Sample {
    assert!(point.negative.as_ref().is_none_or(|side| side.bucket_counts.iter().all(|count| *count == 0)));
    let counts: BTreeMap<i32, u64> = point
        .positive
        .iter()
        .flat_map(|Side { offset, bucket_counts }| (*offset..).zip(bucket_counts.iter().copied()))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(counts.values().sum::<u64>() + point.zero_count, point.count, "{point:?}");
    Sample::Exponential { scale: point.scale, zeroes: point.zero_count, counts, sum: point.sum.unwrap() }
}

/// The samples of a page whose label values have no character that is escaped. Its names are those of Prometheus.
pub(crate) fn page(page: &str) -> Samples {
    let mut samples = Samples::new();
    let mut histograms = Vec::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" histogram")) {
            histograms.push(name);
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels: Vec<(String, String)> = labels
            .trim_end_matches('}')
            .split_terminator(',')
            .map(|label| label.split_once('=').unwrap())
            .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        labels.sort();
        let part = histograms.iter().find_map(|base| Some((*base, name.strip_prefix(base)?)));
        match part {
            Some((base, part @ ("_bucket" | "_sum" | "_count"))) => {
                let le = labels.iter().position(|(key, _)| key == "le").map(|at| labels.remove(at).1);
                let key = (base.to_owned(), labels);
                let new = || Sample::Buckets { bounds: Vec::new(), counts: Vec::new(), sum: 0.0 };
                let Sample::Buckets { bounds, counts, sum } = samples.entry(key).or_insert_with(new) else {
                    panic!("{line}")
                };
                match (part, le) {
                    ("_bucket", Some(le)) => {
                        let below: u64 = counts.iter().sum();
                        counts.push(value as u64 - below);
                        if le != "+Inf" {
                            bounds.push(le.parse().unwrap());
                        }
                    }
                    ("_sum", None) => *sum = value,
                    _ => assert_eq!(counts.iter().sum::<u64>(), value as u64, "{line}"),
                }
            }
            _ => assert_eq!(samples.insert((name.to_owned(), labels), Sample::Number(value)), None, "{line}"),
        }
    }
    samples
}
