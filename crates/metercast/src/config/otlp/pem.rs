//! The files of an encrypted connection, read.

use std::fmt;
use std::fs;

use super::tls::TlsConfig;
use crate::config::pem_file::PemFile;

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
        let read = |file: &PemFile| {
            let (path, place) = (file.path(), file.place());
            fs::read(path).map_err(|error| {
                format!("cannot read {path:?}: {error}; check the path and the file's permissions ({place})")
            })
        };
        let [ca, certificate, key] = self.files();
        Ok(Pem {
            ca: ca.map(read).transpose()?,
            client: match (certificate, key) {
                (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
                _ => None,
            },
        })
    }
}

impl TlsConfig {
    /// The CA, the certificate and its key as errors say them: each file, and where it is given.
    pub(crate) fn said(&self) -> [String; 3] {
        let said = |file: &PemFile| format!("{:?} (of {})", file.path(), file.place());
        self.files().map(|file| file.map_or_else(String::new, said))
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").finish_non_exhaustive()
    }
}
