//! Spans of OpenTelemetry on exemplars.

#![cfg(feature = "trace")]

use metercast_core::{Exemplar, SpanContext as OurSpan, Store};
use metercast_opentelemetry::{MeterProvider, current_span};
use opentelemetry::Context;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

fn exemplars(store: &Store) -> Vec<Exemplar> {
    let mut all = Vec::new();
    store.read(|reading| {
        reading.families().for_each(|family| family.each(|series| all.extend_from_slice(series.exemplars)));
    });
    all
}

fn in_span<R>(flags: TraceFlags, f: impl FnOnce() -> R) -> R {
    let (trace, span) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8]));
    let span = SpanContext::new(trace, span, flags, true, TraceState::default());
    let _current = Context::new().with_remote_span_context(span).attach();
    f()
}

#[test]
fn a_measurement_in_a_sampled_span_is_an_exemplar_and_no_other_is() {
    let store = Store::new();
    store.take_exemplars(current_span);
    let meter = MeterProvider::of(store.clone()).meter("lib");
    let histogram = meter.f64_histogram("answers").with_unit("s").build();
    histogram.record(0.1, &[]);
    in_span(TraceFlags::default(), || histogram.record(0.2, &[]));
    assert_eq!(exemplars(&store), []);
    in_span(TraceFlags::SAMPLED, || histogram.record(0.3, &[]));
    let exemplars = exemplars(&store);
    assert_eq!(exemplars.len(), 1);
    assert_eq!((exemplars[0].value, exemplars[0].span), (0.3, Some(OurSpan::new([1; 16], [2; 8]))));
}
