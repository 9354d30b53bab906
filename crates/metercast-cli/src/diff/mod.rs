//! `metercast diff`: what changed between two versions of a program, and whether it breaks those who read its metrics.

mod change;
mod options;
mod words;

use std::path::Path;

use metercast_tower::catalogue::Catalogue;
use serde_json::{Value as Json, json};

use crate::exported::{printed, same};
use crate::page::{Limits, Page};
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
    let shown = path.display().to_string();
    if shown.contains(':') && !path.exists() {
        return Err(format!(
            "there is no file {shown}; if that is the address of a metrics page, {TO_COMPARE}"
        ));
    }
    let json = match printed(path)? {
        Some(json) => json,
        None => {
            let catalogue = Catalogue::of_file(path).map_err(|error| match is_page(path) {
                true => format!("{shown} is a metrics page, which is no catalogue; {TO_COMPARE}"),
                false => error.to_string(),
            })?;
            catalogue.json()
        }
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

/// Where pages are compared.
const TO_COMPARE: &str = "`metercast compare` says what two pages differ in";

/// Whether a file begins as a metrics page does.
fn is_page(path: &Path) -> bool {
    let limits = Limits { bytes: 64_000, ..Limits::default() };
    let page = std::fs::File::open(path).and_then(|file| Page::read(file, &limits));
    // The last line may be cut off.
    page.is_ok_and(|page| !page.families.is_empty() && page.faults <= 1)
}
