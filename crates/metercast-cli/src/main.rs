//! The `metercast` program: what it can do, one command each.

#![forbid(unsafe_code)]

mod demo;

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
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
    }
}
