//! Why a recorder was not made or not installed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a recorder was not made or not installed; says how to mend it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RecorderError {
    /// Bounds of buckets make no sense.
    Buckets {
        /// Which metrics the rule is for.
        of: String,
        /// What is wrong, and how to mend it.
        fault: String,
    },
    /// Quantiles of summaries make no sense.
    Quantiles(String),
    /// The window of summaries is too short.
    Window(Duration),
    /// The process has a recorder already, and takes no other.
    Installed,
}

impl fmt::Display for RecorderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecorderError::Buckets { of, fault } => write!(f, "buckets of {of}: {fault}"),
            RecorderError::Quantiles(fault) => write!(f, "quantiles of summaries: {fault}"),
            RecorderError::Window(window) => {
                write!(f, "window of summaries: {window:?} is too short; it has to be a second at least")
            }
            RecorderError::Installed => f.write_str(
                "a recorder of the `metrics` facade is installed in this process already, and would go on to get all that \
                 is recorded; install one only: remove the other one (such as that of metrics-exporter-prometheus), or build \
                 this one and install both behind a fanout",
            ),
        }
    }
}

impl Error for RecorderError {}
