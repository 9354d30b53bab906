//! What metercast says, among what the program logs.

use metercast::Log;
use metercast::log::Level;
use tracing::{debug, error, info, warn};

/// What metercast says as events of the target `metercast`, for [`TelemetryBuilder::log`](metercast::TelemetryBuilder::log): without it
/// that goes to standard error.
///
/// ```
/// use metercast::{Config, Telemetry};
///
/// # let config = Config::builder().environment(false).exporter("p", metercast::config::Prometheus::listen("127.0.0.1:0")).build()?;
/// let telemetry = Telemetry::builder(config).log(metercast_tracing::log()).start()?;
/// # telemetry.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn log() -> Log {
    Log::to(|level, line| match level {
        Level::Debug => debug!(target: "metercast", "{line}"),
        Level::Info => info!(target: "metercast", "{line}"),
        Level::Warn => warn!(target: "metercast", "{line}"),
        _ => error!(target: "metercast", "{line}"),
    })
}
