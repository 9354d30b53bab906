//! Many places, one metric: what they say together, and what they contradict each other in.

use std::collections::BTreeMap;

use metercast_core::{Kind, Store, Visibility};

use super::metric::{Buckets, Label, Metric, Values};
use crate::snapshot::{Family, Point, Snapshot};

/// The metrics that these places name, sorted by name, and what the places contradict each other in.
pub(super) fn merged(mut places: Vec<Metric>) -> (Vec<Metric>, Vec<String>) {
    // Declarations first: they say the most. The order of the file is the linker's.
    places.sort_by(|a, b| {
        let key = |metric: &Metric| (!metric.places[0].declared, metric.places[0].clone());
        a.name.cmp(&b.name).then_with(|| key(a).cmp(&key(b)))
    });
    let mut metrics: Vec<Metric> = Vec::new();
    let mut conflicts = Vec::new();
    for metric in places {
        let is_same = |known: &&mut Metric| {
            known.name == metric.name
                && known.kind == metric.kind
                && known.number == metric.number
                && known.unit == metric.unit
        };
        match metrics.iter_mut().rev().find(is_same) {
            Some(known) => join(known, metric, &mut conflicts),
            None => metrics.push(metric),
        }
    }
    for metric in &mut metrics {
        metric.places.sort();
        metric.places.dedup();
    }
    for pair in metrics.windows(2) {
        if pair[0].name == pair[1].name {
            conflicts.push(two_meanings(&pair[0], &pair[1]));
        }
    }
    conflicts.extend(alike(&metrics));
    conflicts.sort();
    conflicts.dedup();
    (metrics, conflicts)
}

/// Adds what another place says of the same metric.
fn join(known: &mut Metric, other: Metric, conflicts: &mut Vec<String>) {
    let mut differ = |what: &str, one: &str, another: &str| {
        conflicts.push(format!(
            "{} has two {what}, {one} at {} and {another} at {}: make them equal",
            known.name, known.places[0], other.places[0]
        ));
    };
    if known.description != other.description {
        differ("descriptions", &format!("{:?}", known.description), &format!("{:?}", other.description));
    }
    // A place that says nothing of buckets goes along with those that do.
    match (&known.buckets, &other.buckets) {
        (Some(Buckets::ByUnit(_)), Some(_)) => known.buckets.clone_from(&other.buckets),
        (Some(_), Some(Buckets::ByUnit(_))) => {}
        (one, another) if one != another => {
            differ("sets of buckets", &format!("{one:?}"), &format!("{another:?}"));
        }
        _ => {}
    }
    if other.visibility == Visibility::Private {
        known.visibility = Visibility::Private;
    }
    known.observable |= other.observable;
    known.zeroes |= other.zeroes;
    known.open_labels |= other.open_labels;
    join_labels(&mut known.labels, other.labels, other.open_labels);
    known.places.extend(other.places);
}

fn join_labels(known: &mut Vec<Label>, others: Vec<Label>, are_open: bool) {
    for label in known.iter_mut() {
        // A place whose labels are not known may well give all of them.
        label.optional |= !are_open && !others.iter().any(|other| other.key == label.key);
    }
    for mut other in others {
        match known.iter_mut().find(|label| label.key == other.key) {
            Some(label) => {
                label.values = label.values.or(&other.values);
                label.optional |= other.optional;
            }
            None => {
                other.optional = true;
                known.push(other);
            }
        }
    }
}

fn two_meanings(one: &Metric, other: &Metric) -> String {
    let meaning = |metric: &Metric| {
        let unit =
            if metric.unit.is_empty() { "without unit".to_owned() } else { format!("in {}", metric.unit) };
        let article = if metric.kind == Kind::UpDownCounter { "an" } else { "a" };
        format!("{article} {} of {} {unit} at {}", metric.kind, metric.number, metric.places[0])
    };
    format!(
        "{} has two meanings, {} and {}: a store keeps the one that it meets first; rename one",
        one.name,
        meaning(one),
        meaning(other)
    )
}

/// Names that differ in the case of their letters alone, which OpenTelemetry takes as one.
fn alike(metrics: &[Metric]) -> Vec<String> {
    let mut by_name: BTreeMap<String, &Metric> = BTreeMap::new();
    let mut found = Vec::new();
    for metric in metrics.chunk_by(|a, b| a.name == b.name).map(|same| &same[0]) {
        let first = *by_name.entry(metric.name.to_ascii_lowercase()).or_insert(metric);
        if first.name != metric.name {
            found.push(format!(
                "{} at {} and {} at {} differ in the case of letters alone: rename one",
                first.name, first.places[0], metric.name, metric.places[0]
            ));
        }
    }
    found
}

/// Adds what the store has met and the text does not have.
pub(super) fn add_met(metrics: &mut Vec<Metric>, store: &Store) {
    for family in Snapshot::of(store).families {
        let definition = &family.definition;
        let is_known = |metric: &Metric| {
            metric.name == definition.name()
                && metric.kind == definition.kind()
                && metric.number == definition.number()
                && metric.unit == definition.unit()
        };
        if metrics.iter().any(is_known) {
            continue;
        }
        let mut keys: Vec<&str> = Vec::new();
        let mut sets = definition.label_keys();
        sets.extend(family.series.iter().map(|series| series.labels.iter().map(|(key, _)| key).collect()));
        for key in sets.iter().flatten() {
            if !keys.contains(key) {
                keys.push(key);
            }
        }
        let is_optional = |key: &str| sets.iter().any(|set| !set.contains(&key));
        let label =
            |key: &&str| Label { key: (*key).to_owned(), optional: is_optional(key), values: Values::Text };
        metrics.push(Metric {
            name: definition.name().to_owned(),
            kind: definition.kind(),
            number: definition.number(),
            unit: definition.unit().to_owned(),
            description: definition.description().to_owned(),
            visibility: definition.visibility(),
            observable: definition.is_observable(),
            zeroes: definition.zeroes(),
            buckets: met_buckets(&family),
            labels: keys.iter().map(label).collect(),
            open_labels: true,
            places: Vec::new(),
            met: true,
            named_for_prometheus: definition.prometheus_type().is_some(),
        });
    }
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
}

/// How the first series of a distribution is kept.
fn met_buckets(family: &Family) -> Option<Buckets> {
    match &family.series.first()?.point {
        Point::Histogram(buckets) => Some(Buckets::Bounds(buckets.bounds.to_vec())),
        Point::Exponential(_) => Some(Buckets::Exponential),
        _ => None,
    }
}
