//! A page that is sent in parts, so that it can be ended when its client reads no more.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::in_flight::Sending;

/// How much is copied at a time. What a server has of a page that was ended are such copies.
const PART: usize = 64 * 1024;

/// The parts of a body, one after the other; see [`ScrapeBody::into_parts`](super::ScrapeBody::into_parts). The request
/// counts as in flight until these and all parts are dropped, or its place was given to another, because its client took
/// nothing for 30 s: then the next part is an error, after which the connection is to be closed.
pub struct ScrapeParts {
    sending: Arc<Sending>,
    at: usize,
    length: usize,
}

/// A part of a body, 64 KiB or the last. Drop it when it was sent.
pub struct ScrapePart {
    bytes: Vec<u8>,
    sending: Arc<Sending>,
}

impl ScrapeParts {
    pub(super) fn new(sending: Arc<Sending>, length: usize) -> ScrapeParts {
        ScrapeParts { sending, at: 0, length }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.length - self.at
    }
}

impl Iterator for ScrapeParts {
    type Item = io::Result<ScrapePart>;

    fn next(&mut self) -> Option<io::Result<ScrapePart>> {
        if self.remaining() == 0 {
            return None;
        }
        let (from, to) = (self.at, self.length.min(self.at + PART));
        let taken = self.sending.take(|page| page.get(from..to).map(<[u8]>::to_vec)).flatten();
        let Some(bytes) = taken else {
            self.at = self.length;
            return Some(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client took nothing of the page for too long, and another needed its place",
            )));
        };
        self.at = to;
        Some(Ok(ScrapePart { bytes, sending: Arc::clone(&self.sending) }))
    }
}

impl AsRef<[u8]> for ScrapePart {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for ScrapePart {
    fn drop(&mut self) {
        self.sending.take(|_| ());
    }
}

impl fmt::Debug for ScrapeParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrapeParts").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ScrapePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrapePart").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
