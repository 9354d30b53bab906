//! From `metrics` with metrics-exporter-prometheus.

pub(crate) mod before;
pub(crate) mod beside;
pub(crate) mod declared;
pub(crate) mod exporters;
pub(crate) mod settings;
mod shop;
pub(crate) mod swap;
#[cfg(test)]
mod tests;
