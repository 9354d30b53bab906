//! What Prometheus' own `promtool` says of a page.

use std::io::Write;
use std::process::{Command, Stdio};

/// Lets `promtool` parse a page in text 0.0.4. Lint is not looked at: cases are odd on purpose.
///
/// # Errors
///
/// Why the page cannot be parsed.
///
/// # Panics
///
/// If `promtool` cannot be run: `cargo xtask test --only services` installs it.
pub fn check(page: &[u8]) -> Result<(), String> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs; `cargo xtask test --only services` installs it");
    promtool.stdin.take().expect("piped").write_all(page).expect("promtool reads the page");
    let output = promtool.wait_with_output().expect("promtool ends");
    // 0 is clean, 3 is lint, 1 is a page that cannot be parsed.
    match output.status.code() {
        Some(0 | 3) => Ok(()),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
