//! `opentelemetry` 0.32.

use opentelemetry_0_32 as otel;

const NUMBER: &str = "0.32";

// This version has handles that are bound to attributes.
macro_rules! bound_instruments {
    ($($item:tt)*) => { $($item)* };
}

#[path = "adapter.rs"]
mod adapter;

pub(crate) use adapter::VERSION;
pub use adapter::{MeterProvider, meter_provider};
