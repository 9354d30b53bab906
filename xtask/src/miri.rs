//! The core's tests of data structures under Miri, where a toolchain has it.

use std::process::{Command, Stdio};

use crate::cargo;
use crate::report::Outcome;
use crate::workspace::Workspace;

/// What of the core's unit tests runs, by the beginning of their paths: what holds unsafe code or is read by it, and is done
/// in minutes although Miri is a thousand times slower. Soaks are told by `cfg(miri)` to be short.
const FILTERS: &[&str] = &[
    "label::",
    "name::",
    "store::blocks::",
    "store::dictionary::",
    "store::directory::",
    "store::layout::",
    "store::table::",
    "store::wide::",
];

/// The clock may be read; nothing else of the machine is needed.
const FLAGS: &str = "-Zmiri-disable-isolation";

/// The toolchains that may have it, by what is put behind `cargo`; the first is the one that runs us.
const TOOLCHAINS: [Option<&str>; 2] = [None, Some("+nightly")];

/// Runs the tests with the first toolchain that has Miri; skips itself by name if none has.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    match TOOLCHAINS.into_iter().find(|toolchain| has_miri(*toolchain)) {
        Some(toolchain) => cargo::run(tests(workspace, toolchain), "what it found is above").into(),
        None => Outcome::skipped(
            "miri: no toolchain here has it; `rustup component add --toolchain nightly miri rust-src` brings it",
        ),
    }
}

fn has_miri(toolchain: Option<&str>) -> bool {
    let mut command = start(toolchain);
    command.args(["miri", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn start(toolchain: Option<&str>) -> Command {
    match toolchain {
        None => cargo::bare(),
        // Only rustup's own `cargo` understands such a word.
        Some(toolchain) => {
            let mut command = Command::new("cargo");
            command.arg(toolchain).stdin(Stdio::null());
            command
        }
    }
}

fn tests(workspace: &Workspace, toolchain: Option<&str>) -> Command {
    let mut command = start(toolchain);
    command.current_dir(workspace.root());
    command.args(["miri", "test", "-p", "metercast-core", "--lib", "--locked", "--target-dir"]);
    command.arg(workspace.target().join("miri")).arg("--").args(FILTERS);
    command.env("MIRIFLAGS", FLAGS).env_remove("METERCAST_LONG");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_tests_run_in_a_folder_of_their_own() {
        let workspace = Workspace::at("w", "w/target");
        let line = cargo::line_of(&tests(&workspace, Some("+nightly")));
        let begin =
            "cargo +nightly miri test -p metercast-core --lib --locked --target-dir w/target/miri -- label::";
        assert!(line.starts_with(begin), "{line}");
        let line = cargo::line_of(&tests(&workspace, None));
        assert!(line.starts_with("cargo miri test "), "{line}");
    }

    #[test]
    fn a_toolchain_that_is_not_there_has_no_miri() {
        assert!(!has_miri(Some("+no-such-toolchain")));
    }
}
