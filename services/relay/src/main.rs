//! The relay as a program: settings from the environment, and what it says on a terminal.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use metercast_tracing::{JsonLogs, Traces};
use relay::{Error, Settings};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

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
    let config = relay::configure(settings)?;
    let traces = Traces::start(&config);
    // What is logged has nothing to do with what is traced.
    let logged = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    let logged = logged.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let logs = JsonLogs::new().with_writer(std::io::stderr).layer().with_filter(logged);
    tracing_subscriber::registry().with(traces.layer()).with(logs).init();
    traces.report();
    let telemetry = relay::start(config)?;
    let serving = relay::serve(settings, &telemetry, |addresses| println!("relay: {addresses}"));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serving)?;
    if let Err(error) = telemetry.shutdown() {
        tracing::warn!("{error}");
    }
    if let Err(error) = traces.shutdown() {
        tracing::warn!("{error}");
    }
    Ok(())
}
