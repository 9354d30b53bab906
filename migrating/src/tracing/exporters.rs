//! Exporters and views from a file, and how many events are logged.

use super::shop;
use crate::serve;

// region: main
use metercast::{Config, Telemetry};
use metercast_tracing::{LogCounter, Metrics};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::registry().with(Metrics::new().layer()).with(LogCounter::new().layer()).init();
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run();
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
