//! Rules of ours about a page, beside those of promlint.
//!
//! | rule | what it forbids |
//! | --- | --- |
//! | `invalid-line` | lines that scrapers do not read |
//! | `left-out` | more series than are kept: of those that were left out nothing is known |
//! | `identity-label` | a label that names somebody or something single: a user, a session, a request |
//! | `unbounded-label` | a label of more than 1,000 values |
//! | `no-buckets` | a histogram without a finite bound, of which no quantile is known |

use std::collections::{HashMap, HashSet};

use super::Found;
use crate::page::{Family, Kind, Limits, Page, Value};

/// The names of these rules.
pub(super) const RULES: [&str; 5] =
    ["identity-label", "invalid-line", "left-out", "no-buckets", "unbounded-label"];

/// Labels of more values than this grow with what is measured.
const MOST_VALUES: usize = 1000;

/// Words in the key of a label whose values are as many as there are people, sessions or requests.
const IDENTITIES: [&str; 12] = [
    "email",
    "user_id",
    "userid",
    "session_id",
    "request_id",
    "trace_id",
    "span_id",
    "uuid",
    "guid",
    "ip_address",
    "client_ip",
    "url_full",
];

/// What these rules do not like, in the order of the page.
pub(super) fn check(page: &Page, limits: &Limits) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some((text, mend)) = page.lack(limits) {
        found.push(Found { metric: String::new(), rule: "left-out".to_owned(), text, mend });
    }
    if let Some((line, fault)) = page.first_fault {
        found.push(Found {
            metric: String::new(),
            rule: "invalid-line".to_owned(),
            text: match page.faults {
                1 => format!("line {line} {fault}"),
                faults => format!("{faults} lines are not valid, first line {line}, which {fault}"),
            },
            mend: "scrapers may refuse the whole page".to_owned(),
        });
    }
    for family in &page.families {
        let mut find = |rule: &str, text: String, mend: &str| {
            let (metric, rule, mend) = (family.name.clone(), rule.to_owned(), mend.to_owned());
            found.push(Found { metric, rule, text, mend });
        };
        for (key, values) in labels(family) {
            let key = key.replace('.', "_").to_lowercase();
            if IDENTITIES.contains(&key.as_str()) {
                let text = format!("the label {key} tells one from another");
                find("identity-label", text, "leave it to logs and traces, or to exemplars");
            } else if values > MOST_VALUES {
                // Those of series that were left out are not known.
                let least = if page.left_out > 0 { "at least " } else { "" };
                let text = format!("the label {key} has {least}{values} values");
                find("unbounded-label", text, "give it fewer, such as a route for a path, or a limit");
            }
        }
        let is_bare = |value: &Value| match value {
            Value::Distribution(distribution) => {
                !distribution.buckets.iter().any(|(bound, _)| bound.is_finite())
            }
            Value::Number(_) => true,
        };
        if family.kind == Kind::Histogram && family.series.iter().all(|series| is_bare(&series.value)) {
            find(
                "no-buckets",
                "it has no finite bound, so no quantile is known".to_owned(),
                "give it bounds",
            );
        }
    }
    found
}

/// How many values each label has.
fn labels(family: &Family) -> Vec<(&str, usize)> {
    let mut values: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (key, value) in family.series.iter().flat_map(|series| &series.labels) {
        values.entry(key).or_default().insert(value);
    }
    let mut counts: Vec<_> = values.into_iter().map(|(key, values)| (key, values.len())).collect();
    counts.sort_unstable();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<(String, String)> {
        let page = Page::read(text.as_bytes(), &Limits::default()).unwrap();
        check(&page, &Limits::default()).into_iter().map(|found| (found.metric, found.rule)).collect()
    }

    #[test]
    fn each_rule_finds_what_it_is_for_and_nothing_else() {
        let many: String = (0..1001).map(|path| format!("b{{path=\"/{path}\"}} 1\n")).collect();
        for (text, expected) in [
            ("a{route=\"/\"} 1\n", vec![]),
            ("a 1\nb{ 1\n", vec![("", "invalid-line")]),
            ("a{User.Id=\"1\"} 1\n", vec![("a", "identity-label")]),
            ("a{user_id=\"1\"} 1\n", vec![("a", "identity-label")]),
            (many.as_str(), vec![("b", "unbounded-label")]),
            ("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\n", vec![("h", "no-buckets")]),
            ("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n", vec![]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(metric, rule)| ((*metric).to_owned(), (*rule).to_owned())).collect();
            assert_eq!(rules(text), expected);
        }
    }
}
