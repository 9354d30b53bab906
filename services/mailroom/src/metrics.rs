//! What the mailroom measures beside its requests. Names are a contract with who aggregates operators.

use metercast_periods::Interval;
use metercast_tower::{labels, metrics};

labels! {
    /// The version of the protocol that an entry is of.
    pub(crate) enum Version {
        /// The first side waits for the second.
        One = "1",
        /// Either side may be away.
        Two = "2",
    }
}

metrics! {
    /// Entries stored, by version of the protocol
    pub(crate) static ENTRIES: Counter<u64> = "db_entries_total" { labels: { version: Version } };
    /// Different mailboxes that were written or read of late
    pub(crate) static UNIQUE_IDS: ObservableGauge<u64> = "unique_short_ids" { labels: { interval: Interval } };
    /// Tunnels to gateways that are open
    pub(crate) static TUNNELS: UpDownCounter<i64> = "bootstrap_active_tunnels";
    /// Tunnels that were refused, since as many as may be were open
    pub(crate) static SHED: Counter<u64> = "bootstrap_tunnel_shed_total";

    /// Requests that were answered in the last week that is over
    pub(crate) static REQUESTS_WEEKLY: ObservableGauge<u64> = "http_requests_weekly";
    /// Requests that were started in the last week that is over
    pub(crate) static STARTED_WEEKLY: ObservableGauge<u64> = "http_requests_started_weekly";
    /// Entries stored in the last week that is over
    pub(crate) static ENTRIES_WEEKLY: ObservableGauge<u64> = "db_entries_weekly";
    /// Tunnels that were refused in the last week that is over
    pub(crate) static SHED_WEEKLY: ObservableGauge<u64> = "bootstrap_tunnel_sheds_weekly";
    /// Different mailboxes that were written or read in the last week that is over
    pub(crate) static UNIQUE_IDS_WEEKLY: ObservableGauge<u64> = "unique_short_ids_weekly";
}
