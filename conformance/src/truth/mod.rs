//! What a store must hold after the recordings of a case, by the rules and not by the code that is tested.

use std::collections::BTreeMap;

use metercast::ExemplarFilter;

mod facts;
mod page;
mod spelling;
mod views;

pub use page::{Families, Page};

use crate::Given;
use crate::given::{Label, Recording};

/// The metrics, sorted by name.
#[derive(Debug, Default)]
pub struct Truth {
    metrics: Vec<Metric>,
    /// Whether counters and histograms have only what came since the delivery before.
    is_delta: bool,
}

#[derive(Debug)]
struct Metric {
    name: String,
    kind: String,
    number: String,
    unit: String,
    help: String,
    /// The upper bounds on a page.
    bounds: Vec<f64>,
    exponential: bool,
    /// In the order of their first use.
    series: Vec<(Attributes, Value)>,
    /// By the place of the series, and of its bucket.
    exemplars: BTreeMap<(usize, usize), Exemplar>,
}

#[derive(Clone, Debug)]
struct Exemplar {
    value: f64,
    /// The trace and the span, in hexadecimal.
    ids: Option<(String, String)>,
}

/// Sorted by key, each key once.
type Attributes = Vec<(String, Label)>;

#[derive(Clone, Debug)]
enum Value {
    U64(u64),
    I64(i64),
    F64(f64),
    Histogram {
        counts: Vec<u64>,
        sum: f64,
        /// The values themselves, of exponential buckets.
        values: Vec<f64>,
    },
    /// Of values that are all the same.
    Summary {
        value: f64,
        count: u64,
    },
}

impl Truth {
    /// What the recordings come to.
    pub fn of(given: &Given) -> Truth {
        Truth::with(given, false, |_| true)
    }

    /// What the message has that comes after as many others.
    pub fn delivered(given: &Given, after: u32) -> Truth {
        Truth::with(given, given.delta, |recording| {
            // OTLP exporter, "Temporality preference": up-down counters and summaries count from the start all the same.
            let is_delta = given.delta && matches!(recording.kind.as_str(), "counter" | "histogram");
            if is_delta { recording.delivered == after } else { recording.delivered <= after }
        })
    }

    /// Whether there are buckets without bounds.
    pub fn has_exponential(&self) -> bool {
        self.metrics.iter().any(|metric| metric.exponential)
    }

    fn with(given: &Given, is_delta: bool, which: impl Fn(&Recording) -> bool) -> Truth {
        let mut truth = Truth { metrics: Vec::new(), is_delta };
        let given = &views::seen_through(given);
        for recording in given.record.iter().filter(|recording| which(recording)) {
            truth.take(given, recording);
        }
        truth.metrics.sort_by(|a, b| a.name.cmp(&b.name));
        truth
    }

    fn take(&mut self, given: &Given, recording: &Recording) {
        if !is_name(&recording.name) {
            return;
        }
        let at = self.metrics.iter().position(|metric| metric.name == recording.name);
        let at = at.unwrap_or_else(|| {
            self.metrics.push(Metric::new(given, recording));
            self.metrics.len() - 1
        });
        let metric = &mut self.metrics[at];
        // The first definition of a name stands; what means something else is left out.
        if (&metric.kind, &metric.number, &metric.unit)
            == (&recording.kind, &recording.number, &recording.unit)
        {
            metric.take(recording, given.filter() == ExemplarFilter::AlwaysOn);
        }
    }
}

impl Metric {
    fn new(given: &Given, first: &Recording) -> Metric {
        let increases = |bounds: &&Vec<f64>| bounds.is_sorted_by(|a, b| a < b);
        let bounds = match first.buckets.as_ref().filter(increases) {
            _ if first.exponential => powers_of_two(given, &first.name),
            Some(bounds) => bounds.clone(),
            None => by_unit(&first.unit).to_vec(),
        };
        let Recording { name, kind, number, unit, exponential, .. } = first.clone();
        let help = described(&first.help);
        let (series, exemplars) = (Vec::new(), BTreeMap::new());
        Metric { name, kind, number, unit, help, bounds, exponential, series, exemplars }
    }

