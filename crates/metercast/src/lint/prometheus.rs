//! The rules of Prometheus' promlint, which `promtool check metrics` applies to a page.
//!
//! | rule | what it forbids |
//! | --- | --- |
//! | `help` | a metric without help |
//! | `base-unit` | a unit that is not a base unit, such as `_milliseconds` or `_kilobytes` |
//! | `total` | a counter without `_total`, and `_total` on anything else |
//! | `reserved-suffix` | `_bucket`, `_count` and `_sum` on what is no histogram or summary |
//! | `reserved-label` | the labels `le` and `quantile` on what is none |
//! | `kind-in-name` | a name that says what kind it is |
//! | `colon` | a colon, which belongs to recording rules |
//! | `camel-case`, `label-camel-case` | names and labels in camel case |
//! | `abbreviated-unit` | a unit that is abbreviated, such as `_ms` |
//! | `repeated` | a series that is there twice |

use super::Finding;
use super::page::{Family, families};

/// The names of the rules, in the order of the table above.
pub const RULES: &[&str] = &[
    "help",
    "base-unit",
    "total",
    "reserved-suffix",
    "reserved-label",
    "kind-in-name",
    "colon",
    "camel-case",
    "label-camel-case",
    "abbreviated-unit",
    "repeated",
];

/// What is wrong with a page in Prometheus' text format 0.0.4, in its order: what promlint finds, in other words.
///
/// ```
/// let page = "# HELP wait_ms Time to wait\n# TYPE wait_ms gauge\nwait_ms 3\n";
/// let findings = metercast::lint::prometheus::check(page);
/// assert_eq!(findings[0].to_string(), "wait_ms: the unit is abbreviated; write it in full (abbreviated-unit)");
/// ```
pub fn check(page: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for family in families(page) {
        check_family(&family, &mut |rule, text: String, mend: &str| {
            findings.push(Finding::named(&family.name, rule, text, mend));
        });
    }
    findings
}

fn check_family(family: &Family, find: &mut impl FnMut(&'static str, String, &str)) {
    let Family { name, kind, .. } = family;
    let (is_histogram, is_summary) = (kind == "histogram", kind == "summary");
    if family.help.as_deref().unwrap_or_default().is_empty() {
        find("help", "there is no help".to_owned(), "say what it measures");
    }
    if let Some((unit, base)) = unit_of(name).filter(|(unit, base)| unit != base) {
        find("base-unit", format!("{unit} are no base unit"), &format!("measure in {base}"));
    }
    let is_total = name.ends_with("_total");
    match kind.as_str() {
        "counter" if !is_total => {
            find("total", "a counter ends in _total".to_owned(), "append _total to its name");
        }
        "counter" | "untyped" => {}
        _ if is_total => {
            find("total", format!("a {kind} does not end in _total"), "remove _total from its name");
        }
        _ => {}
    }
    if kind != "untyped" {
        for (suffix, is_right) in [
            ("_bucket", is_histogram),
            ("_count", is_histogram || is_summary),
            ("_sum", is_histogram || is_summary),
        ] {
            if name.ends_with(suffix) && !is_right {
                find(
                    "reserved-suffix",
                    format!("{suffix} belongs to histograms and summaries"),
                    "end its name otherwise",
                );
            }
        }
        for (label, is_right) in [("le", is_histogram), ("quantile", is_summary)] {
            if family.labels.contains(label) && !is_right {
                find(
                    "reserved-label",
                    format!("the label {label} belongs to histograms and summaries"),
                    "call it otherwise",
                );
            }
        }
    }
    let lower = name.to_ascii_lowercase();
    let has_word = |word: &str| lower.contains(&format!("_{word}_")) || lower.ends_with(&format!("_{word}"));
    for word in ["counter", "gauge", "summary", "histogram"].into_iter().filter(|word| has_word(word)) {
        find("kind-in-name", format!("the name says that it is a {word}"), "leave that to its type");
    }
    if name.contains(':') {
        find("colon", "a colon belongs to recording rules".to_owned(), "write an underscore");
    }
    if is_camel_case(name) {
        find("camel-case", "the name is in camel case".to_owned(), "write it in snake case");
    }
    for key in family.labels.iter().filter(|key| is_camel_case(key)) {
        find("label-camel-case", format!("the label {key} is in camel case"), "write it in snake case");
    }
    if ABBREVIATIONS.iter().any(|unit| has_word(unit)) {
        find("abbreviated-unit", "the unit is abbreviated".to_owned(), "write it in full");
    }
    if family.repeated > 0 {
        let text = match family.repeated {
            1 => "a series is there more than once".to_owned(),
            repeated => format!("{repeated} samples stand there again"),
        };
        find("repeated", text, "give each series other labels");
    }
}

/// The first unit among the words of a name, and its base unit.
fn unit_of(name: &str) -> Option<(&str, &'static str)> {
    name.split('_').find_map(|word| {
        let base = |unit: &str| UNITS.iter().find(|(known, _)| *known == unit).map(|(_, base)| *base);
        let prefixed = || PREFIXES.iter().find_map(|prefix| base(word.strip_prefix(prefix)?));
        Some((word, base(word).or_else(prefixed)?))
    })
}

fn is_camel_case(name: &str) -> bool {
    name.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// Units that promlint knows, with the base unit of each.
const UNITS: &[(&str, &str)] = &[
    ("amperes", "amperes"),
    ("bits", "bytes"),
    ("bytes", "bytes"),
    ("calories", "joules"),
    ("celsius", "celsius"),
    ("days", "seconds"),
    ("fahrenheit", "celsius"),
    ("grams", "grams"),
    ("hours", "seconds"),
    ("inches", "meters"),
    ("joules", "joules"),
    ("kelvin", "kelvin"),
    ("kelvins", "kelvin"),
    ("meters", "meters"),
    ("metres", "metres"),
    ("miles", "meters"),
    ("minutes", "seconds"),
    ("ounces", "grams"),
    ("pounds", "grams"),
    ("rankine", "celsius"),
    ("seconds", "seconds"),
    ("volts", "volts"),
    ("weeks", "seconds"),
    ("yards", "meters"),
];

/// Prefixes that it knows, in its spelling.
const PREFIXES: &[&str] = &[
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi",
    "giga", "gibi", "tera", "tebi", "peta", "pebi",
];

/// Abbreviations that it does not like.
const ABBREVIATIONS: &[&str] =
    &["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];
