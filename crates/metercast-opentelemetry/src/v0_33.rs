//! `opentelemetry` 0.33.

use ::opentelemetry as otel;

const VERSION: &str = "0.33";

// This version has handles that are bound to attributes.
macro_rules! bound_instruments {
    ($($item:tt)*) => { $($item)* };
}

#[path = "adapter.rs"]
mod adapter;

#[cfg(feature = "trace")]
pub(crate) use adapter::current_span;
pub(crate) use adapter::install;
pub use adapter::{MeterProvider, meter_provider};
