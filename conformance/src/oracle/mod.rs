//! The programs and parsers of others, each asked what it understands of a page or a message.

pub mod conventions;
pub mod grafana;
pub mod prometheus;
pub mod promtool;
pub mod pushgateway;
pub mod python;
pub mod rotel;
pub mod victoria_metrics;
