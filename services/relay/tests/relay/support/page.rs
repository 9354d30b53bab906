//! A page of metrics, as far as a test asks.

/// Every name that may be on a page, and no other: the contract of those who have dashboards.
pub(crate) const TABLE: [&str; 37] = [
    "http_requests_total",
    "http_request_latency_ms",
    "buzz_ws_connections_total",
    "buzz_ws_connections_active",
    "buzz_ws_backpressure_disconnects_total",
    "buzz_ws_auth_timeouts_total",
    "buzz_ws_send_batch_size",
    "buzz_subscriptions_active",
    "buzz_events_received_total",
    "buzz_events_stored_total",
    "buzz_events_rejected_total",
    "buzz_event_processing_seconds",
    "buzz_fanout_recipients",
    "buzz_multinode_fanout_total",
    "buzz_multinode_fanout_lag_total",
    "buzz_cache_invalidation_lag_total",
    "buzz_auth_attempts_total",
    "buzz_auth_failures_total",
    "buzz_media_uploads_total",
    "buzz_media_upload_rejections_total",
    "buzz_workflow_runs_total",
    "buzz_audit_log_seconds",
    "buzz_audit_log_errors_total",
    "buzz_audit_send_errors_total",
    "buzz_membership_cache_hits_total",
    "buzz_membership_cache_misses_total",
    "buzz_accessible_channels_cache_hits_total",
    "buzz_accessible_channels_cache_misses_total",
    "buzz_count_fallback_rejections_total",
    "buzz_db_pool_size",
    "buzz_db_pool_idle",
    "buzz_db_pool_active",
    "buzz_db_pool_max",
    "buzz_redis_pool_available",
    "buzz_redis_pool_size",
    "buzz_redis_pool_max",
    "buzz_redis_pool_waiting",
];

/// A page in text.
#[derive(Clone, Debug)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// The lines of samples.
    pub(crate) fn samples(&self) -> impl Iterator<Item = &str> {
        self.0.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    /// The value of a series, as it is written.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        let line = self.samples().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(line.parse().expect("a number"))
    }

    /// Each of these series has this value.
    #[track_caller]
    pub(crate) fn has(&self, series: &[(&str, f64)]) {
        for (series, value) in series {
            assert_eq!(self.value(series), Some(*value), "{series} on\n{}", self.0);
        }
    }

    /// What the macros record has the labels that their table says, and no others.
    #[track_caller]
    pub(crate) fn has_known_labels(&self) {
        for (_, name, known, _) in relay::METRICS {
            let of_metric = self.samples().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
            for labels in of_metric {
                let keys =
                    labels.split("\",").filter_map(|label| label.split_once("=\"").map(|(key, _)| key));
                let keys: Vec<&str> = keys.filter(|key| !["le", "quantile"].contains(key)).collect();
                assert_eq!(keys, known, "{name}{{{labels}");
            }
        }
    }

    /// The names of all metrics.
    pub(crate) fn names(&self) -> Vec<&str> {
        let types = self.0.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|rest| rest.split(' ').next()).collect()
    }

    /// Every line, sorted: comments, series, and the values of those that do not say how long something took, how messages came together
    /// or how a pool stands.
    pub(crate) fn lines(&self) -> Vec<&str> {
        let is_of_the_moment = |line: &str| {
            ["_seconds_", "_ms_", "_pool_", "batch_size"].iter().any(|part| line.contains(part))
                && !line.starts_with('#')
        };
        let shown = |line: &'_ str| if is_of_the_moment(line) { line.rfind(' ') } else { None };
        let mut lines: Vec<_> =
            self.0.lines().map(|line| shown(line).map_or(line, |end| &line[..end])).collect();
        lines.sort_unstable();
        lines
    }

    /// Every series, without its value, sorted.
    pub(crate) fn series(&self) -> Vec<&str> {
        let mut series: Vec<_> =
            self.samples().filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect();
        series.sort_unstable();
        series
    }
}
