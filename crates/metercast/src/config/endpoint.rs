//! Where a push goes: a URL that is known to be one.

use std::fmt;

use super::address::{self, Bracketed};
use super::error::Checked;
use super::secret::Secret;

/// What OTLP over HTTP adds to a base URL for metrics.
const METRICS_PATH: &str = "/v1/metrics";

/// The resolved URL of an OTLP exporter.
///
/// Prints as the URL; a query, which some vendors use to carry a key, prints as `?***`. It never has a user
/// or a password: those are refused when the URL is read.
///
/// ```
/// use metercast::config::{Config, ExporterConfig, Otlp};
///
/// let config = Config::builder()
///     .environment(false)
///     .exporter("base", Otlp::to("http://collector:4318"))
///     .exporter("full", Otlp::to("http://collector:4318/v1/metrics"))
///     .build()?;
/// for (_, exporter) in config.exporters() {
///     let ExporterConfig::Otlp(otlp) = exporter else { unreachable!() };
///     assert_eq!(otlp.endpoint().to_string(), "http://collector:4318/v1/metrics");
/// }
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    is_https: bool,
    host: String,
    port: u16,
    path: String,
    query: Option<Secret>,
}

impl Endpoint {
    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The name or the address of the host; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 80 or 443 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, without the query. Starts with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and port as a `Host` header has them: the scheme's own port is left out.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn authority(&self) -> String {
        let default = if self.is_https { 443 } else { 80 };
        let host = Bracketed(&self.host);
        if self.port == default { host.to_string() } else { format!("{host}:{}", self.port) }
    }

    /// Path and query as a request line has them. The query may be a secret: only for the wire.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn request_target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{}", self.path, query.expose()),
            None => self.path.clone(),
        }
    }

    /// Reads a base URL, to which `/v1/metrics` is added with one slash between; a full URL stays as it is.
    pub(super) fn base(text: &str) -> Checked<Self> {
        let mut endpoint = Self::parse(text)?;
        let base = endpoint.path.trim_end_matches('/');
        endpoint.path =
            if base.ends_with(METRICS_PATH) { base.to_owned() } else { format!("{base}{METRICS_PATH}") };
        Ok(endpoint)
    }

    /// Reads a URL to be used as it is, as `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` wants it.
    pub(super) fn exact(text: &str) -> Checked<Self> {
        Self::parse(text)
    }

    /// Refuses what this build cannot reach.
    pub(super) fn reachable(&self) -> Checked<()> {
        if self.is_https && !https_supported() {
            return Err(format!(
                "\"{self}\" needs TLS, which this build does not have; \
                 write an http:// URL, for example of a local collector that passes it on by https"
            ));
        }
        Ok(())
    }

    fn parse(text: &str) -> Checked<Self> {
        if text.is_empty() {
            return Err("is empty; write a URL such as http://localhost:4318".to_owned());
        }
        let shown = redacted(text);
        let Some((scheme, rest)) = text.split_once("://") else {
            let plain = shown == text && !text.contains(char::is_whitespace);
            let rest = if plain { text.trim_start_matches('/') } else { "localhost:4318" };
            return Err(format!("{shown:?} has no scheme; write http://{rest} or https://{rest}"));
        };
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(format!(
                "{shown:?} begins neither with http:// nor with https://; write one of them"
            ));
        }
        if rest.contains('#') {
            return Err(format!("{shown:?} has a fragment (#), which is never sent; leave it out"));
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        // Not only before the first slash: a password that was pasted in may have one.
        if rest.contains('@') {
            return Err(format!(
                "{shown:?} has a user or a password in it, which would end up in logs; leave them out and \
                 give \
                 them as basic auth or as an authorization header (an @ in a path is written %40)"
            ));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = address::split(authority)
            .map_err(|malformed| format!("{shown:?} {}", malformed.mend("http://localhost:4318")))?;
        if port == Some(0) {
            return Err(format!(
                "{shown:?} has the port 0, which cannot be reached; write for example :4318"
            ));
        }
        if !path.chars().chain(query.unwrap_or_default().chars()).all(is_url_character) {
            return Err(format!(
                "{shown:?} has a character that a URL cannot have; write it percent-encoded, a space as %20"
            ));
        }
        Ok(Self {
            is_https,
            host,
            port: port.unwrap_or(if is_https { 443 } else { 80 }),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: query.map(Secret::new),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)?;
        if self.query.is_some() { f.write_str("?***") } else { Ok(()) }
    }
}

/// Whether `https://` can be reached. The one place that decides it.
#[expect(unexpected_cfgs, reason = "the feature arrives together with the TLS transport")]
fn https_supported() -> bool {
    cfg!(feature = "tls")
}

/// Whether a character may stand in a path or a query as it is (RFC 3986, sections 3.3 and 3.4).
pub(super) fn is_url_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c)
}

