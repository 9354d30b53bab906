//! The registry is read by a store, and the page is the store's.

use super::shop;

// region: main
use std::sync::Arc;

use metercast::{Escaping, Format, Log, PageFormat, PrometheusPage, Store};
use prometheus_client::registry::Registry;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = Registry::default();
    let metrics = shop::Metrics::register(&mut registry);
    metercast_prometheus::registry(&Arc::new(registry)).forever();
    let page = PrometheusPage::new("prometheus", Log::default());
    shop::run(&metrics);
    let format = PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores };
    print!("{}", page.render_as(&Store::global(), format)); // what GET /metrics answers
    Ok(())
}
// endregion
