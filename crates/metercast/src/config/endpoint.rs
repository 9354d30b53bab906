//! Where a push goes, with no question left open.

use std::fmt;
use std::path::{Path, PathBuf};

use super::address::Bracketed;
use super::error::Checked;
use super::has;
use super::otlp::Protocol;
use super::place::Place;
use super::secret::Secret;
use super::signal::Signal;
use super::url::{Scheme, Target, Url};

/// The resolved URL of an OTLP exporter.
///
/// Prints as the URL; a query, which some vendors use to carry a key, prints as `?***`, and so does a path in which a file
/// refers to something. It never has a user or a password: those are refused when the URL is read.
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
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    is_https: bool,
    host: String,
    port: u16,
    socket: Option<PathBuf>,
    /// `None` with gRPC.
    path: Option<String>,
    query: Option<Secret>,
    /// Whether the path is not to be shown.
    hides_path: bool,
}

impl Endpoint {
    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The name or the address of the host; an IPv6 address without brackets. `localhost` behind a Unix socket.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 80 or 443 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Unix socket to connect to instead of host and port.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// The path, without the query. Starts with a slash, and is nothing else with gRPC, whose requests have paths of their
    /// own.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
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
            Some(query) => format!("{}?{}", self.path(), query.expose()),
            None => self.path().to_owned(),
        }
    }

    /// What a URL stands for in this protocol: a base gets the path of the signal with one slash between unless it has it, an exact
    /// one stays as it is. gRPC takes a host without a scheme too, which is encrypted unless it is `insecure`.
    pub(super) fn of(url: Url, signal: Signal, protocol: Protocol, insecure: bool) -> Checked<Self> {
        let own = signal.path();
        let is_grpc = protocol == Protocol::Grpc;
        let path = match (&url.target, url.path.as_str()) {
            _ if is_grpc => None,
            (Target::Socket(_), "") => Some(own.to_owned()),
            (_, "") if url.is_exact => Some("/".to_owned()),
            (_, path) if url.is_exact => Some(path.to_owned()),
            (_, path) => {
                let base = path.trim_end_matches('/');
                Some(if base.ends_with(own) { base.to_owned() } else { format!("{base}{own}") })
            }
        };
        let (is_https, host, port, socket) = match url.target {
            Target::Socket(socket) => (false, "localhost".to_owned(), 80, Some(socket)),
            Target::Host { scheme: None, host, port } if is_grpc => {
                (!insecure, host, port.unwrap_or(4317), None)
            }
            Target::Host { scheme: None, .. } => return Err(url.needs_scheme()),
            Target::Host { scheme: Some(scheme), host, port } => {
                let is_https = scheme == Scheme::Https;
                (is_https, host, port.unwrap_or(if is_https { 443 } else { 80 }), None)
            }
        };
        let query = url.query.filter(|_| !is_grpc);
        Ok(Self { is_https, host, port, socket, path, query, hides_path: false })
    }

    /// This, given there: a path that holds something that was filled in is not shown.
    pub(super) fn given_at(self, place: &Place) -> Self {
        let hides_path = self.path.as_deref().is_some_and(|path| place.has_filled(path));
        Self { hides_path, ..self }
    }

    /// Refuses what this build cannot reach.
    pub(super) fn reachable(&self) -> Checked<()> {
        if self.is_https && !has::TLS {
            return Err(format!(
                "\"{self}\" needs TLS, which this build does not have; enable the feature \"tls\" of metercast, or \
                 write an http:// URL, for example of a local collector that passes it on by https"
            ));
        }
        if self.socket.is_some() && !cfg!(unix) {
            return Err(format!(
                "\"{self}\" is a Unix socket, which this system does not have; write an http:// URL"
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(socket) => write!(f, "unix://{}", socket.display())?,
            None => {
                let scheme = if self.is_https { "https" } else { "http" };
                write!(f, "{scheme}://{}", self.authority())?;
            }
        }
        if let Some(path) = &self.path {
            let path = if self.hides_path { "/***" } else { path };
            write!(f, "{}{path}", if self.socket.is_some() { ":" } else { "" })?;
        }
        if self.query.is_some() { f.write_str("?***") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Checked<Endpoint> {
        Endpoint::of(Url::base(text)?, Signal::Metrics, Protocol::HttpProtobuf, false)
    }

    fn exact(text: &str) -> Checked<Endpoint> {
        Endpoint::of(Url::exact(text)?, Signal::Metrics, Protocol::HttpProtobuf, false)
    }

    fn grpc(text: &str, insecure: bool) -> Checked<Endpoint> {
        Endpoint::of(Url::exact(text)?, Signal::Metrics, Protocol::Grpc, insecure)
    }

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
            assert_eq!(base(given).unwrap().to_string(), resolved, "{given}");
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
            assert_eq!(exact(given).unwrap().to_string(), resolved, "{given}");
        }
    }

    #[test]
    fn the_parts_of_a_url_are_there_for_the_connection() {
        let endpoint = base("https://[::1]/otlp?key=s3cret").unwrap();
        assert!(endpoint.is_https());
        assert_eq!((endpoint.host(), endpoint.port()), ("::1", 443));
        assert_eq!(endpoint.authority(), "[::1]");
        assert_eq!(endpoint.path(), "/otlp/v1/metrics");
        assert_eq!(endpoint.request_target(), "/otlp/v1/metrics?key=s3cret");
        assert!(!format!("{endpoint:?}").contains("s3cret"));
        assert_eq!(base("http://h:4318").unwrap().authority(), "h:4318");
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
            assert_eq!(base(given).unwrap_err(), message);
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
                base(given).unwrap_err(),
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
            let error = base(given).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn https_needs_a_build_with_tls() {
        assert_eq!(base("http://h").unwrap().reachable(), Ok(()));
        let refusal = "\"https://h/v1/metrics\" needs TLS, which this build does not have; enable the feature \"tls\" of \
                       metercast, or write an http:// URL, for example of a local collector that passes it on by https";
        let expected = if has::TLS { Ok(()) } else { Err(refusal.to_owned()) };
        assert_eq!(base("https://h").unwrap().reachable(), expected);
    }

    #[test]
    fn a_unix_socket_is_a_path_and_perhaps_another_behind_a_colon() {
        let cases = [
            ("unix:///run/otel.sock", "unix:///run/otel.sock:/v1/metrics", "/v1/metrics"),
            ("unix:/run/otel.sock", "unix:///run/otel.sock:/v1/metrics", "/v1/metrics"),
            ("unix:///run/otel.sock:/otlp", "unix:///run/otel.sock:/otlp/v1/metrics", "/otlp/v1/metrics"),
            ("unix:///run/otel.sock:/v1/metrics", "unix:///run/otel.sock:/v1/metrics", "/v1/metrics"),
        ];
        for (given, shown, path) in cases {
            let endpoint = base(given).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.socket(), Some(Path::new("/run/otel.sock")));
            assert_eq!((endpoint.path(), endpoint.authority().as_str()), (path, "localhost"));
        }
        assert_eq!(exact("unix:///run/otel.sock:/as/it/is/").unwrap().path(), "/as/it/is/");
        assert_eq!(exact("unix:///run/otel.sock").unwrap().path(), "/v1/metrics");
        assert_eq!(grpc("unix:///run/otel.sock", false).unwrap().to_string(), "unix:///run/otel.sock");
        for bad in ["unix://", "unix:otel.sock", "unix://run/otel.sock", "unix:///run/"] {
            let message = "has no absolute path of a socket; write for example unix:///run/otel.sock";
            assert_eq!(base(bad).unwrap_err(), format!("{bad:?} {message}"));
        }
    }

    #[test]
    fn grpc_needs_host_and_port_only_and_is_encrypted_unless_it_is_said() {
        let cases = [
            ("http://h:4317", false, "http://h:4317"),
            ("http://h:4317/", false, "http://h:4317"),
            ("https://h", true, "https://h"),
            ("http://h:4317/any/path?key=s3cret", false, "http://h:4317"),
            ("h:4317", false, "https://h:4317"),
            ("h:4317", true, "http://h:4317"),
            ("h", true, "http://h:4317"),
            ("[::1]:4317", true, "http://[::1]:4317"),
        ];
        for (given, insecure, shown) in cases {
            let endpoint = grpc(given, insecure).unwrap();
            assert_eq!(endpoint.to_string(), shown, "{given}");
            assert_eq!(endpoint.request_target(), "/", "{given}");
        }
    }
}
