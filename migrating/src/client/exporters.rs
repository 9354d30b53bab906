//! Exporters from a file: the page on a listener, and a push beside it.

use super::shop;
use crate::serve;

// region: main
use std::sync::{Arc, Mutex};

use metercast::{Config, Telemetry};
use prometheus_client::registry::Registry;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Under a lock, so that more can be registered later.
    let registry = Arc::new(Mutex::new(Registry::default()));
    metercast_prometheus::registry(&registry).forever();
    let metrics = shop::Metrics::register(&mut registry.lock().unwrap());
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run(&metrics);
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
