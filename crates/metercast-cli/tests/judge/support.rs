//! Runs `metercast`, and has files for it.

use std::path::PathBuf;
use std::process::Command;

/// What a run printed on standard output and standard error, and its status.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `metercast` with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    let output =
        Command::new(env!("CARGO_BIN_EXE_metercast")).args(arguments).env("NO_PROXY", "*").output().unwrap();
    Ran {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The path of a page that a real program served, or that was made to be judged.
pub(crate) fn page(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/pages");
    format!("{folder}/{name}")
}

/// Writes a file of a test, in cargo's folder for that.
pub(crate) fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("judge-{name}"));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
