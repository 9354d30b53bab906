//! What Prometheus' own `promtool` says of a page.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};

/// Whether real programs are to be used. If not, `test` is noted as skipped for want of `program`.
///
/// # Panics
///
/// If the list of skipped tests cannot be written.
pub fn use_programs(test: &str, program: &str) -> bool {
    if std::env::var_os("METERCAST_WITHOUT_SERVICES").is_none() {
        return true;
    }
    if let Some(file) = std::env::var_os("METERCAST_SKIPPED") {
        let mut file =
            OpenOptions::new().append(true).create(true).open(file).expect("the list of skipped tests");
        writeln!(file, "{test}: {program}").expect("the list of skipped tests");
    }
    false
}

/// Lets `promtool` parse a page. Lint is not looked at: cases are odd on purpose.
///
/// # Errors
///
/// Why the page cannot be parsed.
///
/// # Panics
///
/// If `promtool` cannot be run: `cargo xtask test` installs it with Debian's package `prometheus`.
pub fn check(page: &str) -> Result<(), String> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs; `cargo xtask test` installs it with Debian's package prometheus");
    promtool.stdin.take().expect("piped").write_all(page.as_bytes()).expect("promtool reads the page");
    let output = promtool.wait_with_output().expect("promtool ends");
    // 0 is clean, 3 is lint, 1 is a page that cannot be parsed.
    match output.status.code() {
        Some(0 | 3) => Ok(()),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