    fn take(&mut self, recording: &Recording, takes_all: bool) {
        let counts = self.kind == "counter" || self.kind == "up_down_counter";
        let zero = match (self.kind.as_str(), self.number.as_str()) {
            ("histogram", _) => {
                Value::Histogram { counts: vec![0; self.bounds.len() + 1], sum: 0.0, values: Vec::new() }
            }
            ("summary", _) => Value::Summary { value: 0.0, count: 0 },
            (_, "u64") => Value::U64(0),
            (_, "i64") => Value::I64(0),
            _ => Value::F64(0.0),
        };
        if self.number == "f64" {
            let value = recording.value.f64();
            if !value.is_finite() || (self.kind == "counter" && value < 0.0) {
                return;
            }
        }
        let attributes = attributes(&recording.labels);
        let known = self.series.iter().position(|(known, _)| *known == attributes);
        let at = known.unwrap_or_else(|| {
            self.series.push((attributes, zero));
            self.series.len() - 1
        });
        for _ in 0..recording.times() {
            match &mut self.series[at].1 {
                Value::U64(of) if counts => *of = of.wrapping_add(recording.value.u64()),
                Value::U64(of) => *of = recording.value.u64(),
                Value::I64(of) if counts => *of = of.wrapping_add(recording.value.i64()),
                Value::I64(of) => *of = recording.value.i64(),
                Value::F64(of) if counts => *of += recording.value.f64(),
                Value::F64(of) => *of = recording.value.f64(),
                Value::Summary { value, count } => {
                    *value = recording.value.f64();
                    *count += 1;
                }
                Value::Histogram { counts, sum, values } => {
                    let value = recording.value.f64();
                    // A bound belongs to the bucket below it.
                    counts[self.bounds.iter().take_while(|bound| value > **bound).count()] += 1;
                    *sum += value;
                    if self.exponential {
                        values.push(value);
                    }
                }
            }
        }
        let ids = recording.ids().map(|(trace, span)| (trace.to_owned(), span.to_owned()));
        let has_exemplars = self.kind == "counter" || self.kind == "histogram";
        if has_exemplars && (takes_all || ids.is_some()) {
            let value = match self.number.as_str() {
                "u64" => recording.value.u64() as f64,
                _ => recording.value.f64(),
            };
            // Of each bucket the newest; of a counter and of exponential buckets there is one.
            let is_one = self.kind == "counter" || self.exponential;
            let bucket =
                if is_one { 0 } else { self.bounds.iter().take_while(|bound| value > **bound).count() };
            self.exemplars.insert((at, bucket), Exemplar { value, ids });
        }
    }
}

/// The bounds of exponential buckets on a page: all powers of two from below the lowest value to the highest, and zero if there is
/// something that is not above it.
fn powers_of_two(given: &Given, name: &str) -> Vec<f64> {
    let of_it = given.record.iter().filter(|recording| recording.name == name);
    let values: Vec<f64> = of_it.map(|recording| recording.value.f64()).collect();
    let zero = values.iter().any(|value| *value <= 0.0).then_some(0.0);
    let mut bounds: Vec<f64> = zero.into_iter().collect();
    let above = || values.iter().copied().filter(|value| *value > 0.0);
    if let Some(highest) = above().reduce(f64::max) {
        let mut bound = above().fold(highest, f64::min) / 2.0;
        while bound <= highest {
            bounds.push(bound);
            bound *= 2.0;
        }
    }
    bounds
}

/// The quantiles of a summary that declares none.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Metrics API, "Instrument name syntax".
fn is_name(name: &str) -> bool {
    name.len() <= 255
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || "_.-/".contains(one))
}

/// A description as it is shown. One whose lines are indented is a doc comment: its paragraphs are lines.
fn described(text: &str) -> String {
    let text = text.trim_ascii();
    if !text.contains("\n ") {
        return text.to_owned();
    }
    let paragraphs = text.split("\n\n");
    let line = |paragraph: &str| paragraph.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    paragraphs.map(line).collect::<Vec<_>>().join("\n")
}

/// The last value of each key; what has no key is left out, and long texts are cut.
fn attributes(given: &[(String, Label)]) -> Attributes {
    let mut attributes = Attributes::new();
    for (key, value) in given.iter().filter(|(key, _)| !key.is_empty()) {
        let value = match value {
            Label::Text(text) => Label::Text(cut(text)),
            other => other.clone(),
        };
        attributes.retain(|(known, _)| known != key);
        attributes.push((key.clone(), value));
    }
    attributes.sort_by(|a, b| a.0.cmp(&b.0));
    attributes
}

/// At most 1 KiB, whole characters.
fn cut(text: &str) -> String {
    let mut cut = String::new();
    for one in text.chars() {
        if cut.len() + one.len_utf8() > 1024 {
            break;
        }
        cut.push(one);
    }
    cut
}

/// The semantic conventions' bounds for seconds, else those of the metrics SDK.
fn by_unit(unit: &str) -> &'static [f64] {
    if unit == "s" {
        return &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
    }
    &[0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0]
}
