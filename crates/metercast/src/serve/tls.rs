//! How a listener encrypts: rustls, with a certificate that may change while it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ServerPem, ServerTls, Stamp};
use crate::log::{Level, Log};

/// The certificate of a listener.
pub(super) struct Tls {
    files: ServerTls,
    current: Mutex<Current>,
}

struct Current {
    acceptor: TlsAcceptor,
    stamp: Stamp,
    /// When the files are looked at again.
    next: Instant,
}

/// How old a certificate may be that is shown after its file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// What is wrong with which file, to be put behind the name of the exporter.
    pub(super) fn start(files: ServerTls) -> Result<Tls, String> {
        let stamp = files.stamp();
        let acceptor = read(&files)?;
        let current = Current { acceptor, stamp, next: Instant::now() + LOOK_EVERY };
        Ok(Tls { files, current: Mutex::new(current) })
    }

    /// What the next connection is encrypted with. Files that have changed are read again; if they cannot be used, what was
    /// good before is kept.
    pub(super) fn acceptor(&self, exporter: &str, log: &Log) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now >= current.next {
            current.next = now + LOOK_EVERY;
            let stamp = self.files.stamp();
            if stamp != current.stamp {
                match read(&self.files) {
                    Ok(acceptor) => (current.acceptor, current.stamp) = (acceptor, stamp),
                    Err(message) => {
                        let line =
                            format!("exporter {exporter:?} {message}; it keeps the certificate that it had");
                        log.write_rarely(Level::Error, &format!("certificate {exporter}"), &line);
                    }
                }
            }
        }
        current.acceptor.clone()
    }

    /// Lets the next connection look at the files.
    #[cfg(test)]
    pub(super) fn look_now(&self) {
        self.current.lock().unwrap().next = Instant::now();
    }
}

fn read(files: &ServerTls) -> Result<TlsAcceptor, String> {
    let ServerPem { certificate, key } = files.read()?;
    let [of_certificate, of_key] = files.said();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("cannot use its certificate {of_certificate}: it is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err(format!(
            "cannot use its certificate {of_certificate}: there is none in the file; it must be PEM"
        ));
    }
    // The error says what kind of block there is, and nothing of what is in it.
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| format!("cannot use its key {of_key}: {error}; it must be a private key in PEM"))?;
    let mut config = ServerConfig::builder_with_provider(crate::crypto::provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| {
            format!("cannot use its certificate {of_certificate} with its key {of_key}: {error}")
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
