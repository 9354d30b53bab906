//! The Prometheus page: how a snapshot is spelled for a scraper.

mod name;
mod number;
mod page;

pub use page::PrometheusPage;
