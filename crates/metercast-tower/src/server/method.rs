//! Methods and schemes as labels: what is not well known is `_OTHER`.

use metercast::labels;

labels! {
    /// `http.request.method`: the methods of RFC 9110 and RFC 5789, everything else is `_OTHER`.
    pub(crate) enum Method {
        Get = "GET", Head = "HEAD", Post = "POST", Put = "PUT", Delete = "DELETE", Connect = "CONNECT",
        Options = "OPTIONS", Trace = "TRACE", Patch = "PATCH", Other = "_OTHER",
    }
    /// `url.scheme`.
    pub(crate) enum Scheme { Http, Https }
}

impl From<&http::Method> for Method {
    fn from(method: &http::Method) -> Method {
        let known = Method::ALL.iter().find(|known| known.as_str() == method.as_str());
        known.copied().unwrap_or(Method::Other)
    }
}

impl From<&http::Uri> for Scheme {
    /// Clients of HTTP/1 do not say; then it is `http`, since TLS that was ended before us is not ours to know.
    fn from(uri: &http::Uri) -> Scheme {
        if uri.scheme() == Some(&http::uri::Scheme::HTTPS) { Scheme::Https } else { Scheme::Http }
    }
}
