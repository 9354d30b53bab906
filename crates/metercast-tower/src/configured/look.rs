//! What the selectors of HTTP find in each moment of a request.

use http::{HeaderMap, Uri};
use metercast::dynamic::{Found, Selection, Source};

use super::profile::Side;
use crate::bounded::{Methods, Scheme, version};
use crate::client::UrlTemplate;
use crate::exchange::{HttpEnd, RequestHead, ResponseHead};
use crate::server::HttpRoute;

/// What an application answers of its own: nothing unless it says so.
pub(super) type OfRequest = for<'a> fn(&RequestHead<'a>, &'a Selection) -> Found<'a>;
pub(super) type OfResponse = for<'a> fn(&ResponseHead<'a>, &'a Selection) -> Found<'a>;

/// The head of a request.
pub(super) struct Request<'r> {
    pub(super) head: RequestHead<'r>,
    pub(super) own: Option<OfRequest>,
}

impl Source for Request<'_> {
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
        let head = &self.head;
        match selection.name() {
            "request_header" => head.header(selection.argument()).into(),
            "request_method" => Methods::default().known(head.method()).as_str().to_owned().into(),
            "request_path" => head.path().into(),
            "request_query" => pair(head.uri().query().unwrap_or_default(), '&', selection.argument()).into(),
            "url_scheme" => Scheme::from(head.uri()).as_str().into(),
            "server_address" => authority(head).map(|(host, _)| host.to_ascii_lowercase()).into(),
            "server_port" => authority(head).and_then(|(_, port)| port).into(),
            "network_protocol_version" => version(head.version()).into(),
            "trace_id" => trace_id(head.headers()).into(),
            "baggage" => pair(head.header("baggage").unwrap_or_default(), ',', selection.argument()).into(),
            "route" => route(head).into(),
            "url_template" => head.extension::<UrlTemplate>().map(|template| template.0).into(),
            _ => self.own.map_or(Found::Nothing, |own| own(head, selection)),
        }
    }
}

/// The head of a response.
pub(super) struct Response<'r> {
    pub(super) head: ResponseHead<'r>,
    pub(super) own: Option<OfResponse>,
}

impl Source for Response<'_> {
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
        match (selection.name(), selection.argument()) {
            ("response_header", name) => self.head.header(name).into(),
            ("response_status", "code") => self.head.status().as_u16().into(),
            ("response_status", _) => self.head.status().canonical_reason().into(),
            // The service knows better, but what the request said stays.
            ("route", _) => self.head.extension::<HttpRoute>().map(|route| route.0).into(),
            _ => self.own.map_or(Found::Nothing, |own| own(&self.head, selection)),
        }
    }
}

/// A part of the response's body.
pub(super) struct Part(pub(super) usize);

impl Source for Part {
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
        match selection.name() {
            "event_size" => self.0.into(),
            _ => Found::Nothing,
        }
    }
}

/// The end of a request.
pub(super) struct End<'e> {
    pub(super) end: HttpEnd<'e>,
    pub(super) side: Side,
}

impl Source for End<'_> {
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
        match selection.name() {
            "error_type" => match (self.end.outcome().error_type(), self.end.status()) {
                (Some(error), _) => error.into(),
                (None, Some(status)) if status.as_u16() >= self.side.first_error() => {
                    status.as_str().to_owned().into()
                }
                _ => Found::Nothing,
            },
            "request_body_size" => self.end.request_body().into(),
            "response_body_size" => self.end.status().map(|_| self.end.response_body()).into(),
            _ => Found::Nothing,
        }
    }
}

fn route<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    if let Some(route) = head.extension::<HttpRoute>() {
        return Some(route.0);
    }
    #[cfg(feature = "axum")]
    if let Some(path) = head.extension::<axum::extract::MatchedPath>() {
        return Some(path.as_str());
    }
    None
}

/// Whom a request is for: the host of its URI, else of its `Host`.
fn authority(head: &RequestHead<'_>) -> Option<(String, Option<u16>)> {
    let of = |uri: &Uri| Some((uri.host()?.to_owned(), uri.port_u16()));
    of(head.uri()).or_else(|| {
        let authority: http::uri::Authority = head.header("host")?.parse().ok()?;
        Some((authority.host().to_owned(), authority.port_u16()))
    })
}

/// The trace of a `traceparent` (W3C Trace Context, level 2): 32 digits, not all of them 0.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let parent = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = parent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let is_trace = trace.len() == 32 && is_hex(trace) && trace.bytes().any(|byte| byte != b'0');
    (version.len() == 2 && is_hex(version) && version != "ff" && is_trace).then_some(trace)
}

/// The value of the first pair with this key, of `key=value` with something between; properties behind a `;` do not count.
fn pair<'a>(text: &'a str, between: char, key: &str) -> Option<&'a str> {
    text.split(between).find_map(|item| {
        let (name, value) = item.split_once('=')?;
        let value = if between == ',' { value.split(';').next()? } else { value };
        (name.trim() == key).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_trace_is_taken_from_a_header_that_is_one() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let cases = [
            (format!("00-{trace}-00f067aa0ba902b7-01"), Some(trace)),
            (format!("cc-{trace}-00f067aa0ba902b7-01-more"), Some(trace)),
            (format!("ff-{trace}-00f067aa0ba902b7-01"), None),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None),
            (format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()), None),
            ("garbage".to_owned(), None),
            (String::new(), None),
        ];
        for (header, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(&header).unwrap());
            assert_eq!(trace_id(&headers), expected, "{header}");
        }
    }

    #[test]
    fn pairs_are_found_by_their_key() {
        assert_eq!(pair("a=1&b=2&b=3", '&', "b"), Some("2"));
        assert_eq!(pair("a=1&b", '&', "b"), None);
        assert_eq!(pair("tenant = acme;ttl=3 , user=7", ',', "tenant"), Some("acme"));
        assert_eq!(pair("", ',', "tenant"), None);
    }
}
