//! The one command of the workspace: `cargo xtask help` says what it does.

#![forbid(unsafe_code)]
// A command line program talks to its terminal; the libraries of the workspace do not.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod run;
mod step;

mod report;

mod cargo;
mod rustdoc;
mod workspace;

mod api;
mod bench;
mod dependencies;
mod features;
mod fuzz;
mod install;
mod miri;
mod node;
mod package;
mod python;
mod quietly;
mod sanitizers;
mod services;
mod signatures;
mod skipped;
mod suite;
mod tally;
mod tidy;
mod together;

use std::process::ExitCode;

use arguments::Command;
use workspace::Workspace;

fn main() -> ExitCode {
    // Cargo starts this same program in place of rustdoc when the signatures are read; `rustdoc.rs` says why.
    if let Some(status) = rustdoc::stand_in() {
        return status;
    }
    // And in front of rustc when features are checked.
    if let Some(status) = features::stand_in_for_rustc() {
        return status;
    }
    match Command::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            print!("{}", arguments::help());
            ExitCode::SUCCESS
        }
        Ok(Command::Test(options)) => match Workspace::load() {
            Ok(workspace) if run::test(&workspace, &options) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(trouble) => fail(&trouble, 1),
        },
        Ok(Command::Api { write }) => match Workspace::load() {
            Ok(workspace) => {
                let troubles = if write { api::write(&workspace) } else { api::check(&workspace) };
                match &*troubles {
                    [] => ExitCode::SUCCESS,
                    troubles => fail(&troubles.join("\nxtask: "), 1),
                }
            }
            Err(trouble) => fail(&trouble, 1),
        },
        Ok(Command::Bench(arguments)) => {
            match Workspace::load().and_then(|workspace| bench::run(&workspace, &arguments)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(trouble) => fail(&trouble, 1),
            }
        }
        Ok(Command::Services(arguments)) => {
            match Workspace::load().and_then(|workspace| together::run(&workspace, &arguments)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(trouble) => fail(&trouble, 1),
            }
        }
        Err(trouble) => fail(&trouble, 2),
    }
}

fn fail(trouble: &str, status: u8) -> ExitCode {
    eprintln!("xtask: {trouble}");
    ExitCode::from(status)
}
