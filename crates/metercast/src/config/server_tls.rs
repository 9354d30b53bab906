//! The certificate that a listener shows, and its key: two files, read here.

#[cfg(all(feature = "serve", feature = "tls"))]
use std::fs::{self, File};
#[cfg(all(feature = "serve", feature = "tls"))]
use std::io::{self, Read};
use std::path::Path;
#[cfg(all(feature = "serve", feature = "tls"))]
use std::time::SystemTime;

use super::pem_file::PemFile;
use super::place::Place;

/// The files that a listener encrypts with, both in PEM. They are read when it starts, and again when one of them has
/// changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    certificate: PemFile,
    key: PemFile,
}

impl ServerTls {
    pub(super) fn new(certificate: PemFile, key: PemFile) -> Self {
        Self { certificate, key }
    }

    /// The same files, given as the table that is here.
    pub(super) fn given_at(self, place: &Place) -> Self {
        let Self { certificate, key } = self;
        Self {
            certificate: PemFile::new(certificate.path().into(), &place.child("certificate")),
            key: PemFile::new(key.path().into(), &place.child("key")),
        }
    }

    /// The certificate, with those that vouch for it behind it.
    pub fn certificate(&self) -> &Path {
        self.certificate.path()
    }

    /// The private key of the certificate.
    pub fn key(&self) -> &Path {
        self.key.path()
    }
}

/// What is in the two files. Not to be printed.
#[cfg(all(feature = "serve", feature = "tls"))]
pub(crate) struct ServerPem {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// Something that differs if a file was written anew.
#[cfg(all(feature = "serve", feature = "tls"))]
pub(crate) type Stamp = [Option<(SystemTime, u64)>; 2];

/// Chains of certificates have a few kilobytes.
#[cfg(all(feature = "serve", feature = "tls"))]
const LONGEST: u64 = 1 << 20;

#[cfg(all(feature = "serve", feature = "tls"))]
impl ServerTls {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// The file that cannot be read, and why.
    pub(crate) fn read(&self) -> Result<ServerPem, String> {
        let read = |what: &str, file: &PemFile| {
            let (path, place) = (file.path(), file.place());
            read(path).map_err(|error| format!("cannot read its {what} {path:?}: {error}; check {place}"))
        };
        Ok(ServerPem { certificate: read("certificate", &self.certificate)?, key: read("key", &self.key)? })
    }

    /// Certificate and key as errors say them: each file, and where it is given.
    pub(crate) fn said(&self) -> [String; 2] {
        [&self.certificate, &self.key].map(|file| format!("{:?} (of {})", file.path(), file.place()))
    }

    /// When the files were written last, and how long they are.
    pub(crate) fn stamp(&self) -> Stamp {
        [self.certificate(), self.key()].map(|path| {
            let about = fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        })
    }
}

#[cfg(all(feature = "serve", feature = "tls"))]
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 1 MiB"));
    }
    Ok(bytes)
}
