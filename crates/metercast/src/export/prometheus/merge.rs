//! Series that are spelled alike stand on the page once. Finding that out costs memory for each of them, so it is done only
//! where two may be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use metercast_core::Kind;
use metercast_core::reading::{LabelsView, PointView, SeriesView, ValueView};

use super::buffer::Out;
use super::{name, number};

/// The series under one name, each once, in the order in which they came.
#[derive(Default)]
pub(super) struct Merged {
    series: Vec<(String, Value)>,
    /// Where labels stand, under what they are if sorted.
    places: HashMap<String, usize>,
}

enum Value {
    U64(u64),
    I64(i64),
    F64(f64),
    Histogram { bounds: &'static [f64], counts: Vec<u64>, sum: f64 },
    Summary { quantiles: Vec<(f64, f64)>, count: u64, sum: f64 },
}

impl Merged {
    /// Takes a series of a metric of this kind.
    pub(super) fn add(&mut self, series: &SeriesView<'_>, kind: Kind) {
        let Some(value) = Value::of(series.value) else { return };
        let spelled = spelled(&series.labels, kind);
        let text = spelled.join(",");
        let mut sorted = spelled;
        sorted.sort();
        match self.places.entry(sorted.join(",")) {
            Entry::Vacant(free) => {
                free.insert(self.series.len());
                self.series.push((text, value));
            }
            // Labels that differ only in what a page cannot show.
            Entry::Occupied(there) if kind != Kind::Gauge => self.series[*there.get()].1.add(&value),
            Entry::Occupied(_) => {}
        }
    }

    /// Writes them all.
    pub(super) fn write(&self, name: &str, out: &mut Out<'_>) {
        for (labels, value) in &self.series {
            let (comma, braced) = match &**labels {
                "" => ("", String::new()),
                labels => (",", format!("{{{labels}}}")),
            };
            match value {
                Value::U64(value) => out.text(&format!("{name}{braced} {value}\n")),
                Value::I64(value) => out.text(&format!("{name}{braced} {value}\n")),
                Value::F64(value) => out.text(&format!("{name}{braced} {}\n", double(*value))),
                Value::Histogram { bounds, counts, sum } => {
                    let mut below = 0u64;
                    for (count, bound) in counts.iter().zip(bounds.iter().chain([&f64::INFINITY])) {
                        below = below.wrapping_add(*count);
                        let bound = double(*bound);
                        let line = format!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}\n");
                        out.text(&line);
                    }
                    out.text(&format!("{name}_sum{braced} {}\n", double(*sum)));
                    out.text(&format!("{name}_count{braced} {below}\n"));
                }
                Value::Summary { quantiles, count, sum } => {
                    for (quantile, value) in quantiles {
                        let [quantile, value] = [*quantile, *value].map(double);
                        out.text(&format!("{name}{{{labels}{comma}quantile=\"{quantile}\"}} {value}\n"));
                    }
                    out.text(&format!("{name}_sum{braced} {}\n", double(*sum)));
                    out.text(&format!("{name}_count{braced} {count}\n"));
                }
            }
        }
    }
}

impl Value {
    fn of(point: PointView<'_>) -> Option<Value> {
        Some(match point {
            PointView::U64(value) => Value::U64(value),
            PointView::I64(value) => Value::I64(value),
            PointView::F64(value) => Value::F64(value),
            PointView::Histogram(buckets) => {
                Value::Histogram { bounds: buckets.bounds, counts: buckets.counts.to_vec(), sum: buckets.sum }
            }
            PointView::Exponential(exponential) => {
                Value::Histogram { bounds: &[], counts: vec![exponential.count()], sum: exponential.sum }
            }
            PointView::Summary(summary) => Value::Summary {
                quantiles: summary.quantiles.to_vec(),
                count: summary.count,
                sum: summary.sum,
            },
            _ => return None,
        })
    }

    fn add(&mut self, other: &Value) {
        match (&mut *self, other) {
            (Value::U64(to), Value::U64(value)) => *to = to.wrapping_add(*value),
            (Value::I64(to), Value::I64(value)) => *to = to.wrapping_add(*value),
            // They are of one metric, so their bounds are the same.
            (Value::Histogram { counts, sum, .. }, Value::Histogram { counts: more, sum: and, .. }) => {
                counts.iter_mut().zip(more).for_each(|(to, count)| *to = to.wrapping_add(*count));
                *sum += and;
            }
            (Value::Summary { quantiles, count, sum }, Value::Summary { count: more, sum: and, .. }) => {
                // Those of all values together cannot be known.
                quantiles.clear();
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

fn double(value: f64) -> String {
    number::with_double(value, str::to_owned)
}

/// The labels as they stand on a line, each for itself: `a="1"`. Values under keys that become one name are joined with `;`, in
/// the order of the keys; labels without a value are as good as absent, and left out.
fn spelled(labels: &LabelsView<'_>, kind: Kind) -> Vec<String> {
    let mut named: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    for (key, value) in labels.keys().zip(labels.values()) {
        let value = match value {
            ValueView::Text(text) => text.to_owned(),
            ValueView::Packed(text) => text.with(str::to_owned),
            ValueView::Bool(value) => value.to_string(),
            ValueView::I64(value) => value.to_string(),
            ValueView::U64(value) => value.to_string(),
            ValueView::F64(value) => double(value),
            _ => continue,
        };
        let name = name::label(key, kind);
        match named.iter_mut().find(|(there, _)| *there == name) {
            Some((_, values)) => values.push((key, value)),
            None => named.push((name, vec![(key, value)])),
        }
    }
    let joined = named.into_iter().filter_map(|(name, mut values)| {
        values.sort();
        let values: Vec<String> = values.into_iter().map(|(_, value)| value).collect();
        let value = values.join(";").replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
        (!value.is_empty()).then(|| format!("{name}=\"{value}\""))
    });
    joined.collect()
}
