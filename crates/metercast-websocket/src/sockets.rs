//! The sockets of a listener.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use metercast_core::label::Word;
use metercast_core::{Guard, Instrument, KeyValue, LabelRef, ValueRef};

use crate::connection::Connection;

/// The sockets of a listener; made by [`SocketMetrics::build`](crate::SocketMetrics::build). Clones are the same.
#[derive(Clone, Debug)]
pub struct Sockets {
    parts: Arc<Parts>,
}

/// The metrics of sockets, of which there are those that were named.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) connections: Option<Instrument>,
    pub(crate) active: Option<Instrument>,
    pub(crate) closed: Option<Instrument>,
    pub(crate) connection_duration: Option<Instrument>,
    pub(crate) messages_received: Option<Instrument>,
    pub(crate) messages_sent: Option<Instrument>,
    pub(crate) bytes_received: Option<Instrument>,
    pub(crate) bytes_sent: Option<Instrument>,
    pub(crate) message_duration: Option<Instrument>,
    pub(crate) dropped: Option<Instrument>,
    pub(crate) disconnects: Option<Instrument>,
    pub(crate) batch_size: Option<Instrument>,
    pub(crate) auth_attempts: Option<Instrument>,
    pub(crate) auth_failures: Option<Instrument>,
    pub(crate) auth_timeouts: Option<Instrument>,
    pub(crate) labels: Vec<KeyValue>,
}

impl Parts {
    fn labels<'a>(&'a self, own: Option<LabelRef<'a>>) -> impl Iterator<Item = LabelRef<'a>> {
        self.labels.iter().map(|label| (&*label.key, ValueRef::from(&label.value))).chain(own)
    }

    pub(crate) fn count(&self, counter: Option<Instrument>, amount: u64, own: Option<LabelRef<'_>>) {
        if let Some(counter) = counter {
            counter.add(amount, self.labels(own));
        }
    }

    pub(crate) fn seconds(&self, histogram: Option<Instrument>, seconds: f64, own: Option<LabelRef<'_>>) {
        if let Some(histogram) = histogram {
            histogram.record(seconds, self.labels(own));
        }
    }

    pub(crate) fn size(&self, summary: Option<Instrument>, size: u64) {
        if let Some(summary) = summary {
            summary.record(size, self.labels(None));
        }
    }

    pub(crate) fn guard(&self, counter: Option<Instrument>) -> Option<Guard> {
        counter.map(|counter| counter.guard(self.labels(None)))
    }
}

impl Sockets {
    pub(crate) fn new(parts: Parts) -> Sockets {
        Sockets { parts: Arc::new(parts) }
    }

    /// Counts a connection that was accepted. It is not active yet, so that clients who leave during a challenge never were; what
    /// begins with an active one is [`open`](Self::open).
    ///
    /// Its id is 16 hexadecimal digits that no other connection of the process has, and that of another process most likely neither.
    pub fn accept(&self) -> Connection {
        self.accept_as(next_id())
    }

    /// The same with an id of one's own, which is in spans and in no label.
    pub fn accept_as(&self, id: impl Into<Arc<str>>) -> Connection {
        self.parts.count(self.parts.connections, 1, None);
        Connection::new(Arc::clone(&self.parts), id.into())
    }

    /// Counts a connection that was accepted, and is active.
    pub fn open(&self) -> Connection {
        let connection = self.accept();
        connection.activate();
        connection
    }

    /// Counts an attempt of a client to say who it is, by how it does so.
    pub fn auth_attempt(&self, method: impl Word) {
        self.parts.count(self.parts.auth_attempts, 1, Some(("method", method.spelled())));
    }

    /// Counts that such an attempt failed, by why.
    pub fn auth_failure(&self, reason: impl Word) {
        self.parts.count(self.parts.auth_failures, 1, Some(("reason", reason.spelled())));
    }
}

/// A number that begins somewhere else in each process.
fn next_id() -> String {
    static FIRST: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // The standard library's hashers have keys that nobody can foretell.
    let first = FIRST.get_or_init(|| RandomState::new().build_hasher().finish());
    id(*first, NEXT.fetch_add(1, Relaxed))
}

fn id(first: u64, number: u64) -> String {
    format!("{:016x}", first.wrapping_add(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_connections_of_a_process_have_one_id_however_many_there_are() {
        assert_eq!((id(0, 0).as_str(), id(u64::MAX, 3).as_str()), ("0000000000000000", "0000000000000002"));
        for first in [0, 1 << 63, u64::MAX] {
            assert_ne!(id(first, 7), id(first, 7 + (1 << 32)));
        }
        assert_eq!(next_id().len(), 16);
        assert_ne!(next_id(), next_id());
    }
}
