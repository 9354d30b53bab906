//! The `metercast` program: what it can do, one command each.

#![forbid(unsafe_code)]

mod demo;
mod docs;
mod fetch;
mod page;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Meter once, cast everywhere.
#[derive(Debug, Parser)]
#[command(name = "metercast", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an order service under load, and compare what was sent with what is scraped and pushed
    Demo(demo::Options),
    /// Print the reference of a program's metrics, which is read from its file, or check that a file still says the same
    Docs(docs::Options),
    /// Show a metrics page as it changes: rates, quantiles, health; ours or any other
    Top(top::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Top(options) => top::run(&options),
    }
}
