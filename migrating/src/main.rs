//! The steps of `MIGRATING.md`: `migrating PEER/STEP` runs one, as the program that it is at that step.
#![allow(clippy::print_stdout, reason = "that is where the pages are compared")]

mod client;
mod measured;
mod metrics;
mod opentelemetry;
mod prometheus;
mod tracing;

use std::error::Error;
use std::process::ExitCode;

type Main = fn() -> Result<(), Box<dyn Error>>;

/// Every program, by its place under `src`.
const STEPS: &[(&str, Main)] = &[
    ("metrics/before", metrics::before::main),
    ("metrics/swap", metrics::swap::main),
    ("metrics/beside", metrics::beside::main),
    ("metrics/exporters", metrics::exporters::main),
    ("metrics/settings", metrics::settings::main),
    ("metrics/declared", metrics::declared::main),
    ("prometheus/before", prometheus::before::main),
    ("prometheus/swap", prometheus::swap::main),
    ("prometheus/exporters", prometheus::exporters::main),
    ("prometheus/declared", prometheus::declared::main),
    ("client/before", client::before::main),
    ("client/swap", client::swap::main),
    ("client/exporters", client::exporters::main),
    ("client/declared", client::declared::main),
    ("opentelemetry/before", opentelemetry::before::main),
    ("opentelemetry/swap", opentelemetry::swap::main),
    ("opentelemetry/exporters", opentelemetry::exporters::main),
    ("opentelemetry/declared", opentelemetry::declared::main),
    ("tracing/before", tracing::before::main),
    ("tracing/swap", tracing::swap::main),
    ("tracing/exporters", tracing::exporters::main),
    ("tracing/declared", tracing::declared::main),
    ("measured/before", measured::before::main),
    ("measured/swap", measured::swap::main),
    ("measured/exporters", measured::exporters::main),
    ("measured/declared", measured::declared::main),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, run)) = STEPS.iter().find(|(name, _)| *name == wanted) else {
        println!("{wanted:?} is no step; there are:");
        STEPS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::FAILURE;
    };
    match run() {
        // What contradicts itself would be missing from the page, and no step may lose anything.
        Ok(()) => match metercast::Store::global().problems().first() {
            None => ExitCode::SUCCESS,
            Some(problem) => {
                println!("{wanted}: {problem:?}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            println!("{wanted}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says where the page is, and goes on until the standard input is closed, as a service goes on until it is stopped.
fn serve(telemetry: &metercast::Telemetry) -> Result<(), Box<dyn Error>> {
    println!("{}", telemetry.scrape_url().ok_or("there is no page")?);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
