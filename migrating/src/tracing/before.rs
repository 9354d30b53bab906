//! What it is before: the layer of tracing-opentelemetry over a provider of the SDK.

use super::shop;

// region: main
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tracing_opentelemetry::MetricsLayer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = prometheus::Registry::new();
    let page = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let provider = SdkMeterProvider::builder().with_reader(page).build();
    tracing_subscriber::registry().with(MetricsLayer::new(provider)).init();
    shop::run();
    print!("{}", prometheus::TextEncoder::new().encode_to_string(&registry.gather())?); // what GET /metrics answers
    Ok(())
}
// endregion
