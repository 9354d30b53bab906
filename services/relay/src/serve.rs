//! The relay from its start to its end.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use metercast_tower::Telemetry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use crate::relay::Relay;
use crate::settings::Settings;
use crate::{Error, health, routes, telemetry};

/// How long connections may take to end after the time of grace, and what is to be audited to be written.
const DRAIN: Duration = Duration::from_secs(30);
const AUDIT: Duration = Duration::from_secs(5);

/// Where a relay is, each as a URL.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// For clients.
    pub clients: String,
    /// For whoever watches over it.
    pub health: String,
    /// For scrapers.
    pub metrics: String,
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} health {} metrics {}", self.clients, self.health, self.metrics)
    }
}

/// Answers until SIGTERM or Ctrl-C, and then for the time of grace, which a second one ends; `ready` is told where, once it
/// does.
///
/// # Errors
///
/// If PostgreSQL or Redis does not answer at the beginning, or a port is taken.
pub async fn serve(
    settings: &Settings,
    telemetry: &Telemetry,
    ready: impl FnOnce(&Addresses),
) -> Result<(), Error> {
    // Listened for before anybody knows that we are here.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (relay, auditing) = Relay::start(settings).await?;
    let _pools = telemetry::pools(settings, &relay)?;
    let listener = bind("BUZZ_PORT", &settings.host, settings.port).await?;
    let health = bind("BUZZ_HEALTH_PORT", &settings.host, settings.health_port).await?;
    ready(&Addresses {
        clients: format!("http://{}", listener.local_addr()?),
        health: format!("http://{}", health.local_addr()?),
        metrics: telemetry.scrape_url().ok_or("the page of metrics is nowhere")?,
    });
    let asking = axum::serve(health, health::router(Arc::clone(&relay)));
    let asking = tokio::spawn(asking.into_future());
    let serving = axum::serve(listener, routes::router(Arc::clone(&relay)))
        .with_graceful_shutdown(relay.closing.clone().cancelled_owned());
    let mut serving = tokio::spawn(serving.into_future());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = &mut serving => return Ok(ended??),
    }
    // Whoever sends clients here is told first, and has the time of grace to send them elsewhere. Asked again, it ends at once.
    relay.draining.cancel();
    tokio::select! {
        () = tokio::time::sleep(settings.grace) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    relay.closing.cancel();
    relay.connections.close();
    let drained = async {
        let _ = (&mut serving).await;
        relay.connections.wait().await;
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        warn!("connections that took longer than {DRAIN:?} to end were cut off");
    }
    if !auditing.finish(AUDIT).await {
        warn!("what was not audited within {AUDIT:?} is not");
    }
    asking.abort();
    Ok(())
}

async fn bind(variable: &str, host: &str, port: u16) -> Result<TcpListener, Error> {
    let bound = TcpListener::bind((host, port)).await;
    Ok(bound.map_err(|error| format!("{host}:{port}: {error}; choose another port by {variable}"))?)
}
