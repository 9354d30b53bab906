//! Another provider, whose exporters are what the environment says.

use super::shop;
use crate::serve;

// region: main
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    metercast_opentelemetry::install()?;
    let telemetry = metercast::start()?; // a page on 127.0.0.1:9464, and the push that OTEL_EXPORTER_OTLP_ENDPOINT asks for
    shop::run();
    serve(&telemetry)?;
    drop(telemetry); // pushes what is not pushed yet, and logs what fails
    Ok(())
}
// endregion
