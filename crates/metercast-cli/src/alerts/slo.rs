//! Objectives that somebody wrote down, as rules with several windows and burn rates.

use std::path::Path;

use serde_json::Value as Json;
use slokit::generate::{GenerateOptions, generate_all};
use slokit::spec::{LintLevel, Spec};

use crate::terminal::say;

/// Nobody writes more objectives.
const LONGEST: u64 = 1_000_000;

/// The groups of rules of a file with objectives.
///
/// # Errors
///
/// What is wrong with the file.
pub(super) fn groups(file: &Path) -> Result<Vec<Json>, String> {
    let shown = file.display();
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|file| std::io::Read::read_to_string(&mut std::io::Read::take(file, LONGEST), &mut text))
        .map_err(|error| format!("cannot read {shown}: {error}"))?;
    let wrong = |error: slokit::SlokitError| {
        format!("{shown}: {error}; it is to be a file of sloth, version prometheus/v1")
    };
    let specs = Spec::from_yaml_stream(&text).map_err(wrong)?;
    for lint in specs.iter().flat_map(Spec::lint) {
        if lint.level != LintLevel::Info {
            say(&format!("warning: {shown}: {}", lint.message));
        }
    }
    let rules = generate_all(&specs, &GenerateOptions::default()).map_err(wrong)?;
    let rules = serde_json::to_value(rules).map_err(|error| format!("{shown}: {error}"))?;
    Ok(rules["groups"].as_array().cloned().unwrap_or_default())
}
