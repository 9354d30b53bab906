//! Connections, encrypted if there is a certificate.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;
use crate::ending::Ending;

/// How long a client may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves one connection, to its end.
pub(crate) async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, app: Router, ending: Ending) {
    match tls {
        None => converse(stream, app, ending).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                converse(stream, app, ending).await;
            }
        }
    }
}

async fn converse<S>(stream: S, app: Router, mut ending: Ending)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let service = TowerToHyperService::new(app);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // A client that goes away is none of ours.
    tokio::select! {
        _ = &mut connection => return,
        () = ending.told() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// What encrypts, from a certificate and its key, in PEM.
///
/// # Errors
///
/// The file, and what is wrong with it.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Error> {
    let trouble = |what: &Path, error: &dyn std::fmt::Display| format!("tls: {}: {error}", what.display());
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| trouble(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| trouble(key, &error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let config = config.with_single_cert(chain, private).map_err(|error| trouble(certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
