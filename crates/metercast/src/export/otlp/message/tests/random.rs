//! Random stores: what is decoded is what a snapshot says.

use std::collections::BTreeMap;

use metercast_core::{Definition, KeyValue, f64_gauge, metrics, u64_counter};
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, SummaryDataPoint, exponential_histogram_data_point,
};

use super::*;
use crate::snapshot::Series;

metrics! {
    /// Packed labels of every type.
    static PACKED: Counter<u64> = "random.packed" {
        labels: { text: &str, number: i64, "flag.is.up": bool, note: Option<&str> }
    };
    static NUMBERS: UpDownCounter<i64> = "random.numbers" { unit: "{number}", labels: { large: u64, small: i16 } };
    /// Keys just short enough to be prepared, just too long, and far too long.
    static KEYS: Gauge<f64> = "random.keys" {
        labels: {
            "a.key.of.as.many.as.26.abc": &str,
            "a.key.of.as.many.as.27.abcd": &str,
            "a.key.that.is.longer.than.what.is.usually.prepared.for.keys.and.that.makes.its.attribute.longer.than.127.bytes": bool
        }
    };
    static SHORT: Gauge<f64> = "random.short" { labels: { "a.key.of.as.many.as.26.abc": &str, b: &str } };
    static BUCKETS: Histogram<f64> = "random.buckets" { buckets: [0.0, 1.0, 5.5], labels: { text: &str, number: i64 } };
    static EXPONENTIAL: Histogram<f64> = "random.exponential" { exponential: true, labels: { number: i64 } };
    static SUMMARY: Summary<f64> = "random.summary" { quantiles: [0.5, 0.9], window_seconds: 60, labels: { text: &str } };
}

/// A deterministic stream of numbers.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ self.0 >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ mixed >> 33
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Of every size up to 64 bits.
    pub(super) fn number(&mut self) -> u64 {
        self.next() >> self.below(64)
    }

    pub(super) fn finite(&mut self) -> f64 {
        let value = f64::from_bits(self.next());
        if value.is_finite() { value / 1e10 } else { 0.5 }
    }

    /// Short as a rule.
    pub(super) fn text(&mut self) -> String {
        let length = match self.below(10) {
            0 => self.below(400),
            1 => self.below(40),
            _ => self.below(18),
        };
        (0..length).map(|_| ['a', 'Z', '"', '/', ' ', 'é', '\u{1f980}'][self.below(7) as usize]).collect()
    }

    pub(super) fn record(&mut self) {
        let (text, number) = (self.text(), self.number() as i64);
        match self.below(9) {
            0..=2 => {
                let note = self.text();
                let note = (self.below(2) == 0).then_some(&*note);
                PACKED.add(self.number() >> 8, (&text, number, self.below(2) == 0, note));
            }
            3 => NUMBERS.add(self.number() as i64 >> 8, (self.number(), self.next() as i16)),
            4 => {
                let ratio = self.finite();
                u64_counter!("random.ratio", "", 1, "ratio" => ratio, "number" => number);
                KEYS.set(self.finite(), (&text, &self.text(), true));
            }
            5 => SHORT.set(self.finite(), (&text, &self.text())),
            6 => BUCKETS.record(self.below(100) as f64 / 10.0, (&text, number % 3)),
            7 => {
                EXPONENTIAL.record(self.finite(), (number % 3,));
                SUMMARY.record(self.below(100) as f64, (&text,));
            }
            _ => {
                // Labels of as many keys, types and lengths as anybody likes.
                let labels = (0..self.below(7)).map(|_| {
                    let key = ["a", "b", "much.longer.key", "d", "e"][self.below(5) as usize];
                    match self.below(4) {
                        0 => KeyValue::new(key, self.text()),
                        1 => KeyValue::new(key, self.number()),
                        2 => KeyValue::new(key, self.finite()),
                        _ => KeyValue::new(key, self.below(2) == 0),
                    }
                });
                let labels: Vec<_> = labels.collect();
                u64_counter!("random.wide", "", self.number() >> 8, labels.clone());
                f64_gauge!("random.wide.value", "", self.finite(), labels);
            }
        }
    }
}

#[test]
fn whatever_was_recorded_is_what_is_decoded() {
    let mut random = Random(2026);
    for round in 0..40 {
        let store = Store::new();
        let mut message = OtlpMessage::new(&[("service.name".to_owned(), "random".into())]);
        let mut out = Vec::new();
        for records in [0, 1, 20, random.below(300), 5] {
            store.scope(|| (0..records).for_each(|_| random.record()));
            let snapshot = Snapshot::of(&store);
            out.clear();
            let points = message.encode_at(snapshot.time, &store, &mut out);
            assert_eq!(points, snapshot.points(), "round {round}");
            if points == 0 {
                assert!(out.is_empty());
                continue;
            }
            let request = decoded(&out);
            assert_eq!(sorted(metrics_of(&request)), expected(&snapshot), "round {round}");
        }
    }
}

