//! `cargo xtask services`: builds the services and what puts them under load, and hands over to that.

use std::path::Path;
use std::process::Command;

use crate::cargo;
use crate::services;
use crate::workspace::Workspace;

/// The crate with the clients, whose program does it all.
const LOAD: &str = "load";

/// What it starts: the packages, each with a program of its name.
const SERVICES: [&str; 5] = ["mailroom", "relay", "executor", "osapi", "router"];

/// What those need, and what scrapes them.
const PROGRAMS: [&str; 4] = ["postgres", "redis-server", "nats-server", "prometheus"];

/// Does not return if all goes well: this process becomes the program, so that Ctrl-C and SIGTERM go there.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| !services::has(program)).collect();
    if !missing.is_empty() {
        return Err(trouble(&missing));
    }
    cargo::run(build(workspace), "mend what it names above")?;
    become_program(program(workspace.target(), arguments))
}

fn trouble(missing: &[&str]) -> String {
    let (names, are) = (missing.join(", "), if missing.len() == 1 { "is" } else { "are" });
    format!("{names} {are} missing; `cargo xtask test --only services` installs what is")
}

fn build(workspace: &Workspace) -> Command {
    let mut command = cargo::command(workspace, &["build", "--bins", "--locked", "-p", LOAD]);
    for service in SERVICES {
        command.args(["-p", service]);
    }
    command
}

fn program(target: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(target.join("debug").join(LOAD));
    command.args(arguments).env("PATH", services::path_for_tests());
    command
}

#[cfg(unix)]
fn become_program(mut command: Command) -> Result<(), String> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(format!("{}: {error}", command.get_program().display()))
}

#[cfg(not(unix))]
fn become_program(_: Command) -> Result<(), String> {
    Err("the services end by signals, which there are none of here; run this on Linux".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_step_that_installs_it() {
        let both = trouble(&["postgres", "prometheus"]);
        assert_eq!(
            both,
            "postgres, prometheus are missing; `cargo xtask test --only services` installs what is"
        );
        assert!(trouble(&["postgres"]).starts_with("postgres is missing"));
    }

    #[test]
    fn all_services_are_built_and_what_is_said_is_passed_on() {
        let workspace = Workspace::at("/w", "/w/t");
        let line = cargo::line_of(&build(&workspace));
        assert_eq!(
            line,
            "cargo build --bins --locked -p load -p mailroom -p relay -p executor -p osapi -p router"
        );
        let command = program(workspace.target(), &["--seconds".to_owned(), "5".to_owned()]);
        assert_eq!(command.get_program(), "/w/t/debug/load");
        assert!(command.get_args().eq(["--seconds", "5"]));
    }
}
