//! The same program through the OpenTelemetry SDK and its OTLP encoding, and through metercast, gives equal points.

#[path = "../../../metercast/tests/support/random.rs"]
mod random;

mod points;
mod program;

use metercast::config::TemporalityPreference;
use metercast::{OtlpMessage, OtlpOptions, Store};
use metercast_opentelemetry::MeterProvider;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::metrics::{InMemoryMetricExporterBuilder, SdkMeterProvider, Temporality};
use prost::Message;

use points::Points;
use program::{Program, Step};
use random::Random;

/// Lets both run the same program, and compares what they export after each part of it.
fn compare(ours: TemporalityPreference, theirs: Temporality) {
    let seed = Random::seed();
    let exporter = InMemoryMetricExporterBuilder::new().with_temporality(theirs).build();
    let sdk = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let of_sdk = Program::new(&sdk);

    let store = Store::new();
    let of_ours = Program::new(&MeterProvider::of(store.clone()));
    let mut options = OtlpOptions::default();
    options.temporality = ours;
    let mut message = OtlpMessage::with_options(&[], options);

    let mut random = Random::new(seed);
    let mut compared = 0;
    for part in 0..20 {
        for _ in 0..random.below(400) {
            let step = Step::any(&mut random);
            of_sdk.run(&step);
            of_ours.run(&step);
        }
        sdk.force_flush().unwrap();
        let exported = exporter.get_finished_metrics().unwrap();
        exporter.reset();
        let theirs = Points::of(exported.iter().map(ExportMetricsServiceRequest::from));

        let mut requests = Vec::new();
        for request in message.requests(&store, options.max_request_bytes) {
            requests.push(ExportMetricsServiceRequest::decode(request.body()).unwrap());
            message.delivered(request);
        }
        let ours = Points::of(requests);
        if let Some(difference) = theirs.difference(&ours) {
            panic!("METERCAST_SEED={seed} part {part}: {difference}");
        }
        compared += theirs.len();
    }
    assert!(compared > 1_000, "METERCAST_SEED={seed}: only {compared} points were compared");
    assert_eq!(store.problems(), [], "METERCAST_SEED={seed}");
}

#[test]
fn cumulative_points_are_equal() {
    compare(TemporalityPreference::Cumulative, Temporality::Cumulative);
}

#[test]
fn deltas_are_equal() {
    compare(TemporalityPreference::Delta, Temporality::Delta);
}
