//! The span that is current, for exemplars.

use metercast_core::SpanContext;

/// The sampled OpenTelemetry span that is current on this thread, in any version of the API whose feature is on; of several
/// that of the newest. For [`Store::take_exemplars`](metercast_core::Store::take_exemplars):
///
/// ```
/// use metercast_core::Store;
///
/// Store::global().take_exemplars(metercast_opentelemetry::current_span);
/// ```
///
/// What is measured in a span that is not sampled makes no exemplar, for its trace is nowhere to be seen.
pub fn current_span() -> Option<SpanContext> {
    let versions: &[fn() -> Option<SpanContext>] = &[
        #[cfg(feature = "v0_33")]
        crate::v0_33::current_span,
        #[cfg(feature = "v0_32")]
        crate::v0_32::current_span,
        #[cfg(feature = "v0_31")]
        crate::v0_31::current_span,
        #[cfg(feature = "v0_30")]
        crate::v0_30::current_span,
        #[cfg(feature = "v0_29")]
        crate::v0_29::current_span,
    ];
    versions.iter().find_map(|current| current())
}
