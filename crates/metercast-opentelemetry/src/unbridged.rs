//! Versions of the OpenTelemetry API that a program has and nobody bridges.

use crate::version;

/// The versions of the crate `opentelemetry` in a lock file that no feature of this crate bridges, as it was compiled: what is
/// measured with one of them reaches no store, and nothing tells so when the program runs, for each version has a global
/// provider of its own. A test of the program notices it, with the text of `include_str!("../Cargo.lock")`:
///
/// ```
/// let lock = r#"
/// [[package]]
/// name = "opentelemetry"
/// version = "0.20.0"
///
/// [[package]]
/// name = "opentelemetry"
/// version = "0.33.1"
/// "#;
/// assert_eq!(metercast_opentelemetry::unbridged(lock), ["0.20.0"]);
/// ```
pub fn unbridged(lock: &str) -> Vec<&str> {
    let mut is_api = false;
    let mut unbridged = Vec::new();
    for line in lock.lines().map(str::trim) {
        if line.starts_with("[[") {
            is_api = false;
        } else if let Some(name) = value(line, "name") {
            is_api = name == "opentelemetry";
        } else if let Some(version) = value(line, "version").filter(|_| is_api) {
            unbridged.extend((!is_bridged(version)).then_some(version));
        }
    }
    unbridged
}

fn is_bridged(version: &str) -> bool {
    let minor = version.rsplit_once('.').map(|(minor, _patch)| minor);
    version::ALL.iter().any(|bridged| minor == Some(bridged.number))
}

/// The text that a line gives to a key.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
    rest.strip_prefix('"')?.strip_suffix('"')
}
