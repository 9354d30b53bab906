//! Starting cargo the same way in every step.

use std::process::{Command, Stdio};

use crate::workspace::Workspace;

/// A cargo command in the workspace's root.
pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = bare();
    command.current_dir(workspace.root()).args(arguments);
    command
}

/// The cargo that started us, so that all steps use one toolchain.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // A step that waits for an answer would hang where nobody sits.
    command.stdin(Stdio::null());
    // Nothing is built a second time there, and what would make that faster takes gigabytes. Nobody steps through it either; a panic says
    // its place without.
    if std::env::var_os("CI").is_some() {
        command.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
    }
    command
}

/// Runs a command to its end, its output passing through; an error names the command and the mend.
pub(crate) fn run(mut command: Command, mend: &str) -> Result<(), String> {
    let line = line_of(&command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` ended with {status}; {mend}")),
        Err(error) => Err(cannot_start(&line, &error)),
    }
}

pub(crate) fn cannot_start(line: &str, error: &std::io::Error) -> String {
    format!("`{line}` cannot be started: {error}; is the Rust toolchain complete, with rustfmt and clippy?")
}

/// The command as a person would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once("cargo".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_as_it_is_typed() {
        let mut command = Command::new("any/folder/cargo");
        command.args(["fmt", "--all"]);
        assert_eq!(line_of(&command), "cargo fmt --all");
    }
}
