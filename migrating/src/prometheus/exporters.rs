//! Exporters from a file: the page on a listener, and a push beside it.

use super::shop;
use crate::serve;

// region: main
use metercast::{Config, Telemetry};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    metercast_prometheus::registry(prometheus::default_registry()).forever();
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run();
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
