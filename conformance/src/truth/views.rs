//! What the recordings of a case are once its views are applied: each view is a rule for single recordings, so that whatever becomes
//! equal is added up as recordings are.

use serde::Deserialize;

use super::{attributes, by_unit};
use crate::Given;
use crate::given::{Label, Number, Recording};

/// A view in the words of a configuration, as far as cases have it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct View {
    /// The whole name of a metric, or its beginning and `*`.
    name: String,
    rename: Option<String>,
    alias: Option<String>,
    description: Option<String>,
    unit: Option<String>,
    drop_labels: Option<Vec<String>>,
    keep_labels: Option<Vec<String>>,
    #[serde(default)]
    rename_labels: toml::Table,
    buckets: Option<Vec<f64>>,
    #[serde(default)]
    exponential: bool,
    aggregation: Option<String>,
    /// What stands for several gauges; cases have no others than `sum`, since which of two is newer is known from reading to reading.
    gauges: Option<String>,
    cardinality_limit: Option<usize>,
}

/// The case as if its views had been applied before anything was recorded.
pub(super) fn seen_through(given: &Given) -> Given {
    let views: Vec<View> = given.views.iter().map(|view| view.clone().try_into().expect("a view")).collect();
    let mut seen = given.clone();
    for recording in &mut seen.record {
        // A key that is given twice is one label.
        if !views.is_empty() {
            recording.labels = attributes(&recording.labels);
        }
    }
    for view in &views {
        assert!(view.gauges.as_deref().is_none_or(|gauges| gauges == "sum"), "given.toml: gauges");
        let mut recordings = Vec::new();
        // The sets of labels that have places of their own.
        let mut places: Vec<Vec<(String, Label)>> = Vec::new();
        // A later view knows a metric by the name that the program gives it; no case renames one and says more of it later.
        for mut recording in std::mem::take(&mut seen.record) {
            if !view.is_of(&recording.name) {
                recordings.push(recording);
                continue;
            }
            if view.aggregation.as_deref() == Some("drop") {
                continue;
            }
            view.change(&mut recording);
            if let Some(limit) = view.cardinality_limit {
                if !places.contains(&recording.labels) && places.len() >= limit {
                    recording.labels = vec![("otel.metric.overflow".to_owned(), Label::Bool(true))];
                } else if !places.contains(&recording.labels) {
                    places.push(recording.labels.clone());
                }
            }
            if view.gauges.is_some() && recording.kind == "gauge" {
                // What is set again counts once, and no case does that.
                let others = |other: &&mut Recording| {
                    (&other.name, &other.labels) == (&recording.name, &recording.labels)
                };
                if let Some(other) = recordings.iter_mut().find(others) {
                    other.value = Number::Double(other.value.f64() + recording.value.f64());
                    continue;
                }
            }
            recordings.extend(view.alias.clone().map(|name| Recording { name, ..recording.clone() }));
            recording.name = view.rename.clone().unwrap_or(recording.name);
            recordings.push(recording);
        }
        seen.record = recordings;
    }
    seen
}

impl View {
    fn is_of(&self, name: &str) -> bool {
        matches(&self.name, name)
    }

    fn change(&self, recording: &mut Recording) {
        let is_among = |patterns: &[String], key: &str| patterns.iter().any(|pattern| matches(pattern, key));
        recording.labels.retain(|(key, _)| {
            self.drop_labels.as_ref().is_none_or(|patterns| !is_among(patterns, key))
                && self.keep_labels.as_ref().is_none_or(|patterns| is_among(patterns, key))
        });
        for (key, _) in &mut recording.labels {
            if let Some(name) = self.rename_labels.get(key) {
                name.as_str().expect("a key").clone_into(key);
            }
        }
        recording.labels.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(description) = &self.description {
            recording.help.clone_from(description);
        }
        if let Some(unit) = &self.unit {
            convert(recording, unit);
        }
        if let Some(bounds) = &self.buckets {
            recording.buckets = Some(bounds.clone());
        }
        recording.exponential |= self.exponential;
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
}

/// Values and bounds in another unit: UCUM, of those that cases have.
fn convert(recording: &mut Recording, to: &str) {
    let size = |unit: &str| match unit {
        "By" => 1.0,
        "KiBy" => 1024.0,
        "ms" => 0.001,
        "s" => 1.0,
        other => panic!("given.toml: no case has the unit {other:?}"),
    };
    let (from, to_size) = (size(&recording.unit), size(to));
    let converted =
        |value: f64| if to_size < from { value * (from / to_size) } else { value / (to_size / from) };
    if recording.kind == "histogram" {
        let bounds = recording.buckets.clone().unwrap_or_else(|| by_unit(&recording.unit).to_vec());
        recording.buckets = Some(bounds.into_iter().map(converted).collect());
    }
    let is_whole = recording.number != "f64" && to_size < from;
    recording.value = match &recording.value {
        Number::Whole(value) if is_whole => Number::Whole(value * (from / to_size) as i64),
        value => Number::Double(converted(value.f64())),
    };
    if !is_whole {
        recording.number = "f64".to_owned();
    }
    recording.unit = to.to_owned();
}
