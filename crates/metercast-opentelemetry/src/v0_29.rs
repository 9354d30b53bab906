//! `opentelemetry` 0.29.

use opentelemetry_0_29 as otel;

const NUMBER: &str = "0.29";

// This version has no handles that are bound to attributes.
macro_rules! bound_instruments {
    ($($item:tt)*) => {};
}

#[path = "adapter.rs"]
mod adapter;

pub(crate) use adapter::VERSION;
pub use adapter::{MeterProvider, meter_provider};
