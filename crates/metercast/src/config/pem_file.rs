//! The path of a PEM file, and where it is given.

use std::fmt;
use std::path::{Path, PathBuf};

use super::place::{Given, Place};

/// The path of a PEM file. Two are equal if the path is: that a line moves changes nothing.
#[derive(Clone, Eq)]
pub(super) struct PemFile {
    path: PathBuf,
    /// As errors say it.
    #[cfg_attr(
        not(all(feature = "tls", any(feature = "otlp", feature = "serve"))),
        allow(dead_code, reason = "nobody reads it")
    )]
    place: String,
}

impl PemFile {
    pub(super) fn new(path: PathBuf, place: &Place) -> Self {
        Self { path, place: place.to_string() }
    }

    pub(super) fn given(file: Given<PathBuf>) -> Self {
        Self::new(file.value, &file.place)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// File, line and key; or the variable.
    #[cfg_attr(
        not(all(feature = "tls", any(feature = "otlp", feature = "serve"))),
        allow(dead_code, reason = "nobody reads it")
    )]
    pub(super) fn place(&self) -> &str {
        &self.place
    }
}

impl PartialEq for PemFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}
