//! A span of another program.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// What a message says of the trace that it belongs to; it may be nothing.
#[derive(Clone, Default)]
#[must_use = "it does nothing unless it is made the parent of a span"]
pub struct RemoteParent(Context);

impl RemoteParent {
    pub(super) fn of(context: Context) -> RemoteParent {
        RemoteParent(context)
    }

    #[cfg(test)]
    pub(super) fn into_context(self) -> Context {
        self.0
    }

    /// Lets the span go on with this trace and its baggage. For a new span, before it is entered; one that has begun keeps the trace that it
    /// has, and so does one that nothing traces, or if there is nothing to go on with.
    pub fn parent_of(&self, span: &Span) {
        if self.0.has_active_span() || !self.0.baggage().is_empty() {
            // What cannot have a parent any more has one.
            let _ = span.set_parent(self.0.clone());
        }
    }

    /// The trace, as 32 digits in lower case, if there is one.
    pub fn trace_id(&self) -> Option<String> {
        self.span(|span| span.trace_id().to_string())
    }

    /// The span, as 16 digits in lower case, if there is one.
    pub fn span_id(&self) -> Option<String> {
        self.span(|span| span.span_id().to_string())
    }

    /// What vendors have added to the trace, unless that is nothing.
    pub fn trace_state(&self) -> Option<String> {
        self.span(|span| span.trace_state().header()).filter(|state| !state.is_empty())
    }

    /// Whether whoever sent it keeps the trace.
    pub fn is_sampled(&self) -> bool {
        self.span(SpanContext::is_sampled).unwrap_or(false)
    }

    /// What is carried along, sorted by its keys.
    pub fn baggage(&self) -> Vec<(String, String)> {
        let baggage = self.0.baggage().iter();
        let mut pairs: Vec<_> =
            baggage.map(|(key, (value, _))| (key.to_string(), value.to_string())).collect();
        pairs.sort_unstable();
        pairs
    }

    fn span<T>(&self, of: impl FnOnce(&SpanContext) -> T) -> Option<T> {
        let span = self.0.span();
        Some(span.span_context()).filter(|context| context.is_valid()).map(of)
    }
}

impl fmt::Debug for RemoteParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Baggage may have secrets in it.
        f.debug_struct("RemoteParent")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .field("is_sampled", &self.is_sampled())
            .finish_non_exhaustive()
    }
}
