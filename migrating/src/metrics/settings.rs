//! The other settings of the old builder.

use super::shop;
use crate::serve;

// region: main
use std::time::Duration;

use metercast::{Config, Expiry, Store, Telemetry};
use metercast_metrics::{Matcher, MetricsRecorder};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    MetricsRecorder::builder()
        .buckets_for(Matcher::Suffix("_seconds".to_owned()), &[0.1, 1.0]) // set_buckets_for_metric
        .exponential_for(Matcher::Full("shop_basket_size".to_owned())) // set_native_histogram_for_metric
        .summaries() // or buckets, as set_buckets
        .quantiles(&[0.5, 0.99]) // set_quantiles
        .window(Duration::from_secs(60)) // set_bucket_duration times set_bucket_count
        .install()?;
    Store::global().set_expiry(Some(Expiry::after(Duration::from_secs(3600)))); // idle_timeout
    let config =
        Config::builder().service("shop", "1.0.0").file("settings.toml").env_prefix("SHOP").build()?;
    let telemetry = Telemetry::start(config)?;
    shop::run();
    serve(&telemetry)?;
    drop(telemetry);
    Ok(())
}
// endregion
