//! The executor: runs tools for callers, and shows what they did at `GET /api/metrics`, to each tenant his own.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod access;
mod executions;
mod metrics;
mod names;
mod routes;
mod settings;
mod tools;

use std::process::ExitCode;
use std::time::Duration;

use metercast_tower::config::{Config, OnSigterm, Otlp, Protocol};
use metercast_tower::{Log, PageOptions, PrometheusPage, Scrape, Strategy, Telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use access::Access;
use settings::Settings;
use tools::Tools;

/// How long requests may go on after SIGTERM, and how long the final push may take after that.
const DRAIN: Duration = Duration::from_secs(2);
const FLUSH: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match run(&Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("executor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    let access = Access::from_file(settings.config.as_deref())?;
    let telemetry = Telemetry::start(configure(settings, &access)?)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(settings, access))?;
    if let Err(error) = telemetry.shutdown() {
        // The service did its work; that the last numbers are missing somewhere is no reason to call it failed.
        eprintln!("executor: {error}");
    }
    Ok(())
}

/// Pushes are asked for by the standard variables, or in the file. The page has no listener of its own.
fn configure(settings: &Settings, access: &Access) -> Result<Config, Box<dyn std::error::Error>> {
    let name = if access.is_open() { "executor-local" } else { "executor-cloud" };
    let mut config = Config::builder()
        .service(name, env!("CARGO_PKG_VERSION"))
        .without_exporter("prometheus")
        .on_sigterm(OnSigterm::Ignore)
        .shutdown_timeout(FLUSH);
    if std::env::var_os("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").is_some_and(|url| !url.is_empty()) {
        // What its siblings and the file leave open is as it always was.
        let push = Otlp::default().protocol(Protocol::HttpJson).interval(Duration::from_secs(10));
        config = config.default_exporter("otlp", push);
    }
    if let Some(file) = &settings.config {
        config = config.file(file);
    }
    Ok(config.build()?)
}

/// Answers requests until SIGTERM or Ctrl-C.
async fn serve(settings: &Settings, access: Access) -> Result<(), Box<dyn std::error::Error>> {
    // Listened for before anybody knows that we are here.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let asked_to_end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    // Names as they always were: without suffixes.
    let options = PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes);
    let page = PrometheusPage::with("api", options, &[], Log::default());
    let scrape = Scrape::new(metercast_tower::Store::global(), page);
    let app = routes::router(access, Tools::new(&settings.upstream)?, scrape);

    let listener = TcpListener::bind(&settings.listen)
        .await
        .map_err(|error| format!("--listen {}: {error}; choose another address", settings.listen))?;
    println!("executor: http://{}", listener.local_addr()?);
    let (ending, ended) = tokio::sync::oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        asked_to_end.await;
        let _ = ending.send(());
    });
    tokio::select! {
        done = server => done?,
        () = async {
            let _ = ended.await;
            tokio::time::sleep(DRAIN).await;
        } => eprintln!("executor: requests that took longer than {DRAIN:?} to end were cut off"),
    }
    Ok(())
}
