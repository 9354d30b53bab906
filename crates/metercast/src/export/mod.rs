//! Formats, and the transports that carry them. A format knows no transport, a transport knows no format.

use std::time::Instant;

pub(crate) mod custom;
mod ending;
mod hex;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
pub(crate) mod prometheus;
#[cfg(feature = "otlp")]
pub(crate) mod pushgateway;
pub(crate) mod stdout;
mod timer;
mod wire;

pub(crate) use timer::Timer;
#[cfg(feature = "live")]
pub(crate) use timer::Work;

/// What hands over at an interval, on a thread of its own.
pub(crate) trait Periodic: Send + Sync {
    /// Hands over what there is now. Blocks until it is done, at most until `deadline`.
    ///
    /// # Errors
    ///
    /// Why not everything was handed over by then.
    fn flush(&self, deadline: Instant) -> Result<(), String>;

    /// Hands over a last time and stops; all of it at most until `deadline`. Nothing more the second time.
    ///
    /// # Errors
    ///
    /// Why not everything was handed over by then.
    fn shutdown(&self, deadline: Instant) -> Result<(), String>;
}
