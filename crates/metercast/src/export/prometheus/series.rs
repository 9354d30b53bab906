//! The lines of one series, written without hurry: of those that stand for several, and of those with something that few
//! have.

use metercast_core::Exemplar;
use metercast_core::reading::PointView;

use super::buffer::Out;
use super::classic::Classic;
use super::family::{Family, Type};
use super::labels::{Labels, begin, end};
use super::number::Spelling;
use super::style::{Style, is_total};

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
    Histogram { bounds: Vec<f64>, counts: Vec<u64>, sum: f64 },
    Summary { quantiles: Vec<(f64, f64)>, count: u64, sum: f64 },
}

impl Value {
    /// `None` for kinds that are not known here.
    pub(super) fn of(point: PointView<'_>, classic: &mut Classic) -> Option<Value> {
        Some(match point {
            PointView::U64(value) => Value::U64(value),
            PointView::I64(value) => Value::I64(value),
            PointView::F64(value) => Value::F64(value),
            PointView::Histogram(buckets) => Value::Histogram {
                bounds: buckets.bounds.to_vec(),
                counts: buckets.counts.to_vec(),
                sum: buckets.sum,
            },
            PointView::Exponential(exponential) => {
                let (bounds, counts) = classic.count(exponential);
                Value::Histogram { bounds: bounds.to_vec(), counts: counts.to_vec(), sum: exponential.sum }
            }
            PointView::Summary(summary) => Value::Summary {
                quantiles: summary.quantiles.to_vec(),
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

/// When a series began, in seconds, to the millisecond.
pub(super) fn seconds(unix_nanos: u64) -> f64 {
    (unix_nanos / 1_000_000) as f64 / 1000.0
}

/// Writes lines of one series.
struct Lines<'a, 'o> {
    family: &'a Family,
    labels: String,
    out: &'a mut Out<'o>,
    style: &'a Style,
}

impl Series {
    pub(super) fn write(&self, family: &Family, style: &Style, out: &mut Out<'_>) {
        let mut lines = Lines { family, labels: self.labels.text(), out, style };
        let exemplars: &[Exemplar] = if style.shows_exemplars() { &self.exemplars } else { &[] };
        // OpenMetrics 1.0: what is like a counter is a number, and not negative.
        let is_total = |sum: f64| !style.is_open || is_total(sum);
        match &self.value {
            Value::U64(value) => lines.number(&value.to_string(), exemplars),
            Value::I64(value) => lines.number(&value.to_string(), exemplars),
            Value::F64(value) if family.kind == Type::Counter && !is_total(*value) => return,
            Value::F64(value) => lines.number(&style.values.value(*value), exemplars),
            Value::Histogram { bounds, counts, sum } => {
                let count = lines.buckets(bounds, counts, exemplars);
                // OpenMetrics 1.0, "Histogram": neither sum nor count if there are negative bounds; and one not without the
                // other.
                let has_negative = style.is_open && bounds.first().is_some_and(|bound| *bound < 0.0);
                if is_total(*sum) && !has_negative {
                    lines.line("_sum", &style.values.value(*sum));
                    lines.line("_count", &count.to_string());
                }
            }
            Value::Summary { quantiles, count, sum } => {
                for (quantile, value) in quantiles {
                    if !style.is_open || *value >= 0.0 || value.is_nan() {
                        let value = style.values.value(*value);
                        lines.part("", "quantile", *quantile, &value, None);
                    }
                }
                if is_total(*sum) {
                    lines.line("_sum", &style.values.value(*sum));
                }
                lines.line("_count", &count.to_string());
            }
        }
        if style.shows_created() && family.has_created() {
            let created = Spelling::Shortest.value(seconds(self.started_unix_nanos));
            lines.sample(&family.created(), &created, None);
        }
    }
}

impl Lines<'_, '_> {
    fn number(&mut self, value: &str, exemplars: &[Exemplar]) {
        let newest = exemplars.iter().max_by_key(|exemplar| exemplar.time);
        let name = &self.family.name;
        self.sample(name, value, newest.filter(|_| self.family.kind == Type::Counter));
    }

    /// Writes the lines of all buckets. Returns how many values are in them.
    fn buckets(&mut self, bounds: &[f64], counts: &[u64], exemplars: &[Exemplar]) -> u64 {
        let (mut below, mut lower) = (0u64, f64::NEG_INFINITY);
        for (count, bound) in counts.iter().zip(bounds.iter().chain([&f64::INFINITY])) {
            below = below.wrapping_add(*count);
            let within = exemplars.iter().filter(|it| it.value > lower && it.value <= *bound);
            let newest = within.max_by_key(|exemplar| exemplar.time);
            self.part("_bucket", "le", *bound, &below.to_string(), newest);
            lower = *bound;
        }
        below
    }

    fn line(&mut self, suffix: &str, value: &str) {
        let name = format!("{}{suffix}", self.family.name);
        self.sample(&name, value, None);
    }

    fn sample(&mut self, name: &str, value: &str, exemplar: Option<&Exemplar>) {
        let [_, begin] = begin(name, &self.labels);
        self.out.text(&format!("{begin}{value}{}\n", exemplar.map(text).unwrap_or_default()));
    }

    fn part(&mut self, suffix: &str, label: &str, bound: f64, value: &str, exemplar: Option<&Exemplar>) {
        let [begin, _] = begin(&format!("{}{suffix}", self.family.name), &self.labels);
        let end = end(label, bound, self.style.bounds);
        self.out.text(&format!("{begin}{end}{value}{}\n", exemplar.map(text).unwrap_or_default()));
    }
}

/// What stands behind a value. OpenMetrics 1.0, "Exemplars": at most 128 characters in names and values of labels, and
/// these are 63.
fn text(exemplar: &Exemplar) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (trace, span) = (hex(&exemplar.span.trace_id), hex(&exemplar.span.span_id));
    let value = Spelling::Shortest.value(exemplar.value);
    let time = exemplar.time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let time = Spelling::Shortest.value(seconds(time.as_nanos() as u64));
    format!(" # {{trace_id=\"{trace}\",span_id=\"{span}\"}} {value} {time}")
}
