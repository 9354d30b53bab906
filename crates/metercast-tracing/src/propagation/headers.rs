//! The same for the headers of HTTP.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::read::{NAMES, PARENT, STATE};
use super::{RemoteParent, extract, inject};

/// What the headers of a request say of its trace. A header that is not text is none.
///
/// ```
/// use metercast_tracing::propagation::extract_headers;
///
/// let mut headers = http::HeaderMap::new();
/// let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// headers.insert("traceparent", parent.parse()?);
/// assert_eq!(extract_headers(&headers).span_id().as_deref(), Some("b7ad6b7169203331"));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn extract_headers(headers: &HeaderMap) -> RemoteParent {
    extract(NAMES.into_iter().flat_map(|name| {
        // One that is no text counts as one all the same: of two parents nobody knows which one is true.
        headers.get_all(name).iter().map(move |value| (name, value.to_str().unwrap_or_default()))
    }))
}

/// Says in the headers of a request which span is current, in place of what they said of one before. Without a current span they stay as
/// they are.
pub fn inject_headers(headers: &mut HeaderMap) {
    inject(|name, value| {
        // Propagators write nothing else than text.
        let Ok(value) = HeaderValue::from_str(value) else { return };
        if name == PARENT {
            // That of another trace.
            headers.remove(STATE);
        }
        headers.insert(HeaderName::from_static(name), value);
    });
}
