//! The files that one reading of the configuration depends on.

use std::collections::BTreeSet;
#[cfg(feature = "config")]
use std::io;
#[cfg(feature = "config")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "config")]
use super::read;

/// The files of one reading of the configuration.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// What was read or looked for, and the folders in which files may appear that matter.
    pub(super) known: Vec<PathBuf>,
    /// Those that say something.
    pub(super) filled: BTreeSet<PathBuf>,
    /// Those that are not used if they say nothing.
    #[cfg(feature = "config")]
    must_be_filled: BTreeSet<PathBuf>,
}

#[cfg(feature = "config")]
impl Files {
    /// For a reading in which these are not used if they say nothing.
    pub(super) fn insisting_on(must_be_filled: BTreeSet<PathBuf>) -> Files {
        Files { must_be_filled, ..Files::default() }
    }

    /// Notes a file, and reads it.
    pub(super) fn read(&mut self, path: &Path, longest: u64) -> io::Result<String> {
        if !self.known.iter().any(|known| known == path) {
            self.known.push(path.to_path_buf());
        }
        let text = read::read(path, longest)?;
        if !text.trim().is_empty() {
            self.filled.insert(path.to_path_buf());
        } else if self.must_be_filled.contains(path) {
            // Who writes a file anew truncates it first.
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it has become empty, as if somebody were about to write it",
            ));
        }
        Ok(text)
    }
}
