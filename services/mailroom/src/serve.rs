//! The mailroom from its start to its end.

// What cannot be done any more is said, not returned.
#![allow(clippy::print_stderr)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::mailroom::Mailroom;
use crate::settings::Settings;
use crate::telemetry::Measuring;
use crate::{Error, routes};

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
    let mailroom = Mailroom::new(settings, measuring.ids())?;
    let encryption =
        settings.certificate().map(|(certificate, key)| encryption(certificate, key)).transpose()?;
    let listener = listen(&settings.listener)
        .map_err(|error| format!("listener {}: {error}; choose another by PJ_LISTENER", settings.listener))?;
    let scheme = if encryption.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr()?);
    let (handle, app) = (Handle::new(), routes::router(mailroom.clone()).into_make_service());
    let serving = async {
        match encryption {
            Some(encryption) => server(from_tcp_rustls(listener, encryption)?, &handle).serve(app).await,
            None => server(axum_server::from_tcp(listener)?, &handle).serve(app).await,
        }
    };
    tokio::pin!(serving);
    ready(&url);
    tokio::select! {
        done = &mut serving => return Ok(done?),
        () = asked_to_end => {}
    }
    // Who waits is told to come again, and tunnels end.
    mailroom.end();
    handle.graceful_shutdown(None);
    let ended = async {
        let served = serving.await;
        mailroom.tunnels.ended().await;
        served
    };
    match tokio::time::timeout(DRAIN, ended).await {
        Ok(served) => served?,
        Err(_) => eprintln!("mailroom: requests that took longer than {DRAIN:?} to end were cut off"),
    }
    Ok(())
}

fn listen(address: &str) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A server that waits neither for ever for a head nor beyond the end.
fn server<A>(mut server: Server<SocketAddr, A>, handle: &Handle<SocketAddr>) -> Server<SocketAddr, A> {
    server.http_builder().http1().timer(TokioTimer::new());
    server.handle(handle.clone())
}

/// What encrypts, from a certificate and its key, in PEM.
fn encryption(certificate: &Path, key: &Path) -> Result<RustlsConfig, Error> {
    let trouble = |what: &Path, error: &dyn std::fmt::Display| format!("tls: {}: {error}", what.display());
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| trouble(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| trouble(key, &error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let config = config.with_single_cert(chain, private).map_err(|error| trouble(certificate, &error))?;
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
