//! The truth as the samples of a page.

use std::collections::{BTreeMap, BTreeSet};

use super::{Attributes, Metric, Truth, Value, spelling};
use crate::given::Label;
use crate::samples::{Labels, Samples};

/// The type and the description of a family, by the family's name.
pub type Families = BTreeMap<String, (String, String)>;

/// A page as it must be understood.
#[derive(Debug, Default)]
pub struct Page {
    /// Its samples.
    pub samples: Samples,
    /// Its families, under the names that have `_total` where they count.
    pub families: Families,
}

impl Truth {
    /// What a page must say.
    ///
    /// # Panics
    ///
    /// If the rules lead to a page on which a sample stands twice: then they are wrong.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        let mut by_name: BTreeMap<String, Vec<&Metric>> = BTreeMap::new();
        for metric in self.metrics.iter().filter(|metric| !metric.series.is_empty()) {
            by_name
                .entry(spelling::family(&metric.name, &metric.kind, &metric.unit))
                .or_default()
                .push(metric);
        }
        // Who comes first has the name, and the names of all samples that it may have.
        let mut taken = BTreeSet::new();
        for (name, metrics) in by_name {
            let first = metrics[0];
            let names: Vec<String> = suffixes(first).iter().map(|suffix| format!("{name}{suffix}")).collect();
            if names.iter().any(|name| taken.contains(name)) {
                continue;
            }
            taken.extend(names);
            let mut series = Vec::new();
            for metric in metrics {
                // Beside it stand others of its kind; distributions may have other buckets.
                let is_beside = metric.kind == first.kind && metric.kind != "histogram";
                if is_beside || std::ptr::eq(metric, first) {
                    // The series without labels is the first of its metric.
                    let (bare, labelled): (Vec<_>, Vec<_>) =
                        metric.series.iter().partition(|(attributes, _)| attributes.is_empty());
                    for (attributes, value) in bare.into_iter().chain(labelled) {
                        merge(&mut series, metric, attributes, value);
                    }
                }
            }
            let kind = if first.kind == "up_down_counter" { "gauge" } else { &first.kind };
            page.families.insert(name.clone(), (kind.to_owned(), first.help.clone()));
            for (labels, value) in series {
                write(&mut page.samples, &name, first, &labels, &value);
            }
        }
        page
    }
}

fn suffixes(metric: &Metric) -> &'static [&'static str] {
    if metric.kind == "histogram" { &["", "_bucket", "_sum", "_count"] } else { &[""] }
}

/// Adds a series to those that look the same on the page.
fn merge(series: &mut Vec<(Labels, Value)>, metric: &Metric, attributes: &Attributes, value: &Value) {
    let labels = labels(attributes, &metric.kind);
    let Some((_, there)) = series.iter_mut().find(|(known, _)| *known == labels) else {
        series.push((labels, value.clone()));
        return;
    };
    match (there, value) {
        _ if metric.kind == "gauge" => {}
        (Value::U64(to), Value::U64(value)) => *to = to.wrapping_add(*value),
        (Value::I64(to), Value::I64(value)) => *to = to.wrapping_add(*value),
        (Value::Histogram { counts, sum }, Value::Histogram { counts: more, sum: and }) => {
            counts.iter_mut().zip(more).for_each(|(to, count)| *to += count);
            *sum += and;
        }
        (to, value) => *to = Value::F64(double(to) + double(value)),
    }
}

fn write(samples: &mut Samples, name: &str, metric: &Metric, labels: &Labels, value: &Value) {
    let mut add = |suffix: &str, labels: Labels, value: f64| {
        let added = samples.add(&format!("{name}{suffix}"), labels, value);
        added.unwrap_or_else(|trouble| panic!("the truth is wrong: {trouble}"));
    };
    let Value::Histogram { counts, sum } = value else {
        add("", labels.clone(), double(value));
        return;
    };
    let mut below = 0;
    for (count, bound) in counts.iter().zip(metric.bounds.iter().chain([&f64::INFINITY])) {
        below += count;
        let mut labels = labels.clone();
        labels.insert("le".to_owned(), bound.to_string());
        add("_bucket", labels, below as f64);
    }
    add("_sum", labels.clone(), *sum);
    add("_count", labels.clone(), below as f64);
}

/// Values under keys that become one are joined, in the order of the keys; what has no value is absent.
fn labels(attributes: &Attributes, kind: &str) -> Labels {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in attributes {
        joined.entry(spelling::label(key, kind)).or_default().push(text(value));
    }
    let joined = joined.into_iter().map(|(name, values)| (name, values.join(";")));
    joined.filter(|(_, value)| !value.is_empty()).collect()
}

fn text(value: &Label) -> String {
    match value {
        Label::Bool(value) => value.to_string(),
        Label::Whole(value) => value.to_string(),
        Label::Double(value) => value.to_string(),
        Label::Text(value) => value.clone(),
    }
}

fn double(value: &Value) -> f64 {
    match value {
        Value::U64(value) => *value as f64,
        Value::I64(value) => *value as f64,
        Value::F64(value) => *value,
        Value::Histogram { sum, .. } => *sum,
    }
}
