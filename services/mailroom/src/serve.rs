//! The mailroom from its start to its end.

// What cannot be done any more is said, not returned.
#![allow(clippy::print_stderr)]

use std::time::Duration;

use metercast_tower::StoreFutureExt;
use tokio::net::TcpListener;

use crate::ending::Ending;
use crate::mailroom::Mailroom;
use crate::settings::Settings;
use crate::telemetry::Measuring;
use crate::{Error, connections, routes};

/// How long requests may take to end.
const DRAIN: Duration = Duration::from_secs(2);

/// Answers until `asked_to_end` comes; `ready` is told where, once it does.
///
/// # Errors
///
/// The address is taken, or the storage or the certificate cannot be used.
pub async fn serve(
    settings: &Settings,
    measuring: &Measuring,
    ready: impl FnOnce(&str),
    asked_to_end: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (mut end, ending) = Ending::new();
    let mailroom = Mailroom::new(settings, measuring.ids(), ending.clone())?;
    let tls = settings
        .tls
        .as_ref()
        .map(|(certificate, key)| connections::acceptor(certificate, key))
        .transpose()?;
    let listener = TcpListener::bind(&settings.listener)
        .await
        .map_err(|error| format!("listener {}: {error}; choose another by PJ_LISTENER", settings.listener))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    ready(&format!("{scheme}://{}", listener.local_addr()?));

    let app = routes::router(mailroom);
    let accept = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // No more files: others have to be closed first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let connection = connections::serve(stream, tls.clone(), app.clone(), ending.clone());
            tokio::spawn(connection.in_store(measuring.store().clone()));
        }
    };
    tokio::select! {
        () = accept => {}
        () = asked_to_end => {}
    }
    // Who waits is told to come again, and tunnels end.
    end.tell();
    drop((app, ending));
    if tokio::time::timeout(DRAIN, end.is_over()).await.is_err() {
        eprintln!("mailroom: requests that took longer than {DRAIN:?} to end were cut off");
    }
    Ok(())
}
