//! Metrics whose kind and unit the semantic conventions fix.

use metercast_core::Kind;
use metercast_core::Kind::{Counter, Gauge, Histogram, UpDownCounter};

/// The kind and unit of a metric of the semantic conventions.
pub(super) fn known(name: &str) -> Option<(Kind, &'static str)> {
    let at = KNOWN.binary_search_by(|(known, ..)| (*known).cmp(name)).ok()?;
    Some((KNOWN[at].1, KNOWN[at].2))
}

const KNOWN: &[(&str, Kind, &str)] = &[
    ("db.client.connection.count", UpDownCounter, "{connection}"),
    ("db.client.connection.create_time", Histogram, "s"),
    ("db.client.connection.idle.max", UpDownCounter, "{connection}"),
    ("db.client.connection.idle.min", UpDownCounter, "{connection}"),
    ("db.client.connection.max", UpDownCounter, "{connection}"),
    ("db.client.connection.pending_requests", UpDownCounter, "{request}"),
    ("db.client.connection.timeouts", Counter, "{timeout}"),
    ("db.client.connection.use_time", Histogram, "s"),
    ("db.client.connection.wait_time", Histogram, "s"),
    ("db.client.operation.duration", Histogram, "s"),
    ("http.client.active_requests", UpDownCounter, "{request}"),
    ("http.client.request.body.size", Histogram, "By"),
    ("http.client.request.duration", Histogram, "s"),
    ("http.client.response.body.size", Histogram, "By"),
    ("http.server.active_requests", UpDownCounter, "{request}"),
    ("http.server.request.body.size", Histogram, "By"),
    ("http.server.request.duration", Histogram, "s"),
    ("http.server.response.body.size", Histogram, "By"),
    ("messaging.client.consumed.messages", Counter, "{message}"),
    ("messaging.client.operation.duration", Histogram, "s"),
    ("messaging.client.sent.messages", Counter, "{message}"),
    ("messaging.process.duration", Histogram, "s"),
    ("process.context_switches", Counter, "{context_switch}"),
    ("process.cpu.time", Counter, "s"),
    ("process.cpu.utilization", Gauge, "1"),
    ("process.disk.io", Counter, "By"),
    ("process.memory.usage", UpDownCounter, "By"),
    ("process.memory.virtual", UpDownCounter, "By"),
    ("process.network.io", Counter, "By"),
    ("process.paging.faults", Counter, "{fault}"),
    ("process.thread.count", UpDownCounter, "{thread}"),
    ("process.unix.file_descriptor.count", UpDownCounter, "{file_descriptor}"),
    ("process.uptime", Gauge, "s"),
    ("rpc.client.call.duration", Histogram, "s"),
    ("rpc.server.call.duration", Histogram, "s"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_sorted_so_that_they_are_found() {
        assert!(KNOWN.is_sorted_by_key(|(name, ..)| *name));
        assert_eq!(known("process.uptime"), Some((Gauge, "s")));
        assert_eq!(known("process.downtime"), None);
    }
}
