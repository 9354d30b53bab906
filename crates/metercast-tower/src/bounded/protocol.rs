//! The scheme of a request, and the version of HTTP.

use http::Version;
use http::uri;
use metercast::labels;

labels! {
    /// `url.scheme`.
    pub(crate) enum Scheme { Http, Https }
}

impl From<&http::Uri> for Scheme {
    /// Clients of HTTP/1 do not say; then it is `http`, since TLS that was ended before us is not ours to know.
    fn from(uri: &http::Uri) -> Scheme {
        if uri.scheme() == Some(&uri::Scheme::HTTPS) { Scheme::Https } else { Scheme::Http }
    }
}

/// `network.protocol.version`.
pub(crate) fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}
