//! The services, and where their files are.

use std::path::{Path, PathBuf};

/// A service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its folder, its package and its program.
    pub name: &'static str,
    /// Whether it has a page; the others push, and no Prometheus finds anything there.
    pub is_scraped: bool,
}

/// All of them.
pub const SERVICES: [Service; 5] = [
    Service { name: "mailroom", is_scraped: false },
    Service { name: "relay", is_scraped: true },
    Service { name: "executor", is_scraped: true },
    Service { name: "osapi", is_scraped: true },
    Service { name: "router", is_scraped: true },
];

impl Service {
    /// The service of this name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn named(name: &str) -> Service {
        SERVICES.into_iter().find(|service| service.name == name).expect("one of the services")
    }

    /// A file or folder of it.
    pub fn path(self, of: &str) -> PathBuf {
        root().join("services").join(self.name).join(of)
    }

    /// A text file of it.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn text(self, file: &str) -> String {
        read(&self.path(file))
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
