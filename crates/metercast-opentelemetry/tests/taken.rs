//! A program whose global provider is somebody else's; alone, since globals are of the whole process.

use metercast_core::Store;
use metercast_opentelemetry::{MeterProvider, install};
use opentelemetry::global;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

#[test]
fn a_provider_of_somebody_else_is_left_alone_and_ours_is_missed_when_it_is_replaced() {
    let exporter = InMemoryMetricExporter::default();
    let sdk = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    global::set_meter_provider(sdk.clone());
    let counter = global::meter("lib").u64_counter("theirs").build();

    let error = install().unwrap_err();
    assert_eq!(error.versions(), ["0.33"]);
    assert!(error.to_string().contains("opentelemetry 0.33 has a global meter provider already"), "{error}");
    counter.add(1, &[]);
    sdk.force_flush().unwrap();
    assert_eq!(exporter.get_finished_metrics().unwrap().len(), 1, "theirs goes on as before");
    assert!(Store::global().collect().is_empty());

    // As the error says.
    global::set_meter_provider(MeterProvider::new());
    install().unwrap();
    let ours = global::meter("lib").u64_counter("ours").build();
    ours.add(1, &[]);
    assert_eq!(Store::global().collect().len(), 1);
}
