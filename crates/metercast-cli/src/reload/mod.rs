//! `metercast reload`: lets a running program read its configuration again, or say what that would do.

mod options;

use serde_json::json;

use crate::admin::Program;
use crate::terminal::{Answer, data, print};

pub(crate) use options::Options;

/// Prints what a reload did, or would do. The status says whether the configuration holds, or would.
pub(crate) fn run(options: &Options) -> Answer {
    let program = Program::at(&options.url, &options.access)?;
    let path = if options.dry_run { "-/reload/plan" } else { "-/reload" };
    let answer = program.post(path)?;
    if let Some(refusal) = program.refusal(&answer) {
        return Err(refusal);
    }
    let says = answer.text.trim_end();
    match answer.status {
        200 if options.json => {
            let known = options.dry_run.then(|| plan(says));
            data(format!(
                "{:#}\n",
                json!({ "ok": true, "dry_run": options.dry_run, "text": says, "plan": known })
            ))
        }
        200 => print(&format!("{says}\n")),
        422 if options.json => {
            data(format!(
                "{:#}\n",
                json!({ "ok": false, "dry_run": options.dry_run, "text": says, "plan": null })
            ))?;
            Ok(false)
        }
        422 => Err(format!("the configuration is refused, and the one before it holds:\n{says}")),
        404 | 405 => Err(format!(
            "it does not reload at the request of others ({says}); set reload = true in the table of the exporter that serves its page"
        )),
        409 => Err(says.to_owned()),
        status => Err(format!("it answers {status}: {says}")),
    }
}

/// A line for what holds for all exporters, and one for each exporter, as data.
fn plan(text: &str) -> serde_json::Value {
    let (exporters, settings): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.contains(": "));
    let settings = settings.iter().filter_map(|line| line.strip_suffix(" changed"));
    let settings: Vec<_> = settings.flat_map(|line| line.split(", ")).collect();
    let exporters = exporters.iter().filter_map(|line| line.split_once(": ")).map(|(name, change)| {
        let keys = change.strip_suffix(" changed").map(|keys| keys.split(", ").collect::<Vec<_>>());
        json!({ "name": name, "change": if keys.is_some() { "changed" } else { change }, "keys": keys.unwrap_or_default() })
    });
    json!({ "settings": settings, "exporters": exporters.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_from_its_lines() {
        let text =
            "exemplars, on_error changed\ncentral: headers, tls changed\nold: removed\nscrape: unchanged";
        assert_eq!(
            plan(text),
            json!({
                "settings": ["exemplars", "on_error"],
                "exporters": [
                    { "name": "central", "change": "changed", "keys": ["headers", "tls"] },
                    { "name": "old", "change": "removed", "keys": [] },
                    { "name": "scrape", "change": "unchanged", "keys": [] },
                ],
            })
        );
    }
}
