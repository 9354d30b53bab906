//! The tables of OpenTelemetry's semantic conventions, as their own package for Python has them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::python;

/// Metrics and attributes by their names.
#[derive(Debug, Deserialize)]
pub struct Conventions {
    /// The metrics, deprecated ones too.
    pub metrics: BTreeMap<String, Metric>,
    /// The attributes, deprecated ones too.
    pub attributes: BTreeMap<String, Attribute>,
}

/// A metric.
#[derive(Debug, Deserialize)]
pub struct Metric {
    /// As our kinds are called: `counter`, `up-down counter`, `gauge`, `histogram`.
    pub kind: String,
    /// In UCUM.
    pub unit: String,
    /// Whether another has taken its place.
    pub deprecated: bool,
}

/// An attribute.
#[derive(Debug, Deserialize)]
pub struct Attribute {
    /// Whether another has taken its place.
    pub deprecated: bool,
    /// The values that are known; `None` if there is no such list.
    pub values: Option<Vec<serde_json::Value>>,
}

impl Conventions {
    /// Asks for them. `target` is a folder of the target folder, as `CARGO_TARGET_TMPDIR` is.
    ///
    /// # Panics
    ///
    /// If there is no such environment: `cargo xtask test --only services` makes it.
    pub fn ask(target: &str) -> Conventions {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("conventions.py");
        let python = python::interpreter(target);
        let output = Command::new(&python).arg(script).output().unwrap_or_else(|error| {
            panic!("{}: {error}; `cargo xtask test --only services` makes it", python.display())
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "conventions.py ended with {}: {said}", output.status);
        serde_json::from_slice(&output.stdout).expect("conventions.py prints JSON")
    }

    /// What a name begins with that belongs to the conventions: up to its first dot.
    fn has_namespace<'a>(mut names: impl Iterator<Item = &'a String>, name: &str) -> bool {
        let Some((namespace, _)) = name.split_once('.') else { return false };
        names.any(|known| known.split_once('.').is_some_and(|(known, _)| known == namespace))
    }

    /// Whether a metric of this name claims to be one of theirs.
    pub fn is_claimed(&self, metric: &str) -> bool {
        Self::has_namespace(self.metrics.keys(), metric)
    }

    /// Whether an attribute of this name claims to be one of theirs.
    pub fn is_claimed_attribute(&self, key: &str) -> bool {
        self.attributes.contains_key(key) || Self::has_namespace(self.attributes.keys(), key)
    }
}
