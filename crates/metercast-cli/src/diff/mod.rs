//! `metercast diff`: what changed between two versions of a program, and whether it breaks those who read its metrics.

mod change;
mod options;

use std::io;
use std::path::Path;

use metercast_tower::catalogue::Catalogue;
use serde_json::{Value as Json, json};

use crate::terminal::{Answer, data, print};

use change::{Change, Weight, changes};
pub(crate) use options::Options;

/// Catalogues are lists; a file that is longer is something else.
const LONGEST_JSON: u64 = 64_000_000;

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
        None => {
            let catalogue = Catalogue::of_file(path).map_err(|error| error.to_string())?;
            serde_json::from_str(&catalogue.json()).map_err(|error| format!("{shown}: {error}"))?
        }
    };
    let metrics = json["metrics"].as_array().ok_or_else(|| {
        format!("{shown} is no catalogue: it has no list `metrics`; `metercast docs --json` prints one")
    })?;
    // A crate has underscores where its package may have dashes; people write either.
    let same = |one: &str, other: &str| one.replace('-', "_") == other.replace('-', "_");
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

/// A file that holds JSON; `None` for any other.
fn printed(path: &Path) -> Result<Option<Json>, String> {
    let cannot = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let mut file = std::fs::File::open(path).map_err(cannot)?;
    let mut first = [0];
    let begins = io::Read::read(&mut file, &mut first).map_err(cannot)?;
    if begins == 0 || first != *b"{" {
        return Ok(None);
    }
    let mut text = vec![b'{'];
    let read = io::Read::read_to_end(&mut io::Read::take(file, LONGEST_JSON), &mut text);
    read.map_err(cannot)?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| format!("{} is no catalogue: {error}", path.display()))
}
