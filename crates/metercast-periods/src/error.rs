//! Why counting over periods cannot begin, or be kept.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why counting over periods cannot begin, or be kept.
#[derive(Debug)]
#[non_exhaustive]
pub enum PeriodsError {
    /// Another process counts in this file, or another [`Periods`](crate::Periods) of this one.
    InUse {
        /// The state file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system has no random numbers for a key.
    Random(Box<dyn Error + Send + Sync>),
    /// The system gives no thread.
    Thread(io::Error),
}

impl PeriodsError {
    pub(crate) fn random(error: getrandom::Error) -> PeriodsError {
        PeriodsError::Random(error.to_string().into())
    }
}

impl fmt::Display for PeriodsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeriodsError::InUse { path } => write!(
                f,
                "{}: is used by another process, and two would overwrite each other's counts; give each its own file",
                path.display()
            ),
            PeriodsError::Unusable { path, error } => write!(
                f,
                "{}: {error}; the folder must be there, and the program must be allowed to write into it",
                path.display()
            ),
            PeriodsError::Random(error) => write!(f, "no key to hash ids with: {error}"),
            PeriodsError::Thread(error) => write!(f, "no thread to look at the clock: {error}"),
        }
    }
}

impl Error for PeriodsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PeriodsError::Unusable { error, .. } | PeriodsError::Thread(error) => Some(error),
            PeriodsError::Random(error) => Some(&**error),
            PeriodsError::InUse { .. } => None,
        }
    }
}
