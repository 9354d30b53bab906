//! Where measurements go: to the page that is scraped, with the lines that its users know. Spans go to a collector, if there is one.

use metercast_clients::{PoolMetrics, PoolObservation, Sampler};
use metercast_tower::config::{Config, OnSigterm, Prometheus, Protocol, Traces};
use metercast_tower::{Profile, Telemetry};

use crate::relay::Relay;
use crate::settings::Settings;

/// The most characters of a text in a span: clients choose the names of events and subscriptions, and of paths.
const LONGEST: u32 = 1_024;

/// What is measured and traced, and for whom: nothing is on the page but what the relay measures, and the variables of OpenTelemetry are for
/// traces.
///
/// # Errors
///
/// If the host is none.
pub fn configure(settings: &Settings) -> Result<Config, crate::Error> {
    let Settings { host, metrics_port, .. } = settings;
    let page =
        Prometheus::listen(&format!("{host}:{metrics_port}")).profile(Profile::MetricsRs).any_path(true);
    let traces = match &settings.traces_filter {
        Some(filter) => Traces::new().filter(filter),
        None => Traces::new(),
    };
    Ok(Config::builder()
        .environment_for_traces_alone()
        .default_traces(
            Traces::new()
                .protocol(Protocol::Grpc)
                .filter("relay=info,metercast_tracing=info")
                .max_value_length(LONGEST),
        )
        .traces(traces)
        .service("buzz-relay", env!("CARGO_PKG_VERSION"))
        .self_metrics(false)
        .on_sigterm(OnSigterm::Ignore)
        .exporter("prometheus", page)
        .build()?)
}

/// Serves the page.
///
/// # Errors
///
/// If its port is taken.
pub fn start(config: Config) -> Result<Telemetry, crate::Error> {
    let telemetry = Telemetry::builder(config).log(metercast_tracing::log()).start();
    telemetry.map_err(|error| format!("metrics bind (BUZZ_METRICS_PORT): {error}").into())
}

/// The metrics of both pools: of the database, and of Redis.
pub fn pool_metrics() -> [PoolMetrics; 2] {
    let database = PoolMetrics::new()
        .size("buzz_db_pool_size")
        .idle("buzz_db_pool_idle")
        .used("buzz_db_pool_active")
        .max("buzz_db_pool_max");
    let redis = PoolMetrics::new()
        .idle("buzz_redis_pool_available")
        .size("buzz_redis_pool_size")
        .max("buzz_redis_pool_max")
        .waiting("buzz_redis_pool_waiting");
    [database, redis]
}

/// Asks both pools how they stand, now and at the interval.
pub(crate) fn pools(settings: &Settings, relay: &Relay) -> Result<[PoolObservation; 2], crate::Error> {
    let sampler = || Sampler::every(settings.pool_interval);
    let [database, redis] = pool_metrics();
    Ok([
        database.sample(sampler(), relay.database.pool().clone())?,
        redis.sample(sampler(), relay.bus.pool().clone())?,
    ])
}
