//! Encryption by rustls: whom to trust, what to show, and what an error means.
//!
//! Trusted are the certificates that browsers trust, in a copy of this program (`webpki-roots`): it works in an empty
//! container, is the same on every machine, and reads no file that the configuration does not name. Whoever has a CA of
//! their own names its file, and then it alone is trusted.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};

use super::connect::Stream;
use super::error::Cause;
use crate::config::TlsConfig;
use crate::crypto;

/// Encrypts connections to one receiver.
pub(super) struct Tls {
    files: TlsConfig,
    host: ServerName<'static>,
    protocol: Vec<u8>,
    config: Arc<ClientConfig>,
}

impl Tls {
    /// # Errors
    ///
    /// A file cannot be read, or does not hold what it should.
    pub(super) fn new(files: &TlsConfig, host: &str, protocol: &str) -> io::Result<Tls> {
        let invalid = |says| io::Error::new(io::ErrorKind::InvalidInput, says);
        let protocol = protocol.as_bytes().to_vec();
        let config = config(files, &protocol).map_err(invalid)?;
        let host = ServerName::try_from(host.to_owned())
            .map_err(|_| invalid(format!("{host:?} is no name that a certificate can have")))?;
        Ok(Tls { files: files.clone(), host, protocol, config })
    }

    pub(super) async fn handshake(&mut self, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Cause> {
        // Certificates are renewed while programs run. In the middle of that the old ones are as good as before.
        if self.files != TlsConfig::default()
            && let Ok(config) = config(&self.files, &self.protocol)
        {
            self.config = config;
        }
        let connector = TlsConnector::from(Arc::clone(&self.config));
        match connector.connect(self.host.clone(), stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(match error.get_ref().and_then(|error| error.downcast_ref()) {
                Some(error) => Cause::Tls(self.says(error)),
                None => Cause::Connect(Arc::new(error)),
            }),
        }
    }

    /// What a failed handshake means and how to mend it.
    fn says(&self, error: &Error) -> String {
        let date = |time: UnixTime| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_secs()));
        let clock = "or set the clock of this machine right";
        match error {
            Error::InvalidCertificate(certificate) => match certificate {
                // The signature is of another CA with the same name, if it does not fit.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => match self.files.ca() {
                    Some(ca) => format!(
                        "the receiver's certificate is not signed by one of {ca:?}; is this the CA of that receiver?"
                    ),
                    None => "the receiver's certificate is not signed by a CA that is trusted; if it is one of your \
                             own, set tls.ca (or OTEL_EXPORTER_OTLP_CERTIFICATE) to the file of its certificate"
                        .to_owned(),
                },
                CertificateError::ExpiredContext { not_after, .. } => format!(
                    "the receiver's certificate has expired ({}); renew it there, {clock}",
                    date(*not_after)
                ),
                CertificateError::Expired => {
                    format!("the receiver's certificate has expired; renew it there, {clock}")
                }
                CertificateError::NotValidYetContext { not_before, .. } => format!(
                    "the receiver's certificate is not valid before {}; replace it, {clock}",
                    date(*not_before)
                ),
                CertificateError::NotValidYet => {
                    format!("the receiver's certificate is not valid yet; replace it, {clock}")
                }
                CertificateError::NotValidForNameContext { expected, presented } => format!(
                    "the receiver's certificate is for {}, not for {:?}; set the endpoint to a name that it is for",
                    match presented[..] {
                        [] => "nobody".to_owned(),
                        _ => presented.join(", "),
                    },
                    expected.to_str()
                ),
                CertificateError::NotValidForName => format!(
                    "the receiver's certificate is not for {:?}; set the endpoint to a name that it is for",
                    self.host.to_str()
                ),
                other => format!("the receiver's certificate is not accepted ({other}); replace it"),
            },
            Error::InvalidMessage(_) => {
                "what listens there does not speak TLS; write http:// if it shall not, or is this another port?"
                    .to_owned()
            }
            Error::AlertReceived(alert) => refused(*alert),
            other => format!("no encrypted connection ({other}); look into the receiver's log"),
        }
    }
}

/// What the other side says with an alert.
fn refused(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the receiver wants a certificate; set tls.client_certificate and tls.client_key (or \
             OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY)"
                .to_owned()
        }
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        // The signature of another CA with the same name.
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => format!(
            "the receiver does not accept the certificate of tls.client_certificate (or \
             OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE), or wants one ({alert:?}); is it signed by a CA that the receiver \
             trusts?"
        ),
        AlertDescription::NoApplicationProtocol => {
            "the receiver speaks another protocol there; is this the port for the exporter's protocol?"
                .to_owned()
        }
        alert => format!("the receiver refused an encrypted connection ({alert:?}); look into its log"),
    }
}

/// The alert by which a connection ended, as a cause.
pub(super) fn alert(error: &io::Error) -> Option<Cause> {
    match error.get_ref()?.downcast_ref()? {
        Error::AlertReceived(alert) => Some(Cause::Tls(refused(*alert))),
        _ => None,
    }
}

/// Reads the files. Errors name them.
fn config(files: &TlsConfig, protocol: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let pem = files.read()?;
    let [of_ca, of_certificate, of_key] = files.said();
    let mut roots = RootCertStore::empty();
    match &pem.ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(ca) => {
            for certificate in certificates(ca, &of_ca)? {
                roots
                    .add(certificate)
                    .map_err(|error| format!("{of_ca} has a certificate that is not a CA's ({error})"))?;
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(crypto::provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("the process's provider of cryptography is of no use ({error})"))?
        .with_root_certificates(roots);
    let mut config = match &pem.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate, &of_certificate)?;
            // The error might show the key.
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
                format!("{of_key} has no private key in PEM, or one with a passphrase; give it without")
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("{of_key} is not the key of {of_certificate} ({error})"))?
        }
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8], of: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let none = || format!("{of} has no certificate in PEM; is it the right file?");
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    certificates.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(none)
}
