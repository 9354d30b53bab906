//! `opentelemetry` 0.30.

use opentelemetry_0_30 as otel;

const NUMBER: &str = "0.30";

// This version has no handles that are bound to attributes.
macro_rules! bound_instruments {
    ($($item:tt)*) => {};
}

#[path = "adapter.rs"]
mod adapter;

pub(crate) use adapter::VERSION;
pub use adapter::{MeterProvider, meter_provider};
