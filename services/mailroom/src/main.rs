//! The mailroom as a program: settings from a file and the environment, and what it says on a terminal.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mailroom::{Error, Measuring, Settings};
use metercast_tower::Store;
use tokio::signal::unix::{SignalKind, signal};

/// Keeps mailboxes, and relays to gateways.
///
/// Every key of the file is a variable too, which wins: PJ_LISTENER, PJ_TELEMETRY__ENDPOINT and so on. Without the table
/// `[telemetry]` nothing is pushed.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    /// Configuration file, in TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailroom: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: &CommandLine) -> Result<(), Error> {
    // Others may be anything.
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let variables = std::env::vars_os().filter_map(text).collect();
    let settings = Settings::read(command_line.config.as_deref(), variables)?;
    let measuring = Measuring::start(&settings, &Store::global())?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        // Listened for before anybody knows that we are here.
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let asked_to_end = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        mailroom::serve(&settings, &measuring, |url| println!("mailroom: {url}"), asked_to_end).await
    })?;
    if let Err(error) = measuring.shutdown() {
        // The service did its work; that the last numbers are missing somewhere is no reason to call it failed.
        eprintln!("mailroom: {error}");
    }
    Ok(())
}
