//! Exporters and views from a file.

use std::error::Error;

use super::shop;
use crate::serve;

// region: main
use metercast::{Config, Telemetry};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    metercast_opentelemetry::install()?;
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run();
    serve(&telemetry)?;
    telemetry.shutdown()?; // pushes what is not pushed yet
    Ok(())
}
// endregion
