//! Bugs that other systems have had with views, filters, configuration, reloads and exporters that disturb each other: each as
//! what is right here, from a configuration to what leaves the process. Numbers are those of their trackers.
//!
//! Others stand where the thing itself is tested:
//!
//! | bug | test |
//! | --- | --- |
//! | 2238, 8328: all begins anew, or ends, with a reload | `soak`, `reload::twenty_five_reloads_...` |
//! | 3140, 3242: what there was is not sent before a reload | `reload::exporters_come_and_go_...` |
//! | 2704: each reload leaves memory, threads and tasks behind | `soak` |
//! | 4287: a reload fills the log with errors | `reload::twenty_five_reloads_...` |
//! | 7664: instruments that are made before the start are dead | `unstarted` |
//! | 8174: up-down counters as deltas | `export/otlp/message/tests/reshape.rs::up_down_counters_are_totals_...` |
//! | 9212, 9809, 9633, 8415, 2333: kinds, patterns, aliases, units and buckets of views | `view/tests/seeds.rs` |
//! | two exporters want other buckets, or other labels of one metric | `aggregated`, `view/tests/random.rs` |
//! | 8589, 8729, 8915, 8682, 7157: the user's variables and the log of a private exporter | `reload::a_private_exporter_...`, `config/tests/projection.rs` |
//! | 8363: an error that does not say of which exporter | `exporters::a_collector_that_is_down_...` |
//! | 4011, 7394: which attributes of the resource are labels | `config/tests/views.rs`, `export/prometheus` |
//! | a file that is wrong says nothing useful, or stops what runs | `bad_files` |
//! | a reload that fails halfway | `reload::a_reload_that_fails_...` |
//! | a scrape waits for callbacks of others | `metercast-core/tests/observables.rs` |

#[path = "../support/mod.rs"]
mod support;

mod lifetimes;
mod views;

use std::time::Duration;

use metercast::config::{ConfigBuilder, Prometheus};
use metercast::{Config, Store, Telemetry, metrics};
use support::scrape;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

metrics! {
    /// Requests.
    static REQUESTS: Counter<u64> = "cost.requests" { labels: { route: &str } };
    /// Sessions.
    static SESSIONS: UpDownCounter<i64> = "cost.sessions" { labels: { state: &str } };
    /// Temperature.
    static HEAT: Gauge<f64> = "cost.heat";
    /// Time.
    static TOOK: Histogram<f64> = "cost.took" { unit: "s", buckets: [0.5, 1.0] };
    /// The size of a cache.
    static CACHE: ObservableGauge<u64> = "cost.cache" { labels: { kind: &str } };
    /// All that was read.
    static READ: ObservableCounter<u64> = "cost.read" { unit: "By" };
    /// Nothing of this.
    static OTHER: Counter<u64> = "noise.other";
    /// Sizes, in buckets that follow them.
    static SIZES: Histogram<f64> = "cost.sizes" { exponential: true, labels: { route: &str } };
    /// Time, by who must not be named.
    static SECRET: Histogram<f64> = "cost.secret" { unit: "s", buckets: [0.5, 1.0], labels: { user: &str } };
}

fn builder() -> ConfigBuilder {
    Config::builder().environment(false).self_metrics(false)
}

fn page() -> Prometheus {
    Prometheus::listen("127.0.0.1:0")
}

fn start(builder: ConfigBuilder, store: &Store) -> Telemetry {
    Telemetry::builder(builder.build().unwrap()).store(store.clone()).log(support::log().0).start().unwrap()
}

fn reload(telemetry: &Telemetry, builder: ConfigBuilder) {
    telemetry.reload(builder.build().unwrap()).unwrap();
}

fn page_of(telemetry: &Telemetry) -> String {
    scrape(telemetry.scrape_address().unwrap())
}

/// One of each.
fn record(store: &Store) {
    store.scope(|| {
        REQUESTS.add(2, ("/a",));
        SESSIONS.add(3, ("active",));
        HEAT.set(21.5);
        TOOK.record(0.75);
        OTHER.add(1);
    });
}
