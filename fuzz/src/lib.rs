//! What the fuzz targets share: bytes as texts, numbers and labels, and as recordings of any metric.

#![forbid(unsafe_code)]

mod input;
mod recording;

pub use input::Input;
pub use recording::{Metric, Recorded, recorded, stores};
