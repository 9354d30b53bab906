//! One request to send, and what is known to have arrived when it has.

use std::fmt;

use super::told::Told;

/// A message to send, complete in itself; see [`OtlpMessage::requests`](crate::OtlpMessage::requests).
pub struct Request {
    pub(crate) body: Vec<u8>,
    pub(crate) points: u64,
    /// Which reading of its message it is of.
    pub(super) reading: u64,
    pub(super) told: Told,
}

impl Request {
    /// The message, uncompressed: an `ExportMetricsServiceRequest`.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many points it has; never none.
    pub fn points(&self) -> u64 {
        self.points
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, points) = (self.body.len(), self.points);
        f.debug_struct("Request").field("bytes", &bytes).field("points", &points).finish_non_exhaustive()
    }
}
