//! Each feature of each published crate, alone: a feature that leans on another one shows here. And what is only there in builds with
//! flags of their own.

use std::process::{Command, ExitCode};

use crate::cargo;
use crate::workspace::{Package, Workspace};

/// Set when cargo starts this program in front of rustc for the members.
const STAND_IN: &str = "METERCAST_XTASK_RUSTC";

/// Checks every published crate without features, and with each one alone; a warning is an error.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let me = match std::env::current_exe() {
        Ok(me) => me,
        Err(error) => return vec![format!("where xtask itself is stays unknown: {error}")],
    };
    let published = workspace.packages().iter().filter(|package| package.published);
    let alone = published.flat_map(commands).filter_map(|arguments| {
        println!("cargo {}", arguments.join(" "));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = cargo::command(workspace, &arguments);
        command.env("RUSTC_WORKSPACE_WRAPPER", &me).env(STAND_IN, "1");
        cargo::run(command, "the feature must name in Cargo.toml what it leans on").err()
    });
    alone.chain(tokio_unstable(workspace)).collect()
}

/// If cargo started us in front of rustc, runs rustc with warnings as errors: RUSTFLAGS would rebuild all dependencies, and what is
/// said to one member alone would check it anew where others depend on it. Clippy, which can say it to all members, takes twice as long,
/// and the lint step has it look at everything.
pub(crate) fn stand_in_for_rustc() -> Option<ExitCode> {
    std::env::var_os(STAND_IN)?;
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next()?;
    Some(match Command::new(&rustc).args(arguments).args(["-D", "warnings"]).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {} cannot be started: {error}", rustc.display());
            ExitCode::FAILURE
        }
    })
}

/// Tests what Tokio has in builds that ask for what it calls unstable. It is built anew for that, with the little that it leans on.
fn tokio_unstable(workspace: &Workspace) -> Option<String> {
    let arguments = ["test", "-q", "-p", "metercast-process", "--test", "runtime", "--locked"];
    println!("RUSTFLAGS=\"--cfg tokio_unstable\" cargo {}", arguments.join(" "));
    let mut command = cargo::command(workspace, &arguments);
    command.env("CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}tokio_unstable");
    cargo::run(command, "src/runtime/unstable.rs of metercast-process follows Tokio's newest version").err()
}

fn commands(package: &Package) -> Vec<Vec<String>> {
    let alone = package.features.iter().map(|feature| vec!["--features", feature.as_str()]);
    std::iter::once(Vec::new())
        .chain(alone)
        .map(|features| {
            let head = ["check", "-q", "-p", &package.name, "--no-default-features"];
            head.into_iter().chain(features).chain(["--locked"]).map(str::to_owned).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_each_one_alone() {
        let package = Package {
            name: "a".to_owned(),
            features: vec!["serve".to_owned(), "otlp".to_owned()],
            ..Package::default()
        };
        let lines: Vec<_> = commands(&package).iter().map(|words| words.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "check -q -p a --no-default-features --locked",
                "check -q -p a --no-default-features --features serve --locked",
                "check -q -p a --no-default-features --features otlp --locked",
            ]
        );
    }
}
