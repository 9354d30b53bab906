//! A page in OpenMetrics text as metrics: what a registry of prometheus-client can say of itself.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use metercast_core::{
    Exemplar, KeyValue, LabelRef, NumberType, Produced, ProducedSeries, Producer, PrometheusType, SpanContext,
};

use crate::line::{ExemplarOf, Labels, Line};
use crate::unit;

/// A family: the lines that belong together.
#[derive(Debug, Default)]
struct Family<'a> {
    /// Without the suffixes of samples.
    name: &'a str,
    help: &'a str,
    kind: &'a str,
    unit: &'a str,
    lines: Vec<Line<'a>>,
}

/// Says all families of a page; what nobody understands of it is listed by the store.
pub(crate) fn say(page: &str, producer: &mut Producer<'_>) {
    let mut family = Family::default();
    for line in page.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            match Line::of(line) {
                Some(line) => family.lines.push(line),
                None => producer.problem(family.name, "has a line that is no sample; it is left out"),
            }
            continue;
        };
        let (what, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
        // The help comes first.
        if what == "HELP" {
            std::mem::take(&mut family).say(producer);
            family.name = name;
        }
        match what {
            "HELP" => family.help = text,
            "TYPE" => family.kind = text,
            "UNIT" => family.unit = text,
            _ => {}
        }
    }
    family.say(producer);
}

impl<'a> Family<'a> {
    fn say(self, producer: &mut Producer<'_>) {
        if self.lines.is_empty() {
            return;
        }
        let (of, suffix) = match self.kind {
            "counter" => (PrometheusType::Counter, "_total"),
            "gauge" => (PrometheusType::Gauge, ""),
            "unknown" => (PrometheusType::Unknown, ""),
            "info" => (PrometheusType::Info, "_info"),
            "histogram" => (PrometheusType::Histogram, ""),
            kind => {
                let text = format!("is of the type {kind:?}, which is not read; it is left out");
                return producer.problem(self.name, &text);
            }
        };
        // One that has the suffix already gets it once more in that library's text, which nobody means.
        let name = self.name.strip_suffix(suffix).unwrap_or(self.name);
        let (name, unit) = (format!("{name}{suffix}"), unit::ucum(self.unit));
        let is_whole = |line: &Line<'_>| line.value.bytes().all(|byte| byte.is_ascii_digit());
        let number = match of {
            PrometheusType::Counter if self.lines.iter().all(is_whole) => NumberType::U64,
            PrometheusType::Info => NumberType::I64,
            _ => NumberType::F64,
        };
        let produced = Produced::prometheus(&name, of)
            .number(number)
            .unit(&unit)
            // The library puts it behind each text.
            .description(self.help.strip_suffix('.').unwrap_or(self.help))
            .scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        if of == PrometheusType::Histogram {
            return self.say_histograms(&produced, producer);
        }
        let mut to = producer.family(&produced);
        let sample = format!("{}{suffix}", self.name);
        for line in &self.lines {
            if line.name != sample {
                to.problem("has a sample of another name; it is left out");
                continue;
            }
            let exemplars: Vec<Exemplar> = line.exemplar.iter().map(exemplar).collect();
            let series = to.series(&refs(&line.labels)).exemplars(&exemplars);
            match (number, line.value.parse::<u64>(), line.value.parse::<f64>()) {
                (NumberType::U64, Ok(value), _) => series.set(value),
                (NumberType::I64, Ok(value), _) => series.set(i64::try_from(value).unwrap_or(i64::MAX)),
                (NumberType::F64, _, Ok(value)) => series.set(value),
                _ => series.problem("has a value that is no number; such series are left out"),
            }
        }
    }

    /// Puts the samples of each histogram together.
    fn say_histograms(&self, produced: &Produced<'_>, producer: &mut Producer<'_>) {
        let mut histograms: Vec<Histogram<'_>> = Vec::new();
        let mut places: HashMap<Labels<'_>, usize> = HashMap::new();
        for line in &self.lines {
            let part = line.name.strip_prefix(self.name).unwrap_or_default();
            let mut labels = line.labels.clone();
            // In front of those of the family, which may have one of that name.
            let bound = labels.iter().position(|(key, _)| part == "_bucket" && *key == "le");
            let bound = bound.map(|at| labels.remove(at).1.into_owned()).unwrap_or_default();
            let at = *places.entry(labels.clone()).or_insert_with(|| {
                histograms.push(Histogram { labels, ..Histogram::default() });
                histograms.len() - 1
            });
            histograms[at].take(part, &bound, line);
        }
        let mut to = producer.family(produced);
        for histogram in histograms {
            histogram.say(to.series(&refs(&histogram.labels)));
        }
    }
}

#[derive(Debug, Default)]
struct Histogram<'a> {
    labels: Labels<'a>,
    bounds: Vec<f64>,
    up_to: Vec<u64>,
    sum: Option<f64>,
    count: Option<u64>,
    exemplars: Vec<Exemplar>,
    is_odd: bool,
}

impl Histogram<'_> {
    fn take(&mut self, part: &str, bound: &str, line: &Line<'_>) {
        let value = line.value.parse::<u64>().ok();
        match (part, value, bound.parse::<f64>()) {
            // A sum that comes twice is that of another series with the same labels.
            ("_sum", _, _) if self.sum.is_none() => self.sum = line.value.parse().ok(),
            ("_count", Some(count), _) if self.count.is_none() => self.count = Some(count),
            ("_bucket", Some(_), Ok(f64::INFINITY)) => {}
            ("_bucket", Some(up_to), Ok(bound)) => {
                self.bounds.push(bound);
                self.up_to.push(up_to);
            }
            _ => self.is_odd = true,
        }
        self.exemplars.extend(line.exemplar.iter().map(exemplar));
    }

    fn say(&self, to: ProducedSeries<'_>) {
        let (Some(sum), Some(count), false) = (self.sum, self.count, self.is_odd) else {
            return to
                .problem("has a histogram that is not whole, or is there twice; such series are left out");
        };
        let mut up_to = self.up_to.clone();
        up_to.push(count);
        to.exemplars(&self.exemplars).cumulative_histogram(&self.bounds, &up_to, sum);
    }
}

fn refs<'l>(labels: &'l Labels<'_>) -> Vec<LabelRef<'l>> {
    labels.iter().map(|(key, value)| (*key, value.into())).collect()
}

/// An exemplar. The specification, "Exemplars": trace and span are told by labels.
fn exemplar(of: &ExemplarOf<'_>) -> Exemplar {
    let mut exemplar = Exemplar::new(of.value);
    if let Some(time) = of.time.and_then(|time| Duration::try_from_secs_f64(time).ok()) {
        exemplar = exemplar.time(UNIX_EPOCH + time);
    }
    let label = |wanted: &str| of.labels.iter().find(|(key, _)| *key == wanted).map(|(_, value)| &**value);
    let span = label("trace_id").and_then(bytes).zip(label("span_id").and_then(bytes));
    if let Some((trace_id, span_id)) = span {
        exemplar = exemplar.span(SpanContext::new(trace_id, span_id));
    }
    let is_other = |key: &str| span.is_none() || !matches!(key, "trace_id" | "span_id");
    let others = of.labels.iter().filter(|(key, _)| is_other(key));
    exemplar.labels(others.map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone().into_owned())))
}

/// What so many hexadecimal digits say, unless it is all zeros, which is no number of a trace or a span.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    (bytes != [0; N]).then_some(bytes)
}
