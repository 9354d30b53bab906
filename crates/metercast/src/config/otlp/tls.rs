//! Whom an encrypted push trusts, and as whom it presents itself.

use std::path::{Path, PathBuf};

use crate::config::error::Findings;

use crate::config::pem_file::PemFile;
use crate::config::place::{Given, Place, lay};

/// The files that an encrypted connection is made with, all in PEM. They are read when the exporter
/// starts, and again for each new connection, so that certificates can be renewed while it runs; if they cannot be used
/// then, what was read before is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsConfig {
    ca: Option<PemFile>,
    client_certificate: Option<PemFile>,
    client_key: Option<PemFile>,
}

impl TlsConfig {
    /// The same with this CA.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn with_ca(self, ca: PathBuf) -> TlsConfig {
        TlsConfig { ca: Some(PemFile::new(ca, &Place::named("ca"))), ..self }
    }

    /// The same with this certificate and its key.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn with_client_identity(self, certificate: PathBuf, key: PathBuf) -> TlsConfig {
        let place = Place::named("client_identity");
        let [certificate, key] = [certificate, key].map(|path| Some(PemFile::new(path, &place)));
        TlsConfig { client_certificate: certificate, client_key: key, ..self }
    }

    /// The certificates that are trusted, and no others; `None`: those that browsers trust, as the
    /// crate `webpki-roots` has them; those of the system are not read.
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_ref().map(PemFile::path)
    }

    /// The certificate, with those that vouch for it, that is shown to a receiver that asks for one (mTLS).
    pub fn client_certificate(&self) -> Option<&Path> {
        self.client_certificate.as_ref().map(PemFile::path)
    }

    /// The private key of the client's certificate. There is one if and only if there is a certificate.
    pub fn client_key(&self) -> Option<&Path> {
        self.client_key.as_ref().map(PemFile::path)
    }

    /// Each file, as it is given.
    #[cfg_attr(not(all(feature = "otlp", feature = "tls")), allow(dead_code, reason = "nobody reads them"))]
    pub(super) fn files(&self) -> [Option<&PemFile>; 3] {
        [&self.ca, &self.client_certificate, &self.client_key].map(Option::as_ref)
    }
}

/// What one source says about the files.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct TlsLayer {
    pub(in crate::config) ca: Option<Given<PathBuf>>,
    pub(in crate::config) client_certificate: Option<Given<PathBuf>>,
    pub(in crate::config) client_key: Option<Given<PathBuf>>,
}

impl TlsLayer {
    pub(in crate::config) fn over(self, below: Self) -> Self {
        Self {
            ca: lay(self.ca, below.ca),
            client_certificate: lay(self.client_certificate, below.client_certificate),
            client_key: lay(self.client_key, below.client_key),
        }
    }

    /// The files, complete. Those of a connection that is not encrypted have no effect.
    pub(in crate::config) fn resolve(
        self,
        is_https: bool,
        place: &Place,
        findings: &mut Findings,
    ) -> TlsConfig {
        let Self { ca, client_certificate, client_key } = self;
        if !is_https {
            for file in [&ca, &client_certificate, &client_key].into_iter().flatten() {
                findings.warn(&file.place, "has no effect, as the endpoint is not https");
            }
            return TlsConfig::default();
        }
        match (&client_certificate, &client_key) {
            (Some(certificate), None) => {
                findings.problem(&certificate.place, "is a certificate without its key; give the key too");
            }
            (None, Some(key)) => {
                findings.problem(&key.place, "is a key without its certificate; give the certificate too");
            }
            _ => {}
        }
        let at = place.child("tls");
        let mut path = |key, file: Option<Given<PathBuf>>| {
            let place = file.as_ref()?.place.clone();
            let path = findings.settle_if(&at.child(key), file, |path| path.display().to_string())?;
            Some(PemFile::given(Given { value: path, place }))
        };
        TlsConfig {
            ca: path("ca", ca),
            client_certificate: path("client_certificate", client_certificate),
            client_key: path("client_key", client_key),
        }
    }
}
