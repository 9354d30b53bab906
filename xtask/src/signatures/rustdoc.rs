//! A crate as rustdoc describes it in JSON, on a stable toolchain.

use std::process::{Command, ExitCode};

use crate::cargo;
use crate::json::Json;
use crate::workspace::Workspace;

/// Set when cargo starts this program in place of rustdoc; it names the real one.
const STAND_IN: &str = "METERCAST_XTASK_RUSTDOC";

/// Documents one member with all features and reads the result.
pub(super) fn json(workspace: &Workspace, name: &str) -> Result<Json, String> {
    let mut command =
        cargo::command(workspace, &["rustdoc", "-q", "-p", name, "--lib", "--all-features", "--locked"]);
    // Warnings are the business of the docs step.
    command.args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    // The variable that opens unstable options goes to rustdoc alone. Set for all of cargo, it would reach build
    // scripts that watch it, and every other step would build their dependents anew.
    let me =
        std::env::current_exe().map_err(|error| format!("where xtask itself is stays unknown: {error}"))?;
    let real = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    command.env("RUSTDOC", me).env(STAND_IN, real).env_remove("RUSTDOCFLAGS");
    cargo::run(command, "mend what it names above")?;
    let path = workspace.target().join("doc").join(super::module_name(name)).with_extension("json");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    Json::parse(&text).map_err(|trouble| format!("{}: {trouble}", path.display()))
}

/// If cargo started us in place of rustdoc, runs rustdoc with unstable options open.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let real = std::env::var_os(STAND_IN)?;
    let mut rustdoc = Command::new(&real);
    rustdoc.args(std::env::args_os().skip(1)).env_remove(STAND_IN).env("RUSTC_BOOTSTRAP", "1");
    Some(match rustdoc.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {} cannot be started: {error}; RUSTDOC names another one", real.display());
            ExitCode::FAILURE
        }
    })
}
