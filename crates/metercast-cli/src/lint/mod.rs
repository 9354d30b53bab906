//! `metercast lint`: what is wrong with a metrics page although it works, by the rules of promlint and ours.

mod options;
mod own;

use std::collections::HashMap;

use metercast_tower::lint::prometheus;
use metercast_tower::view::Glob;
use serde_json::json;

use crate::fetch;
use crate::page::{self, Page};
use crate::terminal::{Answer, data, print};

pub(crate) use options::Options;

/// Something that a rule does not like.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    /// Empty if it is of the page as a whole.
    metric: String,
    rule: String,
    text: String,
    mend: String,
}

/// Prints what is wrong with a page. The status says whether anything is.
pub(crate) fn run(options: &Options) -> Answer {
    let allowed: Vec<(&str, Option<Glob>)> = options
        .allow
        .iter()
        .map(|allow| match allow.split_once('=') {
            Some((rule, pattern)) => (rule, Some(Glob::new(pattern))),
            None => (allow.as_str(), None),
        })
        .collect();
    let (text, shown) = fetch::text(&options.page, &options.access)?;
    let limits = options.access.limits();
    let read =
        Page::read(text.as_bytes(), &limits).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mut found = own::check(&read);
    let valid = as_text(&text);
    found.extend(prometheus::check(&valid).into_iter().map(|finding| Found {
        metric: finding.metric,
        rule: finding.rule.into_owned(),
        text: finding.text,
        mend: finding.mend,
    }));
    found.retain(|found| {
        !allowed.iter().any(|(rule, pattern)| {
            *rule == found.rule && pattern.as_ref().is_none_or(|pattern| pattern.matches(&found.metric))
        })
    });
    found.sort_by(|one, other| one.metric.cmp(&other.metric));
    if options.json {
        let findings = found.iter().map(|found| {
            json!({ "metric": found.metric, "rule": found.rule, "text": found.text, "mend": found.mend })
        });
        let json = json!({
            "page": shown, "metrics": read.families.len(), "series": read.series,
            "findings": findings.collect::<Vec<_>>(),
        });
        data(format!("{json}\n"))?;
    } else {
        for Found { metric, rule, text, mend } in &found {
            let metric = if metric.is_empty() { "the page" } else { metric };
            print(&format!("{metric}: {text}; {mend} ({rule})\n"))?;
        }
        if found.is_empty() {
            print(&format!("{shown}: nothing to mend in {} metrics\n", read.families.len()))?;
        }
    }
    Ok(found.is_empty())
}

/// The lines that can be read, as text 0.0.4 has them, for promlint's rules: what cannot be read is said once, and names no metric.
/// OpenMetrics calls counters and infos without their suffixes, and says when series began.
fn as_text(page: &str) -> String {
    let is_open = page.trim_end().ends_with("\n# EOF");
    let kind_of = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some((name.to_owned(), kind.to_owned()))
    };
    let kinds: HashMap<String, String> =
        if is_open { page.lines().filter_map(kind_of).collect() } else { HashMap::new() };
    let mut text = String::with_capacity(page.len());
    for line in page.lines().filter(|line| page::is_valid(line)) {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let began = line.split(['{', ' ']).next().and_then(|name| name.strip_suffix("_created"));
        if began.is_some_and(|name| kinds.contains_key(name)) {
            continue;
        }
        let of = |name: &str| kinds.get(name).map(String::as_str);
        match words[..] {
            ["#", word @ ("HELP" | "TYPE"), name, rest] if of(name) == Some("counter") => {
                text.push_str(&format!("# {word} {name}_total {rest}"));
            }
            ["#", "TYPE", name, _] if of(name) == Some("info") => {
                text.push_str(&format!("# TYPE {name}_info gauge"));
            }
            ["#", "HELP", name, rest] if of(name) == Some("info") => {
                text.push_str(&format!("# HELP {name}_info {rest}"));
            }
            ["#", "TYPE", name, "unknown"] => text.push_str(&format!("# TYPE {name} untyped")),
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}
