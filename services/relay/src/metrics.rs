//! What the relay measures by the macros of `metrics`: descriptions, buckets, and labels that clients cannot make many of.
//!
//! Those macros leave no notes in the program, so the catalogue does not know these metrics; the table in the tests does.

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

/// Says what each metric means.
pub fn describe() {
    describe_counter!("buzz_ws_connections_total", "WebSocket connections accepted");
    describe_gauge!("buzz_ws_connections_active", "WebSocket connections that are open");
    describe_counter!(
        "buzz_ws_backpressure_disconnects_total",
        "Connections dropped since the client did not keep up"
    );
    describe_counter!("buzz_ws_auth_timeouts_total", "Connections closed since nobody said who he is");
    describe_histogram!("buzz_ws_send_batch_size", "Messages sent at once");
    describe_gauge!("buzz_subscriptions_active", "Subscriptions of all connections");
    describe_counter!("buzz_events_received_total", "Events received by kind");
    describe_counter!("buzz_events_stored_total", "Events kept by kind");
    describe_counter!("buzz_events_rejected_total", "Events refused by reason");
    describe_histogram!("buzz_event_processing_seconds", "Time from an event to its answer");
    describe_histogram!("buzz_fanout_recipients", "Subscriptions that an event went to");
    describe_counter!("buzz_multinode_fanout_total", "Events published for other nodes");
    describe_counter!("buzz_multinode_fanout_lag_total", "Events of other nodes that came too fast");
    describe_counter!("buzz_cache_invalidation_lag_total", "Invalidations of caches that came too fast");
    describe_counter!("buzz_auth_attempts_total", "Attempts to say who one is");
    describe_counter!("buzz_auth_failures_total", "Such attempts that failed, by reason");
    describe_counter!("buzz_media_uploads_total", "Files taken by type");
    describe_counter!("buzz_media_upload_rejections_total", "Files refused by reason");
    describe_counter!("buzz_workflow_runs_total", "Workflows begun by trigger");
    describe_histogram!("buzz_audit_log_seconds", "Time to write an entry of the audit log");
    describe_counter!("buzz_audit_log_errors_total", "Entries of the audit log that could not be written");
    describe_counter!("buzz_audit_send_errors_total", "Entries of the audit log that found no room to wait");
    describe_counter!("buzz_membership_cache_hits_total", "Members found in the cache");
    describe_counter!("buzz_membership_cache_misses_total", "Members looked up in the database");
    describe_counter!(
        "buzz_count_fallback_rejections_total",
        "Counts refused since all events would have to be read"
    );
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
