//! The router: a gateway in front of HTTP services, changed while it runs.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod admin;
mod cache;
mod command_line;
mod configuration;
mod connections;
mod gateway;
mod metrics;
mod pipeline;
mod service;
mod stages;
mod telemetry;
mod upstream;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use metercast_tower::Telemetry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use command_line::CommandLine;
use service::Service;

/// How long requests may go on after SIGTERM.
const DRAIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Before any configuration is read: it is there all the same.
    metrics::STARTS.add(1);
    match run(&CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("router: {error}");
            ExitCode::FAILURE
        }
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

fn run(command_line: &CommandLine) -> Result<(), Error> {
    let (service, telemetry) = Service::start(&command_line.config)?;
    let telemetry = Arc::new(telemetry);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(
        command_line,
        service,
        &telemetry,
    ))?;
    // The service did its work; that the last numbers are missing somewhere is no reason to call it failed.
    if let Some(Err(error)) = Arc::into_inner(telemetry).map(Telemetry::shutdown) {
        eprintln!("router: {error}");
    }
    // Whoever is late finds nothing that breaks.
    metrics::STARTS.add(0);
    Ok(())
}

/// Answers requests until SIGTERM or Ctrl-C.
async fn serve(
    command_line: &CommandLine,
    service: Arc<Service>,
    telemetry: &Arc<Telemetry>,
) -> Result<(), Error> {
    // Listened for before anybody knows that we are here.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let gateway = bind("--listen", &command_line.listen).await?;
    let admin = bind("--admin", &command_line.admin).await?;
    println!("router: http://{} admin http://{}", gateway.local_addr()?, admin.local_addr()?);
    let connections = connections::Open::default();
    let serving = tokio::spawn(gateway::serve(gateway, Arc::clone(&service), connections.clone()));
    let administering = tokio::spawn(admin::serve(admin, Arc::clone(telemetry)));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    serving.abort();
    administering.abort();
    service.pipeline().retire();
    if tokio::time::timeout(DRAIN, connections.none()).await.is_err() {
        eprintln!("router: requests that took longer than {DRAIN:?} to end were cut off");
    }
    Ok(())
}

async fn bind(option: &str, address: &str) -> Result<TcpListener, Error> {
    let bound = TcpListener::bind(address).await;
    Ok(bound.map_err(|error| format!("{option} {address}: {error}; choose another address"))?)
}
