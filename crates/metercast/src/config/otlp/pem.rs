//! The files of an encrypted connection, read.

use std::fmt;
use std::fs;
use std::path::Path;

use super::tls::TlsConfig;

/// What the files hold, which is PEM if they are the right ones. `Debug` shows none of it, as one of them is a key.
pub(crate) struct Pem {
    /// The certificates that are trusted.
    pub(crate) ca: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl TlsConfig {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// Which one cannot be read and why.
    pub(crate) fn read(&self) -> Result<Pem, String> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| {
                format!("cannot read {path:?}: {error}; check the path and the file's permissions")
            })
        };
        Ok(Pem {
            ca: self.ca().map(read).transpose()?,
            client: match (self.client_certificate(), self.client_key()) {
                (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
                _ => None,
            },
        })
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").finish_non_exhaustive()
    }
}
