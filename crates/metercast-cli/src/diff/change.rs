//! What changed of a program's metrics, and what that means for dashboards and alerts.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value as Json, json};

use super::words::{self, text};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) weight: Weight,
    pub(super) metric: String,
    pub(super) text: String,
}

/// What a change means for those who read the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// What they ask for is gone, or means something else.
    Breaking,
    /// There is more to ask for.
    Additive,
    /// Only words.
    Wording,
}

impl Weight {
    fn name(self) -> &'static str {
        match self {
            Weight::Breaking => "breaking",
            Weight::Additive => "additive",
            Weight::Wording => "wording",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9} {}: {}", self.weight.name(), self.metric, self.text)
    }
}

impl Change {
    /// The same as data.
    pub(super) fn json(&self) -> Json {
        json!({ "weight": self.weight.name(), "metric": self.metric, "text": self.text })
    }
}

/// What changed, what breaks first; both lists are as a catalogue prints them.
pub(super) fn changes(old: &[Json], new: &[Json]) -> Vec<Change> {
    let (old, new) = (by_name(old), by_name(new));
    let mut found = Vec::new();
    for (name, was) in &old {
        match new.get(name) {
            Some(is) => of_metric(name, was, is, &mut found),
            None => found.push(Change {
                weight: Weight::Breaking,
                metric: name.clone(),
                text: format!("removed ({})", text(&was["kind"])),
            }),
        }
    }
    for (name, is) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        let text = format!("added ({})", text(&is["kind"]));
        found.push(Change { weight: Weight::Additive, metric: name.clone(), text });
    }
    found.sort_by(|one, other| one.weight.cmp(&other.weight).then_with(|| one.metric.cmp(&other.metric)));
    found
}

fn of_metric(name: &str, was: &Json, is: &Json, found: &mut Vec<Change>) {
    let mut find =
        |weight: Weight, text: String| found.push(Change { weight, metric: name.to_owned(), text });
    for key in ["kind", "unit"] {
        if was[key] != is[key] {
            find(Weight::Breaking, format!("{key} {} -> {}", text(&was[key]), text(&is[key])));
        }
    }
    if was["buckets"] != is["buckets"] {
        find(Weight::Breaking, words::of_buckets(&was["buckets"], &is["buckets"]));
    }
    // The name follows from kind and unit, but may change by itself.
    if was["prometheus"] != is["prometheus"] && was["kind"] == is["kind"] && was["unit"] == is["unit"] {
        let (old, new) = (text(&was["prometheus"]), text(&is["prometheus"]));
        find(Weight::Breaking, format!("Prometheus has it as {new}, not as {old}"));
    }
    match (was["visibility"].as_str(), is["visibility"].as_str()) {
        (Some("public"), Some("private")) => {
            find(Weight::Breaking, "private now: only the vendor sees it".to_owned());
        }
        (Some("private"), Some("public")) => find(Weight::Additive, "public now".to_owned()),
        _ => {}
    }
    let (old, new) = (labels(was), labels(is));
    for (key, label) in &old {
        match new.get(key) {
            None => find(Weight::Breaking, format!("label {key} removed")),
            Some(now) => of_label(key, label, now, &mut find),
        }
    }
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        find(Weight::Additive, format!("label {key} added"));
    }
    if was["description"] != is["description"] {
        find(
            Weight::Wording,
            format!("description {} -> {}", text(&was["description"]), text(&is["description"])),
        );
    }
}

fn of_label(key: &str, was: &Json, is: &Json, find: &mut impl FnMut(Weight, String)) {
    if was["optional"] == Json::Bool(false) && is["optional"] == Json::Bool(true) {
        find(Weight::Breaking, format!("label {key} may be missing now"));
    }
    let (was, is) = (&was["values"], &is["values"]);
    if was == is {
        return;
    }
    let all = |values: &Json| -> Option<Vec<String>> {
        let mut all: Vec<_> = values["one_of"].as_array()?.iter().map(text).collect();
        all.extend(values["fallback"].as_str().map(|fallback| format!("{fallback:?}")));
        Some(all)
    };
    let (Some(old), Some(new)) = (all(was), all(is)) else {
        find(
            Weight::Breaking,
            format!("label {key} has {} -> {}", words::of_values(was), words::of_values(is)),
        );
        return;
    };
    let without = |these: &[String], those: &[String]| {
        these.iter().filter(|value| !those.contains(value)).cloned().collect::<Vec<_>>().join(", ")
    };
    let (gone, come) = (without(&old, &new), without(&new, &old));
    if !gone.is_empty() {
        find(Weight::Breaking, format!("label {key} is never {gone} any more"));
    }
    if !come.is_empty() {
        find(Weight::Additive, format!("label {key} may be {come}"));
    }
}

