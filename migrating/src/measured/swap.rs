//! The group is read by a store, and the page is the store's.

use super::{bridge, shop};

// region: main
use std::sync::Arc;

use metercast::{Log, PrometheusPage, Store};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = Arc::new(shop::Metrics::new());
    bridge::group(Arc::clone(&metrics)).forever();
    let page = PrometheusPage::new("prometheus", Log::default());
    shop::run(&metrics);
    print!("{}", page.render(&Store::global())); // what GET /metrics answers
    Ok(())
}
// endregion
