//! Which syntax a file is written in: its name says it.

use super::error::Findings;

use super::place::Place;
use super::read;
use super::toml;
use super::tree::Node;
#[cfg(feature = "yaml")]
use super::yaml;

/// Reads text as YAML if its name ends with `.yaml` or `.yml`, else as TOML.
pub(super) fn parse(name: &str, text: &str, file: &Place, findings: &mut Findings) -> Vec<(String, Node)> {
    if !is_yaml(name) {
        return toml::parse(text, file, findings);
    }
    #[cfg(feature = "yaml")]
    return yaml::parse(text, file, findings);
    #[cfg(not(feature = "yaml"))]
    {
        findings.problem(
            file,
            "is YAML, which this build does not read; enable the feature \"yaml\" of metercast, or write TOML",
        );
        Vec::new()
    }
}

/// The most bytes that a file of this name may have.
pub(super) fn longest(name: &str) -> u64 {
    #[cfg(feature = "yaml")]
    if is_yaml(name) {
        return yaml::MOST_BYTES as u64;
    }
    _ = name;
    read::CONFIGURATION
}

fn is_yaml(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ["yaml", "yml"].iter().any(|yaml| ending.eq_ignore_ascii_case(yaml)))
}
