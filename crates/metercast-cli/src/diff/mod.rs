//! `metercast diff`: what changed between two versions of a program, and whether it breaks those who read its metrics.

mod change;
mod options;

use std::path::Path;

use metercast_tower::catalogue::Catalogue;
use serde_json::{Value as Json, json};

use crate::exported::{printed, same};
use crate::terminal::{Answer, data, print};

use change::{Change, Weight, changes};
pub(crate) use options::Options;

/// Prints what changed. The status says whether something breaks.
pub(crate) fn run(options: &Options) -> Answer {
    let (old, new) = (metrics(&options.old, &options.crates)?, metrics(&options.new, &options.crates)?);
    let found = changes(&old, &new);
    let breaking = found.iter().filter(|change| change.weight == Weight::Breaking).count();
    if options.json {
        let changes = found.iter().map(Change::json).collect::<Vec<_>>();
        data(format!("{}\n", json!({ "breaking": breaking, "changes": changes })))?;
    } else if found.is_empty() {
        print(&format!("nothing changed in {} metrics\n", new.len()))?;
    } else {
        print(&found.iter().map(|change| format!("{change}\n")).collect::<String>())?;
    }
    Ok(breaking == 0)
}

/// The metrics of a program's file, or of a catalogue that was printed as JSON.
fn metrics(path: &Path, crates: &[String]) -> Result<Vec<Json>, String> {
    let shown = path.display();
    let json = match printed(path)? {
        Some(json) => json,
        None => Catalogue::of_file(path).map_err(|error| error.to_string())?.json(),
    };
    let json: Json =
        serde_json::from_str(&json).map_err(|error| format!("{shown} is no catalogue: {error}"))?;
    let metrics = json["metrics"].as_array().ok_or_else(|| {
        format!("{shown} is no catalogue: it has no list `metrics`; `metercast docs --json` prints one")
    })?;
    let is_wanted = |metric: &&Json| {
        let places = metric["places"].as_array().map(Vec::as_slice).unwrap_or_default();
        let package = |place: &Json| place["package"].as_str().unwrap_or_default().to_owned();
        crates.is_empty() || places.iter().any(|place| crates.iter().any(|name| same(name, &package(place))))
    };
    let metrics: Vec<Json> = metrics.iter().filter(is_wanted).cloned().collect();
    if metrics.is_empty() {
        let of = if crates.is_empty() { String::new() } else { format!(" of {}", crates.join(", ")) };
        return Err(format!("{shown} has no metrics{of}; `metercast docs` says of a program what it has"));
    }
    Ok(metrics)
}
