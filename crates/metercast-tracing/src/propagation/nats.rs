//! The same for the headers of NATS, as async-nats has them.

use async_nats_0_51::HeaderMap;
use tracing::Span;

use super::read::{PARENT, STATE};
use super::{RemoteParent, extract, inject, inject_span};

/// What the headers of a message say of its trace; `&message.headers` of one without headers says nothing. Names count in any case.
///
/// ```
/// # use async_nats_0_51 as async_nats;
/// use metercast_tracing::propagation::extract_nats;
///
/// let mut headers = async_nats::HeaderMap::new();
/// headers.insert("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// assert_eq!(extract_nats(Some(&headers)).span_id().as_deref(), Some("b7ad6b7169203331"));
/// assert_eq!(extract_nats(None).span_id(), None);
/// ```
pub fn extract_nats<'h>(headers: impl IntoIterator<Item = &'h HeaderMap>) -> RemoteParent {
    let named = headers.into_iter().flat_map(HeaderMap::iter);
    extract(named.flat_map(|(name, values)| values.iter().map(move |value| (name, value))))
}

/// Says in the headers of a message which span is current, in place of what they said of one before, in whatever case. Without a current
/// span they stay as they are. It does not panic: what strangers have put into a trace and cannot be a header is left out or encoded.
///
/// ```
/// # use async_nats_0_51 as async_nats;
/// let mut headers = async_nats::HeaderMap::new();
/// metercast_tracing::propagation::inject_nats(&mut headers);
/// // client.publish_with_headers("orders", headers, "an order".into()).await?;
/// ```
pub fn inject_nats(headers: &mut HeaderMap) {
    inject(|name, value| replace(headers, name, value));
}

/// The same for a span that need not be current.
pub fn inject_nats_span(span: &Span, headers: &mut HeaderMap) {
    inject_span(span, |name, value| replace(headers, name, value));
}

fn replace(headers: &mut HeaderMap, name: &str, value: &str) {
    let is_old = |other: &str| {
        // That of another trace goes with it.
        other.eq_ignore_ascii_case(name) || (name == PARENT && other.eq_ignore_ascii_case(STATE))
    };
    // They have no way to take one out.
    if headers.iter().any(|(other, _)| is_old(other.as_ref())) {
        let mut kept = HeaderMap::new();
        for (other, values) in headers.iter().filter(|(other, _)| !is_old((*other).as_ref())) {
            values.iter().for_each(|value| kept.append(other.clone(), value.clone()));
        }
        *headers = kept;
    }
    headers.insert(name, value);
}

#[cfg(test)]
mod tests {
    use opentelemetry::Context;

    use super::*;

    const OURS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const BEFORE: &str = "00-11111111111111111111111111111111-2222222222222222-01";

    /// What a message has on its way, sorted.
    fn lines(headers: &HeaderMap) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, values) in headers.iter() {
            lines.extend(values.iter().map(|value| format!("{name}: {value}")));
        }
        lines.sort_unstable();
        lines
    }

    fn within(headers: &[(&str, &str)], run: impl FnOnce()) {
        let _current = Context::attach(extract(headers.iter().copied()).into_context());
        run();
    }

    #[test]
    fn a_message_belongs_to_the_span_that_is_current_and_to_no_other_in_whatever_case() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("TraceParent", BEFORE), ("TRACESTATE", "a=1"), ("Kept", "1"), ("Kept", "2"), ("Baggage", "b=1")]
        {
            headers.append(name, value);
        }
        let before = lines(&headers);
        inject_nats(&mut headers);
        assert_eq!(lines(&headers), before, "without a current span");
        within(&[("traceparent", OURS)], || inject_nats(&mut headers));
        let parent = format!("traceparent: {OURS}");
        assert_eq!(lines(&headers), ["Baggage: b=1", "Kept: 1", "Kept: 2", &parent]);
        within(&[("traceparent", OURS), ("baggage", "c=2")], || inject_nats(&mut headers));
        assert_eq!(lines(&headers), ["Kept: 1", "Kept: 2", "baggage: c=2", &parent]);
    }

    #[test]
    fn what_cannot_be_a_header_does_not_panic() {
        let hostile = "a=1;note=%0D%0AX-Role:%20admin%00";
        let mut headers = HeaderMap::new();
        let received = [("traceparent", OURS), ("tracestate", "a=x\r\nx: y"), ("baggage", hostile)];
        within(&received, || inject_nats(&mut headers));
        let lines = lines(&headers);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|line| line.bytes().all(|byte| (b' '..=b'~').contains(&byte))), "{lines:?}");
        let parent = extract_nats(&Some(headers));
        assert_eq!(parent.trace_id().as_deref(), Some(&OURS[3..35]));
    }

    #[test]
    fn garbage_and_two_parents_are_none() {
        let of = |pairs: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            pairs.iter().for_each(|(name, value)| headers.append(*name, *value));
            extract_nats(&Some(headers)).trace_id()
        };
        assert_eq!(of(&[("TRACEPARENT", OURS)]).as_deref(), Some(&OURS[3..35]));
        assert_eq!(of(&[("traceparent", OURS), ("Traceparent", BEFORE)]), None);
        assert_eq!(of(&[("traceparent", "\u{0}ü")]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(extract_nats(&None).trace_id(), None);
    }
}
