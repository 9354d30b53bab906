//! The job server: a controller with an API, agents that do jobs, and NATS JetStream between them. Each of these components has metrics,
//! liveness and readiness on a port of its own, and a store of its own, also where several run in one process.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod settings;
mod telemetry;
mod traces;

mod component;

mod job;
mod queue;

mod controller;
mod routes;
mod workers;

mod agent;
mod heartbeat;
mod work;

mod nats_server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;

use component::{Component, Error};
use settings::Settings;

/// A job server, and what its components do on a port of each of them.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct CommandLine {
    /// Configuration file, in YAML. Variables that begin with OSAPI_ win over it.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What is to run.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Command {
    #[command(flatten)]
    One(Component),
    /// All of them in one process.
    Start,
}

impl Command {
    fn components(&self) -> &[Component] {
        match self {
            Command::One(component) => slice::from_ref(component),
            Command::Start => &[Component::Nats, Component::Controller, Component::Agent],
        }
    }
}

fn main() -> ExitCode {
    let command_line: CommandLine = clap::Parser::parse();
    match run(&command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("osapi: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: &CommandLine) -> Result<(), Error> {
    let settings = Settings::load(command_line.config.as_deref())?;
    let traces = traces::start()?;
    let done = component::run_all(command_line.command.components(), &settings);
    if let Err(error) = traces.shutdown() {
        eprintln!("osapi: {error}");
    }
    done
}
