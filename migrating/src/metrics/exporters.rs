//! Exporters from a file: the page on a listener, and a push beside it.

use super::shop;
use crate::serve;

// region: main
use metercast::{Config, Telemetry};
use metercast_metrics::{Matcher, MetricsRecorder};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    MetricsRecorder::builder()
        .summaries()
        .buckets_for(Matcher::Suffix("_seconds".to_owned()), &[0.1, 1.0])
        .install()?;
    let config =
        Config::builder().service("shop", "1.0.0").file("telemetry.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run();
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
