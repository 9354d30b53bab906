//! A series that is kept: one that stands for several, or has something that is written without hurry.

use metercast_core::Exemplar;
use metercast_core::reading::PointView;

use super::classic::Classic;
use super::escape::Of;
use super::format::Escaping;
use super::labels::Labels;
use super::native::Native;

/// A series to keep.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) value: Value,
    pub(super) started_unix_nanos: u64,
    pub(super) exemplars: Vec<Exemplar>,
}

/// The value of a series.
#[derive(Clone, Debug)]
pub(super) enum Value {
    U64(u64),
    I64(i64),
    F64(f64),
    /// `native` are the buckets of one that has such, for a format that knows them.
    Histogram {
        bounds: Vec<f64>,
        counts: Vec<u64>,
        sum: f64,
        /// Whether some of the values are known to be negative, or some of the bounds are.
        has_negative: bool,
        native: Option<Native>,
    },
    Summary {
        quantiles: Vec<(f64, f64)>,
        /// Those that are asked for, also if no value is known.
        asked: &'static [f64],
        count: u64,
        sum: f64,
    },
}

impl Value {
    /// `None` for kinds that are not known here.
    pub(super) fn of(point: PointView<'_>, classic: &mut Classic, has_native: bool) -> Option<Value> {
        Some(match point {
            PointView::U64(value) => Value::U64(value),
            PointView::I64(value) => Value::I64(value),
            PointView::F64(value) => Value::F64(value),
            PointView::Histogram(buckets) => Value::Histogram {
                bounds: buckets.bounds.to_vec(),
                counts: buckets.counts.to_vec(),
                sum: buckets.sum,
                has_negative: buckets.bounds.first().is_some_and(|bound| *bound < 0.0),
                native: None,
            },
            PointView::Exponential(exponential) => {
                let (bounds, counts) = classic.count(exponential);
                let native = if has_native { Native::of(exponential) } else { None };
                let (bounds, counts) = (bounds.to_vec(), counts.to_vec());
                let has_negative = exponential.negative.count() > 0;
                Value::Histogram { bounds, counts, sum: exponential.sum, has_negative, native }
            }
            PointView::Summary(summary) => Value::Summary {
                quantiles: summary.quantiles.to_vec(),
                asked: summary.asked,
                count: summary.count,
                sum: summary.sum,
            },
            _ => return None,
        })
    }

    /// Adds what another series of the same kind holds.
    pub(super) fn add(&mut self, other: &Value) {
        match (&mut *self, other) {
            (Value::U64(to), Value::U64(value)) => *to = to.wrapping_add(*value),
            (Value::I64(to), Value::I64(value)) => *to = to.wrapping_add(*value),
            (
                Value::Histogram { bounds, counts, sum, has_negative, native },
                Value::Histogram { bounds: of, counts: more, sum: and, has_negative: or, native: others },
            ) => {
                *has_negative |= or;
                // Those of one metric that is recorded are the same; of two scopes, and where somebody else keeps it, there may
                // be others for each series.
                let common: Vec<f64> = bounds.iter().copied().filter(|bound| of.contains(bound)).collect();
                *counts = within(&common, bounds, counts);
                counts
                    .iter_mut()
                    .zip(within(&common, of, more))
                    .for_each(|(to, count)| *to = to.wrapping_add(count));
                *bounds = common;
                *sum += and;
                // What one of them has no native buckets for, both together have none for.
                *native = native.take().zip(others.as_ref()).and_then(|(native, other)| native.with(other));
            }
            (
                Value::Summary { quantiles, asked, count, sum },
                Value::Summary { count: more, sum: and, .. },
            ) => {
                // Those of all values together cannot be known.
                quantiles.clear();
                *asked = &[];
                *count = count.wrapping_add(*more);
                *sum += and;
            }
            (to, value) => *to = Value::F64(to.double() + value.double()),
        }
    }

    fn double(&self) -> f64 {
        match self {
            Value::U64(value) => *value as f64,
            Value::I64(value) => *value as f64,
            Value::F64(value) => *value,
            Value::Histogram { sum, .. } | Value::Summary { sum, .. } => *sum,
        }
    }
}

/// The counts of buckets with some of their bounds: each takes what was in those that it covers.
fn within(common: &[f64], bounds: &[f64], counts: &[u64]) -> Vec<u64> {
    let mut within = vec![0u64; common.len() + 1];
    for (at, count) in counts.iter().enumerate() {
        let bucket = bounds.get(at).map_or(common.len(), |bound| common.partition_point(|to| to < bound));
        within[bucket] = within[bucket].wrapping_add(*count);
    }
    within
}

/// The newest of exemplars.
pub(super) fn newest(exemplars: &[Exemplar]) -> Option<&Exemplar> {
    exemplars.iter().max_by_key(|exemplar| exemplar.time)
}

/// The newest of the exemplars of a bucket.
pub(super) fn newest_within(exemplars: &[Exemplar], above: f64, up_to: f64) -> Option<&Exemplar> {
    let within = exemplars.iter().filter(|exemplar| exemplar.value > above && exemplar.value <= up_to);
    within.max_by_key(|exemplar| exemplar.time)
}

/// Names and values of the labels of an exemplar, of which there may be so many as fit: OpenMetrics 1.0, "Exemplars", allows 128
/// characters in all. The span comes first, which takes 63 of them.
pub(super) fn labels_of(exemplar: &Exemplar) -> Vec<(String, String)> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut labels = Vec::new();
    if let Some(span) = exemplar.span {
        labels.push(("trace_id".to_owned(), hex(&span.trace_id)));
        labels.push(("span_id".to_owned(), hex(&span.span_id)));
    }
    let mut left =
        MOST_OF_EXEMPLAR - labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    for (key, value) in exemplar.labels.iter().flat_map(|labels| labels.iter()) {
        let (name, value) = (Of::Label.escaped(key, Escaping::Underscores), value.to_string());
        let length = name.chars().count() + value.chars().count();
        if length <= left && labels.iter().all(|(there, _)| *there != name) {
            left -= length;
            labels.push((name, value));
        }
    }
    labels
}

const MOST_OF_EXEMPLAR: usize = 128;

/// When a series began, in seconds, to the millisecond.
pub(super) fn seconds(unix_nanos: u64) -> f64 {
    (unix_nanos / 1_000_000) as f64 / 1000.0
}