/// By name; metrics of one name and different kinds are told apart by that.
fn by_name(metrics: &[Json]) -> BTreeMap<String, &Json> {
    let mut named = BTreeMap::new();
    for metric in metrics {
        let name = metric["name"].as_str().unwrap_or_default();
        let kind = text(&metric["kind"]);
        if named.contains_key(name) {
            named.insert(format!("{name} ({kind}, {})", text(&metric["unit"])), metric);
        } else {
            named.insert(name.to_owned(), metric);
        }
    }
    named
}

fn labels(metric: &Json) -> BTreeMap<&str, &Json> {
    let labels = metric["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    labels.iter().filter_map(|label| Some((label["key"].as_str()?, label))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, more: &Json) -> Json {
        let mut metric = json!({
            "name": name, "prometheus": format!("{name}_total"), "kind": "counter", "unit": "", "description": "What.",
            "visibility": "public", "buckets": null, "labels": [],
        });
        for (key, value) in more.as_object().unwrap() {
            metric[key] = value.clone();
        }
        metric
    }

    fn found(old: &Json, new: &Json) -> Vec<String> {
        changes(&[metric("a", old)], &[metric("a", new)]).iter().map(Change::to_string).collect()
    }

    fn label(values: &Json, optional: bool) -> Json {
        json!({ "labels": [{ "key": "side", "optional": optional, "values": values }] })
    }

    #[test]
    fn each_change_has_its_weight() {
        let sides = |sides: &[&str]| json!({ "one_of": sides, "fallback": null });
        for (old, new, expected) in [
            (json!({}), json!({}), vec![]),
            (json!({}), json!({ "kind": "gauge" }), vec!["breaking  a: kind counter -> gauge"]),
            (json!({}), json!({ "unit": "s" }), vec!["breaking  a: unit none -> s"]),
            (
                json!({}),
                json!({ "prometheus": "b" }),
                vec!["breaking  a: Prometheus has it as b, not as a_total"],
            ),
            (
                json!({}),
                json!({ "visibility": "private" }),
                vec!["breaking  a: private now: only the vendor sees it"],
            ),
            (json!({ "visibility": "private" }), json!({}), vec!["additive  a: public now"]),
            (json!({}), json!({ "description": "That." }), vec!["wording   a: description What. -> That."]),
            (
                json!({ "buckets": { "bounds": [1], "by_unit": false } }),
                json!({ "buckets": { "bounds": [2], "by_unit": false } }),
                vec!["breaking  a: bounds 1 -> 2"],
            ),
            (json!({}), label(&json!("text"), false), vec!["additive  a: label side added"]),
            (label(&json!("text"), false), json!({}), vec!["breaking  a: label side removed"]),
            (
                label(&json!("text"), false),
                label(&json!("text"), true),
                vec!["breaking  a: label side may be missing now"],
            ),
            (
                label(&sides(&["buy", "sell"]), false),
                label(&sides(&["buy", "swap"]), false),
                vec!["breaking  a: label side is never sell any more", "additive  a: label side may be swap"],
            ),
            (
                label(&json!("text"), false),
                label(&json!("whole"), false),
                vec!["breaking  a: label side has any text -> any whole number"],
            ),
        ] {
            assert_eq!(found(&old, &new), expected);
        }
    }

    #[test]
    fn what_breaks_comes_first() {
        let (old, new) = ([metric("z", &json!({}))], [metric("a", &json!({}))]);
        let lines: Vec<_> = changes(&old, &new).iter().map(Change::to_string).collect();
        assert_eq!(lines, ["breaking  z: removed (counter)", "additive  a: added (counter)"]);
    }
}