/// The points of each metric, sorted, and so are the attributes of each: their order says nothing.
pub(super) type Points = BTreeMap<String, Vec<String>>;

/// What `Debug` writes is what is compared: bits of doubles too, but for those of NaN.
pub(super) fn sorted<'a>(metrics: impl Iterator<Item = &'a Metric>) -> Points {
    let mut all = Points::new();
    for metric in metrics {
        let mut points: Vec<String> = match metric.data.clone().unwrap() {
            Data::Gauge(gauge) => lines("gauge", gauge.data_points, |point| &mut point.attributes),
            Data::Sum(sum) => {
                assert_eq!(sum.aggregation_temporality, 2);
                let data = if sum.is_monotonic { "counter" } else { "sum" };
                lines(data, sum.data_points, |point| &mut point.attributes)
            }
            Data::Histogram(histogram) => {
                lines("histogram", histogram.data_points, |point| &mut point.attributes)
            }
            Data::ExponentialHistogram(histogram) => {
                lines("exponential", histogram.data_points, |point| &mut point.attributes)
            }
            Data::Summary(summary) => lines("summary", summary.data_points, |point| &mut point.attributes),
        };
        points.sort();
        assert!(all.insert(metric.name.clone(), points).is_none(), "{} is there twice", metric.name);
    }
    all
}

fn lines<P: std::fmt::Debug>(
    data: &str,
    points: Vec<P>,
    attributes: fn(&mut P) -> &mut Vec<common::KeyValue>,
) -> Vec<String> {
    let line = |mut point: P| {
        attributes(&mut point).sort_by(|a, b| a.key.cmp(&b.key));
        format!("{data} {point:?}")
    };
    points.into_iter().map(line).collect()
}

fn expected(snapshot: &Snapshot) -> Points {
    let of_family = |family: &crate::snapshot::Family| {
        let definition = &family.definition;
        let point = |series: &Series| expected_point(definition, series, snapshot.time);
        let mut points: Vec<String> = family.series.iter().map(point).collect();
        points.sort();
        (definition.name().to_owned(), points)
    };
    snapshot.families.iter().map(of_family).collect()
}

fn expected_point(definition: &Definition, series: &Series, time: SystemTime) -> String {
    let attributes = series.labels.iter().map(|(key, value)| pair(key, any(value))).collect();
    let start_time_unix_nano = unix_nanoseconds(series.started);
    let time_unix_nano = unix_nanoseconds(time.max(series.started));
    let number = |value| {
        let data = match definition.kind() {
            metercast_core::Kind::Counter => "counter",
            metercast_core::Kind::UpDownCounter => "sum",
            _ => "gauge",
        };
        let value = Some(value);
        let attributes = Vec::clone(&attributes);
        let point =
            NumberDataPoint { attributes, start_time_unix_nano, time_unix_nano, value, ..Default::default() };
        format!("{data} {point:?}")
    };
    match &series.point {
        Point::U64(value) => {
            let whole = i64::try_from(*value).map(NumberValue::AsInt);
            number(whole.unwrap_or(NumberValue::AsDouble(*value as f64)))
        }
        Point::I64(value) => number(NumberValue::AsInt(*value)),
        Point::F64(value) => number(NumberValue::AsDouble(*value)),
        Point::Histogram(buckets) => {
            let point = HistogramDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count: buckets.count(),
                sum: Some(buckets.sum),
                bucket_counts: buckets.counts.clone(),
                explicit_bounds: buckets.bounds.to_vec(),
                ..Default::default()
            };
            format!("histogram {point:?}")
        }
        Point::Exponential(value) => {
            let buckets = |buckets: &metercast_core::reading::ExponentialBuckets| {
                let bucket_counts = buckets.counts.clone();
                let offset = buckets.offset;
                (!bucket_counts.is_empty())
                    .then_some(exponential_histogram_data_point::Buckets { offset, bucket_counts })
            };
            let point = ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count: value.count(),
                sum: Some(value.sum).filter(|sum| *sum >= 0.0 && value.negative.counts.is_empty()),
                scale: value.scale,
                zero_count: value.zero_count,
                positive: buckets(&value.positive),
                negative: buckets(&value.negative),
                min: value.min,
                max: value.max,
                ..Default::default()
            };
            format!("exponential {point:?}")
        }
        Point::Summary(summary) => {
            let quantile_values =
                summary.quantiles.iter().map(|&(quantile, value)| ValueAtQuantile { quantile, value });
            let point = SummaryDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count: summary.count,
                sum: summary.sum,
                quantile_values: quantile_values.collect(),
                ..Default::default()
            };
            format!("summary {point:?}")
        }
        other => panic!("{other:?}"),
    }
}

fn any(value: &Value) -> AnyValue {
    match value {
        Value::String(value) => text(value),
        Value::Bool(value) => AnyValue::BoolValue(*value),
        Value::I64(value) => AnyValue::IntValue(*value),
        Value::F64(value) => AnyValue::DoubleValue(*value),
        // OTLP has no unsigned number.
        other => text(&other.to_string()),
    }
}
