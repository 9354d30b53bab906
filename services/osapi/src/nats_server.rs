//! NATS as a program of its own, started here and watched.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::component::{Ending, Error};
use crate::controller::{CHECKED, announce};
use crate::queue::answers;
use crate::settings::{ServerSettings, Settings};
use crate::telemetry::Measured;

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs until it is asked to end, or NATS does.
pub(crate) async fn run(settings: &Settings, measured: &Measured, asked: Ending) -> Result<(), Error> {
    let server = &settings.nats.server;
    let (host, port) = (&*server.host, server.port);
    // What it says itself is not shown.
    drop(TcpListener::bind((host, port)).await.map_err(|error| {
        format!("nats-server cannot listen on {host}:{port}: {error}; choose another port")
    })?);
    let mut program = command(server).spawn().map_err(|error| {
        format!("nats-server cannot be started: {error}; install it, or let it be on the PATH")
    })?;
    let client = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .ping_interval(CHECKED)
        .connect(server.url())
        .await?;
    let check = measured.is_enabled().then(|| {
        let (runtime, client) = (tokio::runtime::Handle::current(), client.clone());
        let check = measured.health().check("nats.server").interval(CHECKED);
        check.run(move || runtime.block_on(answers(&client)))
    });
    announce(None, measured);
    let ended = tokio::select! {
        () = asked.asked() => None,
        status = program.wait() => Some(status?),
    };
    drop(check);
    match ended {
        Some(status) => Err(format!("nats-server ended by itself: {status}").into()),
        None => {
            // The signal that lets it write what it stores.
            if let Some(id) = program.id().and_then(|id| id.try_into().ok()) {
                kill(Pid::from_raw(id), Signal::SIGTERM)?;
            }
            if tokio::time::timeout(PATIENCE, program.wait()).await.is_err() {
                program.kill().await?;
            }
            Ok(())
        }
    }
}

fn command(server: &ServerSettings) -> Command {
    let mut command = Command::new("nats-server");
    command.args(["--addr", &server.host, "--port", &server.port.to_string(), "--jetstream", "--store_dir"]);
    command.arg(&server.store_dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true);
    command
}
