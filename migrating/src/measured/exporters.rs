//! Exporters from a file: the page on a listener, and a push beside it.

use super::{bridge, shop};
use crate::serve;

// region: main
use std::sync::Arc;

use metercast::{Config, Telemetry};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = Arc::new(shop::Metrics::new());
    bridge::group(Arc::clone(&metrics)).forever();
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run(&metrics);
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
