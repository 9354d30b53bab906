//! What the gateway measures itself. Its users see what is public; the vendor sees all of it.

use metercast_tower::{labels, metrics};

labels! {
    /// What becomes of a connection: after a reload it ends with the next answer.
    pub(crate) enum State { Active, Terminating }
}

metrics! {
    /// Starts of the process
    pub(crate) static STARTS: Counter<u64> = "gateway.lifecycle.start";
    /// Requests by the status of their answer
    pub(crate) static OPERATIONS: Counter<u64> = "gateway.operations" {
        unit: "{request}", labels: { "http.response.status_code": u16 }
    };
    /// Calls of upstreams
    pub(crate) static FETCHES: Counter<u64> = "gateway.operations.fetch" {
        unit: "{request}", labels: { "subgraph.name": &str, "http.response.status_code": u16 }, visibility: private
    };
    /// Time that calls of upstreams took
    pub(crate) static FETCH_DURATION: Histogram<f64> = "gateway.operations.fetch.duration" {
        unit: "s", labels: { "subgraph.name": &str }, visibility: private
    };
    /// Connections by what becomes of them
    pub(crate) static CONNECTIONS: UpDownCounter<i64> = "gateway.open_connections" {
        unit: "{connection}", labels: { "http.connection.state": State }
    };
    /// Configurations that requests are served by
    pub(crate) static PIPELINES: UpDownCounter<i64> = "gateway.pipelines" {
        unit: "{pipeline}", labels: { "config.hash": &str }
    };
    /// Answers that are kept
    pub(crate) static CACHE_SIZE: ObservableGauge<u64> = "gateway.cache.size" { labels: { kind: &str } };
    /// Whether answers are kept
    pub(crate) static CONFIG_CACHE: ObservableGauge<u64> = "gateway.config.cache" {
        labels: { "opt.upstreams": u64 }, visibility: private
    };
    /// Whether the user defines instruments
    pub(crate) static CONFIG_INSTRUMENTS: ObservableGauge<u64> = "gateway.config.custom_instruments" {
        labels: { "opt.count": u64 }, visibility: private
    };
    /// Whether the user has views
    pub(crate) static CONFIG_VIEWS: ObservableGauge<u64> = "gateway.config.views" {
        labels: { "opt.count": u64 }, visibility: private
    };
}