/// A URL for messages: without anything before an `@` or behind a `?`, whether or not the rest can be read.
///
/// The last `@` counts, as a password may have slashes in it.
fn redacted(text: &str) -> String {
    let (scheme, rest) = match text.find("://") {
        Some(at) if !text[..at].contains('@') => text.split_at(at + 3),
        _ => ("", text),
    };
    let (user, rest) = match rest.rfind('@') {
        Some(at) => ("***", &rest[at..]),
        None => ("", rest),
    };
    let (rest, query) = match rest.find('?') {
        Some(at) => (&rest[..at], "?***"),
        None => (rest, ""),
    };
    format!("{scheme}{user}{rest}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_and_full_url_make_the_same_request() {
        let cases = [
            ("http://h:4318", "http://h:4318/v1/metrics"),
            ("http://h:4318/", "http://h:4318/v1/metrics"),
            ("http://h:4318//", "http://h:4318/v1/metrics"),
            ("http://h:4318/v1/metrics", "http://h:4318/v1/metrics"),
            ("http://h:4318/v1/metrics/", "http://h:4318/v1/metrics"),
            ("http://h/otlp", "http://h/otlp/v1/metrics"),
            ("http://h/otlp/", "http://h/otlp/v1/metrics"),
            ("http://h/otlp/v1/metrics", "http://h/otlp/v1/metrics"),
            ("http://h:80", "http://h/v1/metrics"),
            ("https://h", "https://h/v1/metrics"),
            ("HTTP://h:443/a%20b", "http://h:443/a%20b/v1/metrics"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/metrics"),
            ("http://h?key=s3cret", "http://h/v1/metrics?***"),
        ];
        for (given, resolved) in cases {
            assert_eq!(Endpoint::base(given).unwrap().to_string(), resolved, "{given}");
        }
    }

    #[test]
    fn an_exact_url_stays_as_it_is_and_no_path_is_a_slash() {
        let cases = [
            ("http://h:4318", "http://h:4318/"),
            ("http://h:4318/", "http://h:4318/"),
            ("http://h/custom/", "http://h/custom/"),
            ("http://h/v1/metrics", "http://h/v1/metrics"),
        ];
        for (given, resolved) in cases {
            assert_eq!(Endpoint::exact(given).unwrap().to_string(), resolved, "{given}");
        }
    }

    #[test]
    fn the_parts_of_a_url_are_there_for_the_connection() {
        let endpoint = Endpoint::base("https://[::1]/otlp?key=s3cret").unwrap();
        assert!(endpoint.is_https());
        assert_eq!((endpoint.host(), endpoint.port()), ("::1", 443));
        assert_eq!(endpoint.authority(), "[::1]");
        assert_eq!(endpoint.path(), "/otlp/v1/metrics");
        assert_eq!(endpoint.request_target(), "/otlp/v1/metrics?key=s3cret");
        assert!(!format!("{endpoint:?}").contains("s3cret"));
        assert_eq!(Endpoint::base("http://h:4318").unwrap().authority(), "h:4318");
    }

    #[test]
    fn a_bad_url_is_shown_with_the_way_to_write_it() {
        let cases = [
            ("", "is empty; write a URL such as http://localhost:4318"),
            (
                "grafana:4318",
                "\"grafana:4318\" has no scheme; write http://grafana:4318 or https://grafana:4318",
            ),
            ("//h/otlp", "\"//h/otlp\" has no scheme; write http://h/otlp or https://h/otlp"),
            ("my host", "\"my host\" has no scheme; write http://localhost:4318 or https://localhost:4318"),
            (
                "grpc://h:4317",
                "\"grpc://h:4317\" begins neither with http:// nor with https://; write one of them",
            ),
            ("http://", "\"http://\" has no host; write for example http://localhost:4318"),
            ("http://:4318", "\"http://:4318\" has no host; write for example http://localhost:4318"),
            (
                "http://h:port",
                "\"http://h:port\" has \"port\" where a port from 0 to 65535 should be; \
                 write for example http://localhost:4318",
            ),
            ("http://h:0", "\"http://h:0\" has the port 0, which cannot be reached; write for example :4318"),
            ("http://h/#top", "\"http://h/#top\" has a fragment (#), which is never sent; leave it out"),
            (
                "http://h/${TENANT}",
                "\"http://h/${TENANT}\" has a character that a URL cannot have; \
                 write it percent-encoded, a space as %20",
            ),
        ];
        for (given, message) in cases {
            assert_eq!(Endpoint::base(given).unwrap_err(), message);
        }
    }

    #[test]
    fn a_user_or_password_is_refused_and_not_shown() {
        let cases = [
            ("http://me:s3cret@h:4318", "http://***@h:4318"),
            ("http://me:s3/cr3t@h:4318", "http://***@h:4318"),
            ("http://s3cret@h?s3cret", "http://***@h?***"),
        ];
        for (given, shown) in cases {
            assert_eq!(
                Endpoint::base(given).unwrap_err(),
                format!(
                    "{shown:?} has a user or a password in it, which would end up in logs; leave them out \
                     and give \
                     them as basic auth or as an authorization header (an @ in a path is written %40)"
                )
            );
        }
        for given in [
            "me:s3cret@h:4318",
            "ftp://me:s3cret@h",
            "me:s3cret@h://x",
            "h?key=s3cret",
            "http://h:x?k=s3cret",
        ] {
            let error = Endpoint::base(given).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn https_needs_a_build_with_tls() {
        assert_eq!(Endpoint::base("http://h").unwrap().reachable(), Ok(()));
        let https = Endpoint::base("https://h").unwrap().reachable();
        let refusal = "\"https://h/v1/metrics\" needs TLS, which this build does not have; \
                       write an http:// URL, for example of a local collector that passes it on by https";
        assert_eq!(https, if https_supported() { Ok(()) } else { Err(refusal.to_owned()) });
    }
}
