//! Versions of the OpenTelemetry API that a program has and nobody bridges.

/// The versions of the crate `opentelemetry` in a lock file that no feature of this crate bridges, as it was compiled: what is
/// measured with one of them reaches no store, and nothing tells so when the program runs, for each version has a global
/// provider of its own. A test of the program notices it:
///
/// ```
/// # let lock = "[[package]]\nname = \"opentelemetry\"\nversion = \"0.33.1\"\n";
/// # stringify!(
/// let lock = include_str!("../Cargo.lock");
/// # );
/// assert_eq!(metercast_opentelemetry::unbridged(lock), [] as [&str; 0]);
/// ```
///
/// ```
/// let lock = r#"
/// [[package]]
/// name = "opentelemetry"
/// version = "0.20.0"
/// "#;
/// assert_eq!(metercast_opentelemetry::unbridged(lock), ["0.20.0"]);
/// ```
pub fn unbridged(lock: &str) -> Vec<&str> {
    let bridged: &[&str] = &[
        #[cfg(feature = "v0_33")]
        "0.33.",
        #[cfg(feature = "v0_32")]
        "0.32.",
        #[cfg(feature = "v0_31")]
        "0.31.",
        #[cfg(feature = "v0_30")]
        "0.30.",
        #[cfg(feature = "v0_29")]
        "0.29.",
    ];
    let mut is_api = false;
    let mut unbridged = Vec::new();
    for line in lock.lines().map(str::trim) {
        if line.starts_with("[[") {
            is_api = false;
        } else if let Some(name) = value(line, "name") {
            is_api = name == "opentelemetry";
        } else if let Some(version) = value(line, "version").filter(|_| is_api) {
            if !bridged.iter().any(|bridged| version.starts_with(bridged)) {
                unbridged.push(version);
            }
        }
    }
    unbridged
}

/// The text that a line gives to a key.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
    rest.strip_prefix('"')?.strip_suffix('"')
}
