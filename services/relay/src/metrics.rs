//! What the relay measures by the macros of `metrics`: descriptions, buckets, and labels that clients cannot make many of.
//!
//! Those macros leave no notes in the program, so the catalogue does not know these metrics; a table does.

use metercast_metrics::{Matcher, MetricsRecorder, MetricsRecorderBuilder};
use metrics::{Gauge, describe_counter, describe_gauge, describe_histogram, gauge};

/// Upper bounds of histograms whose names end in `_seconds`.
pub const SECONDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of `buzz_fanout_recipients`.
pub const RECIPIENTS: [f64; 9] = [0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 500.0, 1000.0];

/// What the macros record into. Histograms that have no bounds here are summaries, as they always were.
pub fn recorder() -> MetricsRecorderBuilder {
    MetricsRecorder::builder()
        .summaries()
        .buckets_for(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .buckets_for(Matcher::Full("buzz_fanout_recipients".to_owned()), &RECIPIENTS)
}

/// A metric that the macros record.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// What it does with what it is told.
    pub kind: Kind,
    /// What it is called.
    pub name: &'static str,
    /// The keys of its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub description: &'static str,
}

/// Which of the macros records a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `counter!`
    Counter,
    /// `gauge!`
    Gauge,
    /// `histogram!`
    Histogram,
}

/// All that the macros record.
pub const METRICS: [Metric; 25] = [
    Metric {
        kind: Kind::Counter,
        name: "buzz_ws_connections_total",
        labels: &[],
        description: "WebSocket connections accepted",
    },
    Metric {
        kind: Kind::Gauge,
        name: "buzz_ws_connections_active",
        labels: &[],
        description: "WebSocket connections that are open",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_ws_backpressure_disconnects_total",
        labels: &[],
        description: "Connections dropped since the client did not keep up",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_ws_auth_timeouts_total",
        labels: &[],
        description: "Connections closed since nobody said who he is",
    },
    Metric {
        kind: Kind::Histogram,
        name: "buzz_ws_send_batch_size",
        labels: &[],
        description: "Messages sent at once",
    },
    Metric {
        kind: Kind::Gauge,
        name: "buzz_subscriptions_active",
        labels: &[],
        description: "Subscriptions of all connections",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_events_received_total",
        labels: &["kind"],
        description: "Events received by kind",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_events_stored_total",
        labels: &["kind"],
        description: "Events kept by kind",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_events_rejected_total",
        labels: &["reason"],
        description: "Events refused by reason",
    },
    Metric {
        kind: Kind::Histogram,
        name: "buzz_event_processing_seconds",
        labels: &[],
        description: "Time from an event to its answer",
    },
    Metric {
        kind: Kind::Histogram,
        name: "buzz_fanout_recipients",
        labels: &[],
        description: "Subscriptions that an event went to",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_multinode_fanout_total",
        labels: &[],
        description: "Events published for other nodes",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_multinode_fanout_lag_total",
        labels: &[],
        description: "Events of other nodes that came too fast",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_cache_invalidation_lag_total",
        labels: &[],
        description: "Invalidations of caches that came too fast",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_auth_attempts_total",
        labels: &["method"],
        description: "Attempts to say who one is",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_auth_failures_total",
        labels: &["reason"],
        description: "Such attempts that failed, by reason",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_media_uploads_total",
        labels: &["mime"],
        description: "Files taken by type",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_media_upload_rejections_total",
        labels: &["reason"],
        description: "Files refused by reason",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_workflow_runs_total",
        labels: &["trigger"],
        description: "Workflows begun by trigger",
    },
    Metric {
        kind: Kind::Histogram,
        name: "buzz_audit_log_seconds",
        labels: &[],
        description: "Time to write an entry of the audit log",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_audit_log_errors_total",
        labels: &[],
        description: "Entries of the audit log that could not be written",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_audit_send_errors_total",
        labels: &[],
        description: "Entries of the audit log that found no room to wait",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_membership_cache_hits_total",
        labels: &[],
        description: "Members found in the cache",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_membership_cache_misses_total",
        labels: &[],
        description: "Members looked up in the database",
    },
    Metric {
        kind: Kind::Counter,
        name: "buzz_count_fallback_rejections_total",
        labels: &[],
        description: "Counts refused since all events would have to be read",
    },
];

/// Says what each metric means.
pub fn describe() {
    for Metric { kind, name, description, .. } in METRICS {
        match kind {
            Kind::Counter => describe_counter!(name, description),
            Kind::Gauge => describe_gauge!(name, description),
            Kind::Histogram => describe_histogram!(name, description),
        }
    }
}

/// The label of a kind of events: clients may send any number, and those of no known range are one.
pub(crate) fn kind_label(kind: u32) -> String {
    match kind {
        0..=7
        | 16
        | 40..=44
        | 1059
        | 1984
        | 9000..=9022
        | 9734
        | 9735
        | 10_000..=10_002
        | 30_000..=30_003 => kind.to_string(),
        _ => "other".to_owned(),
    }
}

/// One more in a gauge, until it is dropped.
pub(crate) struct OneMore(Gauge);

impl OneMore {
    /// In the gauge of this name.
    pub(crate) fn of(name: &'static str) -> OneMore {
        let gauge = gauge!(name);
        gauge.increment(1.0);
        OneMore(gauge)
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_no_known_range_is_other() {
        assert_eq!(kind_label(7), "7");
        assert_eq!(kind_label(8), "other");
        assert_eq!(kind_label(99_999), "other");
    }
}
