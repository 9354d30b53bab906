//! `metercast lint`: what is wrong with a metrics page although it works, by the rules of promlint and ours.

mod options;
mod own;
mod syntax;

use std::borrow::Cow;
use std::collections::HashMap;

use metercast_tower::lint::prometheus;
use serde_json::json;

use crate::fetch::{self, Access, Text};
use crate::page::Page;
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

/// What was found on a page.
#[derive(Clone, Debug)]
struct Verdict {
    shown: String,
    metrics: usize,
    series: usize,
    found: Vec<Found>,
}

/// Prints what is wrong with a page. The status says whether anything is.
pub(crate) fn run(options: &Options) -> Answer {
    let (place, access) = (options.page.clone(), options.access.clone());
    let verdict = fetch::within(&options.access, &options.page, move || judge(&place, &access))??;
    let Verdict { shown, metrics, series, mut found } = verdict;
    found.retain(|found| !options.allow.iter().any(|allow| allow.lets(&found.rule, &found.metric)));
    found.sort_by(|one, other| one.metric.cmp(&other.metric));
    if options.json {
        let findings = found.iter().map(|found| {
            json!({ "metric": found.metric, "rule": found.rule, "text": found.text, "mend": found.mend })
        });
        let findings = findings.collect::<Vec<_>>();
        let json = json!({ "page": shown, "metrics": metrics, "series": series, "findings": findings });
        data(format!("{json}\n"))?;
    } else {
        let lines = found.iter().map(|Found { metric, rule, text, mend }| {
            let metric = if metric.is_empty() { "the page" } else { metric };
            format!("{metric}: {text}; {mend} ({rule})\n")
        });
        print(&lines.collect::<String>())?;
        if found.is_empty() {
            print(&format!("{shown}: nothing to mend in {metrics} metrics\n"))?;
        }
    }
    Ok(found.is_empty())
}

/// Reads a page and looks for what all rules do not like.
fn judge(place: &str, access: &Access) -> Result<Verdict, String> {
    let Text { bytes, shown, kind } = fetch::text(place, access)?;
    let limits = access.limits();
    let mut checked = syntax::check(bytes, limits.series);
    let text = std::mem::take(&mut checked.text);
    let mut page =
        Page::read(text.as_bytes(), &limits).map_err(|error| format!("cannot read {shown}: {error}"))?;
    // What the reader refuses besides is refused as well.
    page.faults += checked.faults;
    page.left_out += checked.left_out;
    page.first_fault = [checked.first_fault, page.first_fault].into_iter().flatten().min();
    if page.families.is_empty() && !checked.is_page {
        return Err(match page.first_fault {
            Some((line, fault)) => fetch::foreign(&shown, &kind, line, fault),
            None => format!("{shown} has no metrics at all; is that where the page is?"),
        });
    }
    let mut found = own::check(&page, &limits);
    let text = if checked.is_open { Cow::Owned(as_text(&text)) } else { Cow::Borrowed(&text[..]) };
    found.extend(prometheus::check(&text).into_iter().map(|finding| Found {
        metric: finding.metric,
        rule: finding.rule.into_owned(),
        text: finding.text,
        mend: finding.mend,
    }));
    Ok(Verdict { shown, metrics: page.families.len(), series: page.series, found })
}

/// A page in OpenMetrics as text 0.0.4 has it, for promlint's rules: OpenMetrics calls counters and infos without their suffixes, and says
/// when series began.
fn as_text(page: &str) -> String {
    let kind_of = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some((name.to_owned(), kind.to_owned()))
    };
    let kinds: HashMap<String, String> = page.lines().filter_map(kind_of).collect();
    let mut text = String::with_capacity(page.len());
    for line in page.lines() {
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
