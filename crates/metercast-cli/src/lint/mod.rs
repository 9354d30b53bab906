//! `metercast lint`: what is wrong with a metrics page although it works, by the rules of promlint and ours.

mod options;
mod own;

use std::io::{self, Write};
use std::process::ExitCode;

use metercast_tower::lint::prometheus;
use metercast_tower::view::Glob;
use serde_json::json;

use crate::fetch;
use crate::page::{self, Page};

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
pub(crate) fn run(options: &Options) -> ExitCode {
    match look(options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            let _ = writeln!(io::stderr(), "error: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn look(options: &Options) -> Result<bool, String> {
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
    // What cannot be read is said once, and names no metric.
    let valid: String =
        text.lines().filter(|line| page::is_valid(line)).flat_map(|line| [line, "\n"]).collect();
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
        print(&format!("{json}\n"))?;
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

/// Prints; whoever has seen enough closes it, as `head` does.
fn print(text: &str) -> Result<(), String> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}
