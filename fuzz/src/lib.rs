//! What the fuzz targets share: bytes as texts, numbers and labels, and as recordings of any metric; pages read back.

#![forbid(unsafe_code)]

mod input;
pub mod parsed;
pub mod protobuf;
mod recording;

pub use input::Input;
pub use recording::{Metric, Recorded, recorded, stores, stores_with};
