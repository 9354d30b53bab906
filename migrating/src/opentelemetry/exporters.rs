//! Exporters and views from a file.

use super::shop;
use crate::serve;

// region: main
use metercast::{Config, Telemetry};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    metercast_opentelemetry::install()?;
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run();
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
