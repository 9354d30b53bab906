//! What it is before: the registry as OpenMetrics text.

use super::shop;

// region: main
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = Registry::default();
    let metrics = shop::Metrics::register(&mut registry);
    shop::run(&metrics);
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    print!("{page}"); // what GET /metrics answers
    Ok(())
}
// endregion
