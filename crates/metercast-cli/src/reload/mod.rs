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
    let says = answer.says();
    match (answer.status, answer.said()) {
        (200 | 422, Some(said)) if options.json => {
            let (ok, dry_run) = (said.successful, options.dry_run);
            data(format!(
                "{:#}\n",
                json!({ "ok": ok, "dry_run": dry_run, "text": said.text, "changes": said.changes })
            ))?;
            Ok(ok)
        }
        (200, Some(said)) if said.successful => print(&format!("{says}\n")),
        (422, Some(_)) => Err(format!("the configuration is refused, and the one before it holds:\n{says}")),
        (404 | 405, _) => Err(format!(
            "it does not reload at the request of others ({says}); set reload = true in the table of the exporter that serves its page"
        )),
        (409 | 500, Some(_)) => Err(says),
        (200..300 | 409 | 422, _) => Err(format!(
            "{} is no metercast listener: it answers {}, and not in JSON what became of the reload; name the address of the program's page",
            program.shown(),
            answer.status
        )),
        (status, _) => Err(format!("it answers {status}: {says}")),
    }
}
