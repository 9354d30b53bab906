//! What was measured: rows, the tables they make, and where they are written.

mod json;
mod machine;
mod results;
mod row;
mod table;

use crate::arguments::Arguments;

pub(crate) use row::{Report, Row};
pub(crate) use table::table;

/// Writes the files that were asked for.
pub(crate) fn write(report: &Report, arguments: &Arguments) -> Result<(), String> {
    let files = [
        (&arguments.json, json::lines as fn(&Report) -> String),
        (&arguments.results, results::markdown as fn(&Report) -> String),
    ];
    for (file, text) in files {
        if let Some(file) = file {
            std::fs::write(file, text(report)).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(())
}
