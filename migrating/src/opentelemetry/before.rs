//! What it is before: a provider of the SDK with two readers, one for each exporter.

use super::shop;

// region: main
use opentelemetry::global;
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, SdkMeterProvider, Stream};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = prometheus::Registry::new();
    let provider = SdkMeterProvider::builder()
        .with_resource(Resource::builder().with_service_name("shop").build())
        .with_view(|instrument: &Instrument| {
            let buckets =
                Aggregation::ExplicitBucketHistogram { boundaries: vec![0.1, 1.0], record_min_max: false };
            let stream = Stream::builder().with_aggregation(buckets);
            if instrument.name() == "shop.settle.duration" { stream.build().ok() } else { None }
        })
        .with_reader(opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?)
        .with_periodic_exporter(MetricExporter::builder().with_http().build()?)
        .build();
    global::set_meter_provider(provider.clone());
    shop::run();
    print!("{}", prometheus::TextEncoder::new().encode_to_string(&registry.gather())?); // what GET /metrics answers
    provider.shutdown()?;
    Ok(())
}
// endregion
