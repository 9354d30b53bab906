//! Why spans were not delivered.

use std::fmt;

/// Why not all spans were delivered by a flush or at the end, and how many.
#[derive(Clone, Debug)]
pub struct TracesError {
    says: String,
    lost: u64,
}

impl TracesError {
    pub(super) fn new(says: String, lost: u64) -> TracesError {
        TracesError { says, lost }
    }

    /// How many spans will never arrive, as far as is known.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl fmt::Display for TracesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "traces: {}", self.says)
    }
}

impl std::error::Error for TracesError {}
