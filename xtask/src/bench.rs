//! Building and running the bench, which is a workspace of its own.

use std::process::Command;

use crate::cargo;
use crate::workspace::Workspace;

/// Runs the bench in the workspace's root, with what it was told.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    cargo::run(command(workspace, arguments), "what it says is above")
}

fn command(workspace: &Workspace, arguments: &[String]) -> Command {
    let mut command = cargo::command(workspace, &["run", "--release", "--locked"]);
    command.args(["--manifest-path", "bench/Cargo.toml", "--target-dir"]);
    // A folder of its own: its profile and its features would otherwise rebuild what the other steps have built.
    command.arg(workspace.target().join("bench")).arg("--").args(arguments);
    command
}
