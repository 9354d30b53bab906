//! Where measurements go: to the page that is scraped, with the lines that its users know.

use metercast_clients::{PoolMetrics, PoolObservation, Sampler};
use metercast_tower::config::{Config, OnSigterm, Prometheus};
use metercast_tower::{Profile, Telemetry};

use crate::relay::Relay;
use crate::settings::Settings;

/// Serves the page. Nothing is on it but what the relay measures.
///
/// # Errors
///
/// If its port is taken.
pub fn start(settings: &Settings) -> Result<Telemetry, crate::Error> {
    let Settings { host, metrics_port, .. } = settings;
    let page =
        Prometheus::listen(&format!("{host}:{metrics_port}")).profile(Profile::MetricsRs).any_path(true);
    let config = Config::builder()
        .environment(false)
        .service("buzz-relay", env!("CARGO_PKG_VERSION"))
        .self_metrics(false)
        .on_sigterm(OnSigterm::Ignore)
        .exporter("prometheus", page)
        .build()?;
    Telemetry::start(config).map_err(|error| format!("metrics bind (BUZZ_METRICS_PORT): {error}").into())
}

/// Asks both pools how they stand, now and at the interval.
pub(crate) fn pools(settings: &Settings, relay: &Relay) -> Result<[PoolObservation; 2], crate::Error> {
    let sampler = || Sampler::every(settings.pool_interval);
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
    Ok([
        database.sample(sampler(), relay.database().pool().clone())?,
        redis.sample(sampler(), relay.bus().pool().clone())?,
    ])
}
