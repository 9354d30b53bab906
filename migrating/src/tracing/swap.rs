//! Another layer, over a store.

use super::shop;

// region: main
use metercast::{Log, PrometheusPage, Store};
use metercast_tracing::Metrics;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::registry().with(Metrics::new().layer()).init();
    let page = PrometheusPage::new("prometheus", Log::default());
    shop::run();
    print!("{}", page.render(&Store::global())); // what GET /metrics answers
    Ok(())
}
// endregion
