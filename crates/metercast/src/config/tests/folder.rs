//! A folder of files for one test, gone at its end.

use std::path::PathBuf;

pub(super) struct Folder(PathBuf);

impl Folder {
    /// `name` tells it from those of other tests.
    pub(super) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("metercast-config-{}-{name}", std::process::id()));
        _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The text with the names of files as they are in this folder.
    pub(super) fn without(&self, text: impl std::fmt::Display) -> String {
        text.to_string().replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
