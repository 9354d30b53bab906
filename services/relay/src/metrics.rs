//! What the relay measures by the macros of `metrics`: descriptions, buckets, and labels that clients cannot make many of.
//!
//! Those macros leave no notes in the program, so the catalogue does not know these metrics; a table does.

use metercast_metrics::{Matcher, MetricsRecorder, MetricsRecorderBuilder};
use metrics::{describe_counter, describe_gauge, describe_histogram};

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

/// A metric that the macros record: what it does with what it is told, its name, the keys of its labels, and what it means.
pub type Metric = (Kind, &'static str, &'static [&'static str], &'static str);

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

use Kind::{Counter, Gauge, Histogram};

/// All that the macros record.
pub const METRICS: [Metric; 27] = [
    (Counter, "buzz_ws_connections_total", &[], "WebSocket connections accepted"),
    (Gauge, "buzz_ws_connections_active", &[], "WebSocket connections that are open"),
    (Counter, "buzz_ws_backpressure_disconnects_total", &[], "Connections of clients that did not keep up"),
    (Counter, "buzz_ws_auth_timeouts_total", &[], "Connections closed since nobody said who he is"),
    (Histogram, "buzz_ws_send_batch_size", &[], "Messages sent at once"),
    (Gauge, "buzz_subscriptions_active", &[], "Subscriptions of all connections"),
    (Counter, "buzz_events_received_total", &["kind"], "Events received by kind"),
    (Counter, "buzz_events_stored_total", &["kind"], "Events kept by kind"),
    (Counter, "buzz_events_rejected_total", &["reason"], "Events refused by reason"),
    (Histogram, "buzz_event_processing_seconds", &[], "Time from an event to its answer"),
    (Histogram, "buzz_fanout_recipients", &[], "Subscriptions that an event went to"),
    (Counter, "buzz_multinode_fanout_total", &[], "Events published for other nodes"),
    (Counter, "buzz_multinode_fanout_lag_total", &[], "Events of other nodes that came too fast"),
    (Counter, "buzz_cache_invalidation_lag_total", &[], "Invalidations of caches that came too fast"),
    (Counter, "buzz_auth_attempts_total", &["method"], "Attempts to say who one is"),
    (Counter, "buzz_auth_failures_total", &["reason"], "Such attempts that failed, by reason"),
    (Counter, "buzz_media_uploads_total", &["mime"], "Files taken by type"),
    (Counter, "buzz_media_upload_rejections_total", &["reason"], "Files refused by reason"),
    (Counter, "buzz_workflow_runs_total", &["trigger"], "Workflows begun by trigger"),
    (Histogram, "buzz_audit_log_seconds", &[], "Time to write an entry of the audit log"),
    (Counter, "buzz_audit_log_errors_total", &[], "Entries of the audit log that could not be written"),
    (Counter, "buzz_audit_send_errors_total", &[], "Entries of the audit log that found no room to wait"),
    (Counter, "buzz_membership_cache_hits_total", &[], "Members found in the cache"),
    (Counter, "buzz_membership_cache_misses_total", &[], "Members looked up in the database"),
    (Counter, "buzz_accessible_channels_cache_hits_total", &[], "Channels of somebody found"),
    (Counter, "buzz_accessible_channels_cache_misses_total", &[], "Channels of somebody looked up"),
    (Counter, "buzz_count_fallback_rejections_total", &[], "Counts refused that would read all events"),
];

/// Described for those whose dashboards name them, as ever, and recorded by nobody: there is no index to search any more.
const DEAD: [Metric; 2] = [
    (Histogram, "buzz_search_index_seconds", &[], "Time to put an event into the index"),
    (Counter, "buzz_search_index_errors_total", &[], "Events that could not be put into the index"),
];

/// Says what each metric means.
pub fn describe() {
    for (kind, name, _, description) in METRICS.into_iter().chain(DEAD) {
        match kind {
            Counter => describe_counter!(name, description),
            Gauge => describe_gauge!(name, description),
            Histogram => describe_histogram!(name, description),
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
