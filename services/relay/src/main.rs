//! The relay as a program: settings from the environment, and what it says on a terminal.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use relay::{Error, Settings};

fn main() -> ExitCode {
    match run(&Settings::from_environment()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), Error> {
    relay::recorder().install()?;
    relay::describe();
    let telemetry = relay::start(settings)?;
    let serving = relay::serve(settings, &telemetry, |addresses| println!("relay: {addresses}"));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serving)?;
    if let Err(error) = telemetry.shutdown() {
        eprintln!("relay: {error}");
    }
    Ok(())
}
