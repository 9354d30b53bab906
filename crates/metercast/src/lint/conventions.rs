//! The naming and units of OpenTelemetry's semantic conventions, for metrics as they are declared.
//!
//! | rule | what it forbids |
//! | --- | --- |
//! | `help` | a metric without description |
//! | `no-unit` | a metric without unit |
//! | `unit` | a unit that UCUM does not know, such as `seconds` for `s` or `request` for `{request}` |
//! | `unit-prefix` | a unit with a prefix, such as `ms` or `MiBy` |
//! | `duration` | a duration that is not measured in seconds |
//! | `known` | a kind or unit other than the conventions fix for a metric of theirs |
//! | `name` | a name that is not of lower-case words with underscores, and dots between namespaces |
//! | `total-in-name` | `total` at the end of a name, which exporters append where it belongs |
//! | `unit-in-name` | the unit at the end of a name, where exporters may append it again |
//! | `same-but-case`, `same-on-page` | two names that differ in case only, or that a page spells alike |
//! | `label` | a label whose key is not written as a name |

use std::collections::BTreeMap;

use super::known::known;
use super::{Finding, Metric, spelled, ucum};

/// Adds what these rules do not like.
pub fn check(metrics: &[Metric], findings: &mut Vec<Finding>) {
    for metric in metrics {
        let mut find = |rule: &'static str, text: String, mend: String| {
            findings.push(Finding::new(metric, rule, text, mend));
        };
        if metric.definition().description().is_empty() {
            find("help", "there is no description".to_owned(), "say what it measures".to_owned());
        }
        check_unit(metric, &mut find);
        check_name(metric, &mut find);
        for key in metric.labels().filter(|key| !is_well_formed(key)) {
            let mend = format!("write {}", well_formed(key));
            find("label", format!("the label {key:?} is not of lower-case words"), mend);
        }
    }
    check_alike(metrics, findings);
}

fn check_unit(metric: &Metric, find: &mut impl FnMut(&'static str, String, String)) {
    let (name, unit) = (metric.name(), metric.unit());
    let is_known = known(name).is_some();
    if let Some((kind, expected)) = known(name) {
        if metric.kind() != kind {
            find(
                "known",
                format!("the conventions have it as a {kind}"),
                format!("make it a {kind}, or call it otherwise"),
            );
        }
        if unit != expected {
            let mend = format!("measure in {expected}, or call it otherwise");
            find("known", format!("the conventions measure it in {expected}"), mend);
        }
    }
    if unit.is_empty() {
        let mend = "give it a unit: {thing} for things that are counted, 1 for a ratio";
        find("no-unit", "there is no unit".to_owned(), mend.to_owned());
    } else if !ucum::is_valid(unit) {
        let mend = match WORDS.iter().find(|(word, _)| unit.eq_ignore_ascii_case(word)) {
            Some((_, code)) => format!("write {code}"),
            None if unit.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                format!("write {{{}}}", unit.strip_suffix('s').unwrap_or(unit))
            }
            None => "write it as UCUM does, or in braces if it only says what is counted".to_owned(),
        };
        find("unit", format!("{unit:?} is no unit of UCUM"), mend);
    } else if let Some(base) = ucum::without_prefix(unit) {
        find("unit-prefix", format!("the unit {unit} has a prefix"), format!("measure in {base}"));
    }
    let is_duration = name.ends_with(".duration") || name.ends_with("_duration");
    if is_duration && !is_known && unit != "s" && ucum::without_prefix(unit) != Some("s") {
        find("duration", "a duration is measured in seconds".to_owned(), "measure in s".to_owned());
    }
}

fn check_name(metric: &Metric, find: &mut impl FnMut(&'static str, String, String)) {
    let name = metric.name();
    if !is_well_formed(name) {
        let mend = format!("write {}", well_formed(name));
        find("name", "the name is not of lower-case words with dots between namespaces".to_owned(), mend);
    }
    let Some((rest, last)) = name.rsplit_once(['.', '_']) else { return };
    if last == "total" {
        let mend = format!("call it {rest}; exporters append total where it belongs");
        find("total-in-name", "the name ends in total".to_owned(), mend);
    } else if WORDS.iter().any(|(word, code)| last == *word && ucum::is_valid(code))
        || ucum::without_prefix(last).is_some()
    {
        find(
            "unit-in-name",
            format!("the name ends in the unit {last}"),
            format!("call it {rest}, and give it the unit"),
        );
    }
}

/// Names that somebody would take for each other.
fn check_alike(metrics: &[Metric], findings: &mut Vec<Finding>) {
    let mut by_case: BTreeMap<String, &str> = BTreeMap::new();
    let mut by_page: BTreeMap<String, &str> = BTreeMap::new();
    for metric in metrics {
        let name = metric.name();
        if let Some(other) = by_case.insert(name.to_ascii_lowercase(), name) {
            let text = format!("{other} differs from it in case only");
            findings.push(Finding::new(
                metric,
                "same-but-case",
                text,
                "make them one metric, or call one otherwise",
            ));
        } else if let Some(other) = by_page.get(&spelled(name)) {
            let text = format!("a page spells {other} like it");
            findings.push(Finding::new(
                metric,
                "same-on-page",
                text,
                "make them one metric, or call one otherwise",
            ));
        }
        by_page.insert(spelled(name), name);
    }
}

/// Lower-case words with underscores, and dots between namespaces.
fn is_well_formed(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !part.ends_with('_')
            && !part.contains("__")
    })
}

/// A name of lower-case words that is like this one.
fn well_formed(name: &str) -> String {
    let mut formed = String::new();
    let mut before = '.';
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            formed.push('_');
        }
        if c.is_ascii_alphanumeric() || !matches!(formed.chars().last(), None | Some('_' | '.')) {
            formed.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    formed.trim_end_matches(['_', '.']).to_owned()
}

/// Words that people write for units, and how UCUM writes them.
const WORDS: &[(&str, &str)] = &[
    ("seconds", "s"),
    ("second", "s"),
    ("sec", "s"),
    ("secs", "s"),
    ("milliseconds", "ms, or better s"),
    ("millis", "ms, or better s"),
    ("microseconds", "us, or better s"),
    ("nanoseconds", "ns, or better s"),
    ("minutes", "min, or better s"),
    ("hours", "h, or better s"),
    ("days", "d, or better s"),
    ("bytes", "By"),
    ("byte", "By"),
    ("kilobytes", "kBy, or better By"),
    ("megabytes", "MBy, or better By"),
    ("kb", "kBy, or better By"),
    ("mb", "MBy, or better By"),
    ("gb", "GBy, or better By"),
    ("bits", "bit"),
    ("percent", "%, or better 1"),
    ("ratio", "1"),
    ("celsius", "Cel"),
    ("hertz", "Hz"),
    ("meters", "m"),
    ("volts", "V"),
    ("watts", "W"),
    ("joules", "J"),
    ("grams", "g"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_formed_of_lower_case_words() {
        for (name, formed) in [
            ("ordersPlaced", "orders_placed"),
            ("HTTP.Server", "http.server"),
            ("orders-placed", "orders_placed"),
            ("__a..b_", "a.b"),
            ("p99Latency", "p99_latency"),
        ] {
            assert!(!is_well_formed(name));
            assert_eq!(well_formed(name), formed);
        }
        assert!(is_well_formed("http.server.active_requests"));
    }
}
