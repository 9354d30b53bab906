//! `opentelemetry` 0.31.

use opentelemetry_0_31 as otel;

const NUMBER: &str = "0.31";

// This version has no handles that are bound to attributes.
macro_rules! bound_instruments {
    ($($item:tt)*) => {};
}

#[path = "adapter.rs"]
mod adapter;

pub(crate) use adapter::VERSION;
pub use adapter::{MeterProvider, meter_provider};
