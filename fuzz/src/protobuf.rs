//! Pages in protobuf, written as a page in text 0.0.4 would have them, so that one parser reads both.

use std::fmt::Write;

#[path = "../../crates/metercast/src/export/prometheus/protobuf/tests/messages.rs"]
mod messages;

use crate::parsed::{double, is_label_name, is_metric_name};
use messages::{Exemplar, LabelPair, MetricType, decode};

/// The page in text. Native buckets are left out; the classic ones that stand beside them are not.
///
/// # Panics
///
/// If it is not valid protobuf, or leaves out what must be there.
pub fn as_text(page: &[u8]) -> String {
    let mut out = String::new();
    for family in decode(page) {
        let name = family.name.as_deref().expect("a name");
        let kind = MetricType::try_from(family.kind.unwrap_or_default()).expect("a known type");
        let shown = if is_metric_name(name) { name.to_owned() } else { format!("\"{}\"", escaped(name)) };
        if let Some(help) = family.help.as_deref().filter(|help| !help.is_empty()) {
            let _ = writeln!(out, "# HELP {shown} {}", help.replace('\\', "\\\\").replace('\n', "\\n"));
        }
        let kind = match kind {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Summary => "summary",
            MetricType::Untyped => "untyped",
            MetricType::Histogram => "histogram",
        };
        let _ = writeln!(out, "# TYPE {shown} {kind}");
        for metric in &family.metrics {
            let mut line = |suffix: &str, part: Option<(&str, f64)>, value: &str| {
                sample(&mut out, &format!("{name}{suffix}"), &metric.labels, part, value);
            };
            if let Some(counter) = &metric.counter {
                line("", None, &number(counter.value.expect("a value")));
                counter.exemplar.iter().for_each(|one| check(one, f64::INFINITY));
            } else if let Some(gauge) = &metric.gauge {
                line("", None, &number(gauge.value.expect("a value")));
            } else if let Some(summary) = &metric.summary {
                for quantile in &summary.quantiles {
                    let at = quantile.quantile.unwrap_or_default();
                    line("", Some(("quantile", at)), &number(quantile.value.unwrap_or_default()));
                }
                line("_sum", None, &number(summary.sum.expect("a sum")));
                line("_count", None, &summary.count.expect("a count").to_string());
            } else if let Some(histogram) = &metric.histogram {
                let count = histogram.count.expect("a count");
                let mut last = None;
                for bucket in &histogram.buckets {
                    let (bound, below) =
                        (bucket.upper_bound.unwrap_or_default(), bucket.cumulative_count.unwrap_or_default());
                    assert!(last.is_none_or(|last| last < bound), "buckets that do not increase");
                    last = Some(bound);
                    line("_bucket", Some(("le", bound)), &below.to_string());
                    bucket.exemplar.iter().for_each(|one| check(one, bound));
                }
                histogram.exemplars.iter().for_each(|one| check(one, f64::INFINITY));
                // Which may be left out, as it is the count.
                if last != Some(f64::INFINITY) {
                    line("_bucket", Some(("le", f64::INFINITY)), &count.to_string());
                }
                line("_sum", None, &number(histogram.sum.expect("a sum")));
                line("_count", None, &count.to_string());
            } else {
                panic!("a metric without a value");
            }
        }
    }
    out
}

fn sample(out: &mut String, name: &str, labels: &[LabelPair], part: Option<(&str, f64)>, value: &str) {
    let is_legal = is_metric_name(name);
    let mut inside: Vec<String> = Vec::new();
    if !is_legal {
        inside.push(format!("\"{}\"", escaped(name)));
    }
    for LabelPair { name, value } in labels {
        let (name, value) = (name.as_deref().expect("a name"), value.as_deref().unwrap_or_default());
        let name = if is_label_name(name) { name.to_owned() } else { format!("\"{}\"", escaped(name)) };
        inside.push(format!("{name}=\"{}\"", escaped(value)));
    }
    inside.extend(part.map(|(name, value)| format!("{name}=\"{}\"", double(value))));
    let before = if is_legal { name } else { "" };
    let labels = if inside.is_empty() { String::new() } else { format!("{{{}}}", inside.join(",")) };
    let _ = writeln!(out, "{before}{labels} {value}");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

/// As text has it, if at length.
fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value => format!("{value:?}"),
    }
}

fn check(exemplar: &Exemplar, bound: f64) {
    assert!(exemplar.labels.is_empty() && exemplar.time.is_some(), "{exemplar:?}");
    assert!(exemplar.value.is_some_and(|value| value <= bound), "{exemplar:?} of another bucket");
}
