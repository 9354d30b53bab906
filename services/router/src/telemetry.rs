//! Where measurements go: to the user as the file says, and to the vendor.

use std::path::Path;
use std::time::Duration;

use metercast_tower::config::{Compression, Config, Mapping, OnSigterm, Otlp, TemporalityPreference};
use metercast_tower::view::{Filter, Projection, Visibilities};

use crate::configuration::Configuration;
use crate::stages::Measured;

/// How long the final pushes may take.
const FLUSH: Duration = Duration::from_secs(2);

/// What the file says, read as the gateway's users know it, and the vendor's exporter, which is none of the user's business.
pub(crate) fn configure(
    file: &Path,
    configuration: &Configuration,
    measured: &Measured,
) -> Result<Config, crate::Error> {
    let mut config = Config::builder()
        .service("router", env!("CARGO_PKG_VERSION"))
        .on_sigterm(OnSigterm::Ignore)
        .shutdown_timeout(FLUSH)
        .mapping(Mapping::gateway())
        .stages(&measured.stages)
        .file(file);
    if let Some(private) = &configuration.private {
        let projection =
            Projection::new().filter(Filter::new().visibility(Visibilities::Both).include("gateway.*"));
        let vendor = Otlp::to(&private.endpoint)
            .interval(private.interval()?)
            .temporality(TemporalityPreference::Delta)
            .compression(Compression::Gzip)
            .projection(projection);
        config = config.private_exporter("vendor", vendor);
    }
    Ok(config.build()?)
}
