//! Which trace a message belongs to, in and out of its headers: W3C Trace Context and Baggage, for any map of texts.
//!
//! Whoever sends a message [injects](inject) the current span into its headers; whoever receives it [extracts](extract) that
//! again, and makes it the parent of a span. Names of headers count in any case: JetStream delivers them in lower case.
//!
//! ```
//! use std::collections::HashMap;
//! use metercast_tracing::propagation;
//!
//! // Where it is sent, in a span that is traced:
//! let mut headers = HashMap::new();
//! propagation::inject(|name, value| {
//!     headers.insert(name.to_owned(), value.to_owned());
//! });
//!
//! // Where it is received:
//! let job = tracing::info_span!("job", otel.kind = "consumer");
//! propagation::extract(&headers).parent_of(&job);
//! ```
//!
//! For the headers of the crate `http` there are `extract_headers` and `inject_headers` with the Cargo feature `http`; for those of async-nats
//! `extract_nats` and `inject_nats` with `async_nats_0_51`.
//!
//! What strangers send is bounded: a `traceparent` that is not one of W3C, or one of several, is none; of a `tracestate` at
//! most 2 KiB and 32 members and of `baggage` at most 8 KiB and 64 members are read, and what is more is not read at all. Nothing
//! of it is logged.

#[cfg(feature = "http")]
mod headers;
#[cfg(feature = "async_nats_0_51")]
mod nats;
mod parent;
mod read;

use std::borrow::Cow;
use std::fmt::Write as _;

use opentelemetry::Context;
use opentelemetry::propagation::{Injector, TextMapPropagator};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

#[cfg(feature = "http")]
pub use headers::{extract_headers, inject_headers};
#[cfg(feature = "async_nats_0_51")]
pub use nats::{extract_nats, inject_nats, inject_nats_span};
pub use parent::RemoteParent;
use read::Read;

/// What the headers of a message say of its trace: pairs of names and values, as most maps iterate over them.
///
/// Maps with several values of a name are flattened:
/// `headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)))`.
///
/// ```
/// use metercast_tracing::propagation::extract;
///
/// let headers = [("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let parent = extract(headers);
/// assert_eq!(parent.trace_id().as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
/// assert!(parent.is_sampled());
/// assert_eq!(extract([("traceparent", "garbage")]).trace_id(), None);
/// ```
pub fn extract<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> RemoteParent {
    let mut read = Read::default();
    for (name, value) in pairs {
        read.take(name.as_ref(), value.as_ref());
    }
    read.parent()
}

/// Says which span is current, and what baggage it has: `set` gets the name and the value of each header. Names are in lower case.
/// Outside of all traced spans there is nothing to say. Also a span that is not sampled is told of, so that who receives it does not begin
/// a trace of its own.
pub fn inject(set: impl FnMut(&'static str, &str)) {
    inject_context(&Context::current(), set);
}

/// The same for a span that need not be current.
pub fn inject_span(span: &Span, set: impl FnMut(&'static str, &str)) {
    inject_context(&span.context(), set);
}

fn inject_context(context: &Context, set: impl FnMut(&'static str, &str)) {
    let mut to = To(set);
    TraceContextPropagator::new().inject_context(context, &mut to);
    BaggagePropagator::new().inject_context(context, &mut to);
}

/// Headers that propagators write.
struct To<F>(F);

impl<F: FnMut(&'static str, &str)> Injector for To<F> {
    fn set(&mut self, name: &str, value: String) {
        // No tracestate is said by silence.
        if let Some(name) = read::NAMES.into_iter().find(|known| *known == name)
            && !value.is_empty()
            && let Some(value) = safe(name, &value)
        {
            (self.0)(name, &value);
        }
    }
}

/// A value that can be a header anywhere. Strangers choose what goes on, and propagators write some of it as they have decoded it: a line
/// break would begin a header of theirs.
fn safe<'v>(name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let is_safe = |byte: u8| matches!(byte, b' '..=b'~');
    if value.bytes().all(is_safe) {
        return Some(value.into());
    }
    // Of baggage it is how such bytes are written; a tracestate has none of them.
    (name == read::BAGGAGE).then(|| {
        let mut encoded = String::with_capacity(value.len() + 8);
        for byte in value.bytes() {
            if is_safe(byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_on(headers: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let mut written = Vec::new();
        inject_context(&extract(headers.iter().copied()).into_context(), |name, value| {
            written.push((name, value.to_owned()));
        });
        written
    }

    #[test]
    fn what_strangers_say_never_begins_a_header_of_its_own() {
        let parent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        assert_eq!(
            handed_on(&[("baggage", "a=1;note=%0D%0AX-Role:%20admin")]),
            [("baggage", "a=1;note=%0D%0AX-Role: admin".to_owned())]
        );
        assert_eq!(
            handed_on(&[("baggage", "b=%C3%A4;note=%C3%BC")]),
            [("baggage", "b=%C3%A4;note=%C3%BC".to_owned())]
        );
        let written = handed_on(&[parent, ("tracestate", "a=x\r\nx-role: admin")]);
        assert_eq!(written.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["traceparent"]);
    }
}
