//! `opentelemetry` 0.31.

use opentelemetry_0_31 as otel;

const VERSION: &str = "0.31";

// This version has no handles that are bound to attributes.
macro_rules! bound_instruments {
    ($($item:tt)*) => {};
}

#[path = "adapter.rs"]
mod adapter;

#[cfg(feature = "trace")]
pub(crate) use adapter::current_span;
pub(crate) use adapter::install;
pub use adapter::{MeterProvider, meter_provider};
