//! From the `MetricsLayer` of tracing-opentelemetry.

pub(crate) mod before;
pub(crate) mod declared;
pub(crate) mod exporters;
mod shop;
pub(crate) mod swap;
#[cfg(test)]
mod tests;
