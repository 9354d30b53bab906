//! Views, each of which is a stream of its own.

use super::section::{Field, Section};
use super::{Reader, listed};
use crate::config::place::Given;
use crate::config::projection::check_view;
use crate::config::tree::Value;
use crate::view::{Aggregation, Glob, LabelRule, Selector, View};
use metercast_core::Kind;

/// Bounds of a histogram whose view says none.
const BOUNDS: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0,
    10_000.0,
];

/// What the schema calls each instrument, what it measures, and whether callbacks say its values.
const TYPES: [&str; 7] = [
    "counter",
    "gauge",
    "histogram",
    "observable_counter",
    "observable_gauge",
    "observable_up_down_counter",
    "up_down_counter",
];

const AGGREGATIONS: [&str; 6] = [
    "default",
    "drop",
    "explicit_bucket_histogram",
    "base2_exponential_bucket_histogram",
    "last_value",
    "sum",
];

impl<'n> Reader<'_, 'n> {
    pub(super) fn views(&mut self, field: &Field<'n>) -> Vec<Given<View>> {
        let items = self.findings.items(field).unwrap_or_default();
        items.iter().filter_map(|item| self.view(item)).collect()
    }

    fn view(&mut self, item: &Field<'n>) -> Option<Given<View>> {
        let mut section = Section::of(item.place.clone(), item.node, self.findings)?;
        let parts = [("selector", section.take("selector")), ("stream", section.take("stream"))];
        section.finish(self.findings);
        for (key, part) in &parts {
            if part.is_none() {
                let message = "is missing; a view has a selector and a stream, each with at least one key";
                self.findings.problem(&item.place.child(key), message);
            }
        }
        let [(_, Some(selector)), (_, Some(stream))] = parts else { return None };
        let selector = self.selector(&selector)?;
        let view = self.stream(selector, &stream)?;
        // A view that changes nothing is a stream all the same.
        let view = if view.is_idle() { view.keep() } else { view };
        self.findings.take(&item.place, check_view(view))
    }

    fn selector(&mut self, field: &Field<'n>) -> Option<Selector> {
        let mut section = Section::of(field.place.clone(), field.node, self.findings)?;
        let mut text = |key| {
            let field = section.take(key)?;
            self.findings.string(&field.place, field.node, "\"http.*\"")
        };
        let name = text("instrument_name").map(Glob::new);
        let unit = text("unit").map(str::to_owned);
        let scope = text("meter_name").map(Glob::new);
        let scope_version = text("meter_version").map(str::to_owned);
        let (mut kind, mut observable) = (None, None);
        if let Some(field) = section.take("instrument_type") {
            let word = self.findings.word(&field.place, field.node, &TYPES, |word| listed(&TYPES, word))?;
            (kind, observable) = instrument(word);
        }
        if let Some(field) = section.take("meter_schema_url") {
            let message = "selects nothing: the meters of metercast have no schema URL; leave it out";
            self.findings.problem(&field.place, message);
        }
        section.finish(self.findings);
        Some(Selector { name, kind, observable, unit, scope, scope_version, visibility: None })
    }

    fn stream(&mut self, selector: Selector, field: &Field<'n>) -> Option<View> {
        let mut section = Section::of(field.place.clone(), field.node, self.findings)?;
        let kind = selector.kind;
        let mut view = View::select(selector);
        if let Some(field) = section.take("name") {
            view.name = self.findings.string(&field.place, field.node, "\"http.latency\"").map(str::to_owned);
        }
        if let Some(field) = section.take("description") {
            view.description =
                self.findings.string(&field.place, field.node, "\"Latency\"").map(str::to_owned);
        }
        if let Some(field) = section.take("aggregation") {
            view.aggregation = self.aggregation(kind, &field);
        }
        if let Some(field) = section.take("aggregation_cardinality_limit") {
            let limit = self.findings.whole(&field, 1);
            view.limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        }
        if let Some(field) = section.take("attribute_keys")
            && let Some((included, excluded)) = self.included(&field)
        {
            for (globs, rule) in [(included, LabelRule::Keep as fn(_) -> _), (excluded, LabelRule::Drop)] {
                if !globs.is_empty() {
                    view.labels.push(rule(globs));
                    // As the specification has it of exemplars.
                    view.exemplar_labels = true;
                }
            }
        }
        section.finish(self.findings);
        Some(view)
    }

    /// The kind of a metric is what the program declares: an aggregation that would change it is refused, one that is its
    /// own changes nothing.
    fn aggregation(&mut self, kind: Option<Kind>, field: &Field<'n>) -> Option<Aggregation> {
        let section = Section::of(field.place.clone(), field.node, self.findings)?;
        let (key, field) = section.choice(self.findings, &AGGREGATIONS)?;
        let histogram = matches!(kind, None | Some(Kind::Histogram));
        let (fits, of) = match key {
            "explicit_bucket_histogram" | "base2_exponential_bucket_histogram" => (histogram, "histogram"),
            "sum" => {
                (matches!(kind, Some(Kind::Counter | Kind::UpDownCounter)), "counter or up_down_counter")
            }
            "last_value" => (kind == Some(Kind::Gauge), "gauge"),
            _ => (true, ""),
        };
        if !fits {
            let message = format!(
                "would change the kind of metrics, which metercast never does; write it where instrument_type is {of} only, or \
                 leave it out"
            );
            self.findings.problem(&field.place, message);
            return None;
        }
        let mut section = Section::of(field.place.clone(), field.node, self.findings)?;
        let aggregation = match key {
            "default" | "sum" | "last_value" => Some(Aggregation::Default),
            "drop" => Some(Aggregation::Drop),
            "explicit_bucket_histogram" => self.explicit(&mut section),
            "base2_exponential_bucket_histogram" => self.exponential(&mut section),
            _ => {
                self.findings.unknown(&field.place, key, &AGGREGATIONS);
                return None;
            }
        };
        section.finish(self.findings);
        aggregation
    }

    fn explicit(&mut self, section: &mut Section<'n>) -> Option<Aggregation> {
        if let Some(field) = section.take("record_min_max")
            && self.findings.truth(&field.place, field.node) == Some(true)
        {
            self.findings.warn(
                &field.place,
                "has no effect: explicit buckets are kept without a minimum and a maximum",
            );
        }
        let Some(field) = section.take("boundaries") else {
            return Some(Aggregation::Buckets(BOUNDS.to_vec()));
        };
        let Value::List(items) = &field.node.value else {
            return self.findings.mistyped(&field.place, "a list of numbers", &field.node.value);
        };
        let mut bounds = Vec::new();
        for (n, item) in items.iter().enumerate() {
            match &item.value {
                Value::Float(bound) => bounds.push(*bound),
                Value::Integer(bound) => bounds.push(*bound as f64),
                other => return self.findings.mistyped(&field.place.item(n).of(item), "a number", other),
            }
        }
        Some(Aggregation::Buckets(bounds))
    }

    fn exponential(&mut self, section: &mut Section<'n>) -> Option<Aggregation> {
        let (size, scale) = (section.take("max_size"), section.take("max_scale"));
        if let Some(field) = section.take("record_min_max")
            && self.findings.truth(&field.place, field.node) == Some(false)
        {
            self.findings.warn(
                &field.place,
                "has no effect: exponential buckets are kept with a minimum and a maximum",
            );
        }
        let size = size.map_or(Some(160), |field| self.findings.whole(&field, 2))?;
        let scale = scale.map_or(Some(20), |field| self.findings.whole(&field, -10))?;
        // What is beyond a number of its type is beyond what the check of a view lets through too.
        Some(Aggregation::Exponential {
            max_size: u32::try_from(size).unwrap_or(u32::MAX),
            max_scale: i8::try_from(scale).unwrap_or(i8::MAX),
        })
    }

    /// The patterns of `included` and `excluded`.
    pub(super) fn included(&mut self, field: &Field<'n>) -> Option<(Vec<Glob>, Vec<Glob>)> {
        let mut section = Section::of(field.place.clone(), field.node, self.findings)?;
        let mut globs = |key| match section.take(key) {
            Some(field) => Some(self.findings.strings(&field)?.into_iter().map(Glob::new).collect()),
            None => Some(Vec::new()),
        };
        let (included, excluded) = (globs("included"), globs("excluded"));
        section.finish(self.findings);
        Some((included?, excluded?))
    }
}

fn instrument(word: &str) -> (Option<Kind>, Option<bool>) {
    let kind = match word.strip_prefix("observable_").unwrap_or(word) {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "up_down_counter" => Kind::UpDownCounter,
        _ => return (Some(Kind::Histogram), None),
    };
    (Some(kind), Some(word.starts_with("observable_")))
}
