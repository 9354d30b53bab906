//! The span that is current, for exemplars and logs.

use metercast_core::SpanContext;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

/// The sampled span that is current on this thread: one of `tracing` that is traced, or one of the OpenTelemetry API (0.33). For
/// [`Store::take_exemplars`](metercast_core::Store::take_exemplars) of stores that were not current when
/// [`Traces`](crate::Traces) started:
///
/// ```
/// let store = metercast_core::Store::new();
/// store.take_exemplars(metercast_tracing::current_span);
/// ```
pub fn current_span() -> Option<SpanContext> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        (span.is_valid() && span.is_sampled())
            .then(|| SpanContext::new(span.trace_id().to_bytes(), span.span_id().to_bytes()))
    })
}
