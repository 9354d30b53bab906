//! The Prometheus page: how what a store holds is spelled for a scraper.

mod block;
mod buffer;
mod claims;
mod format;
mod keys;
mod line;
mod lines;
mod merge;
mod metric;
mod name;
mod number;
mod page;

pub use format::{Escaping, Format, PageFormat};
pub use page::PrometheusPage;
