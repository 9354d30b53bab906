//! The published libraries as rustdoc describes them in JSON, on a stable toolchain.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use serde_json::Value;

use crate::cargo;
use crate::workspace::Workspace;

/// Set when cargo starts this program in place of rustdoc; it names the real one.
const STAND_IN: &str = "METERCAST_XTASK_RUSTDOC";

/// Beside it: the libraries that are described, as their names stand in paths. The others are passed over.
const DESCRIBED: &str = "METERCAST_XTASK_DESCRIBED";

/// Warnings are the business of the docs step.
const FLAGS: &str = "-Z unstable-options --output-format json --cap-lints allow";

/// Describes each published library with all features, once for all steps of a run.
///
/// The whole workspace is asked for, since cargo would build what they lean on anew for some of its members.
pub(crate) fn describe(workspace: &Workspace) -> Result<(), String> {
    // Cargo looks for pages where there is JSON, and so would begin anew each time.
    static ONCE: OnceLock<Result<(), String>> = OnceLock::new();
    ONCE.get_or_init(|| run(workspace)).clone()
}

fn run(workspace: &Workspace) -> Result<(), String> {
    let mut command = cargo::command(
        workspace,
        &["doc", "-q", "--workspace", "--lib", "--no-deps", "--all-features", "--locked"],
    );
    // The variable that opens unstable options goes to rustdoc alone. Set for all of cargo, it would reach build
    // scripts that watch it, and every other step would build their dependents anew.
    let me =
        std::env::current_exe().map_err(|error| format!("where xtask itself is stays unknown: {error}"))?;
    let real = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let names: Vec<_> = workspace.libraries().map(|package| module_name(&package.name)).collect();
    command.env("RUSTDOC", me).env(STAND_IN, real).env(DESCRIBED, names.join(","));
    command.env("RUSTDOCFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTDOCFLAGS");
    cargo::run(command, "mend what it names above")
}

/// Where the description of a library is.
pub(crate) fn path(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.target().join("doc").join(module_name(name)).with_extension("json")
}

/// Reads a description, however deep its types are.
pub(crate) fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    reader.disable_recursion_limit();
    let value = reader.into_iter().next().unwrap_or(Ok(Value::Null));
    value.map_err(|error| format!("{}: {error}", path.display()))
}

/// The name of a package as it stands in paths.
pub(crate) fn module_name(package: &str) -> String {
    package.replace('-', "_")
}

/// If cargo started us in place of rustdoc, runs rustdoc with unstable options open, if it is to describe what is named.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let real = std::env::var_os(STAND_IN)?;
    let described = std::env::var(DESCRIBED).unwrap_or_default();
    let mut words = std::env::args_os().skip_while(|word| word != "--crate-name").skip(1);
    if words.next().is_some_and(|name| !described.split(',').any(|one| *name == *one)) {
        return Some(ExitCode::SUCCESS);
    }
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
