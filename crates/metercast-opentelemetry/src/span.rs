//! The span that is current, for exemplars.

use metercast_core::SpanContext;

use crate::version;

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
    version::ALL.iter().find_map(|version| (version.current_span)())
}
