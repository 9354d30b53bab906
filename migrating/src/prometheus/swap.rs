//! The registry is read by a store, and the page is the store's.

use super::shop;

// region: main
use metercast::{Log, PrometheusPage, Store};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    metercast_prometheus::registry(prometheus::default_registry()).forever();
    let page = PrometheusPage::new("prometheus", Log::default());
    shop::run();
    print!("{}", page.render(&Store::global())); // what GET /metrics answers
    Ok(())
}
// endregion
