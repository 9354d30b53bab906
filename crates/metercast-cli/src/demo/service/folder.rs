//! A folder for the time being.

use std::io;
use std::path::{Path, PathBuf};

/// A new folder under the system's folder for temporary files; removed with all it holds when this is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Makes a folder that nobody else has, whose name begins with `prefix`.
    pub(crate) fn new(prefix: &str) -> io::Result<TemporaryFolder> {
        let parent = std::env::temp_dir();
        let mut number = 0;
        loop {
            let path = parent.join(format!("{prefix}-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                // Left over from a process that had our number and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                made => return made.map(|()| TemporaryFolder { path }),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, whose folder it is.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_folder_of_its_own_and_leaves_nothing() {
        let prefix = "metercast-folder-test";
        let (first, second) = (TemporaryFolder::new(prefix).unwrap(), TemporaryFolder::new(prefix).unwrap());
        assert_ne!(first.path(), second.path());
        std::fs::write(first.path().join("file"), "text").unwrap();
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists() && second.path().exists());
    }
}
