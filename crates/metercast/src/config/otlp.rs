//! The exporter that pushes by OTLP over HTTP.

use std::fmt;
use std::time::Duration;

use super::auth;
use super::duration;
use super::endpoint::Endpoint;
use super::error::{Checked, Findings, Given, Place};
use super::headers::{self, Headers};
use super::secret::Secret;

const ENDPOINT: &str = "http://localhost:4318";
pub(super) const INTERVAL: Duration = Duration::from_secs(60);
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// An OTLP exporter, as code describes it. What it leaves open, the layers below decide; in the end a push to
/// `http://localhost:4318/v1/metrics` every 60 seconds, given up after 10, uncompressed.
///
/// ```
/// use std::time::Duration;
/// use metercast::config::{Compression, Config, Otlp};
///
/// let central = Otlp::to("http://collector:4318")
///     .bearer("s3cret")
///     .header("x-scope", "shop")
///     .interval(Duration::from_secs(10))
///     .compression(Compression::Gzip);
/// assert!(!format!("{central:?}").contains("s3cret"));
///
/// let config = Config::builder().environment(false).exporter("central", central).build()?;
/// assert_eq!(
///     config.exporter("central").unwrap().to_string(),
///     "otlp to http://collector:4318/v1/metrics every 10s"
/// );
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Otlp {
    endpoint: Option<Checked<Endpoint>>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    compression: Option<Compression>,
    auth: Option<Auth>,
    headers: Vec<Checked<(String, Secret)>>,
    pub(super) env: Option<bool>,
}

/// An `authorization` header, and which key of a file would have given it.
#[derive(Debug, Clone)]
pub(super) struct Auth {
    pub(super) key: &'static str,
    pub(super) header: Checked<Secret>,
}

impl Auth {
    pub(super) fn bearer(token: &str) -> Self {
        Self { key: "bearer", header: auth::bearer(token) }
    }

    pub(super) fn basic(user: &str, password: &str) -> Self {
        Self { key: "basic", header: auth::basic(user, password) }
    }
}

impl Otlp {
    /// Pushes to this URL, `http://host:port` with or without a path. It may be the base URL, to which
    /// `/v1/metrics` is added, or the full one. What cannot be read is reported by
    /// [`build`](super::ConfigBuilder::build).
    pub fn to(endpoint: &str) -> Self {
        Self { endpoint: Some(Endpoint::base(endpoint)), ..Self::default() }
    }

    /// The time from the start of one push to the start of the next: 1 millisecond to a year, 60 seconds
    /// unless said.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How long one push may take, all its attempts together. Zero is no limit; 10 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How the body is compressed; not at all unless said.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Authorizes with a token. The last of `bearer` and [`basic`](Self::basic) counts.
    pub fn bearer(mut self, token: &str) -> Self {
        self.auth = Some(Auth::bearer(token));
        self
    }

    /// Authorizes with a user, who has no colon in the name, and a password.
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.auth = Some(Auth::basic(user, password));
        self
    }

    /// Sends a header with each push; the value is a secret and never prints. Names count in any case, and
    /// the last value given for a name is sent. The headers of the push itself (`content-type`, `host` and
    /// such) are refused.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(check_header(name, value));
        self
    }

    /// Whether the `OTEL_EXPORTER_OTLP_*` variables shape this exporter. Unless it is said, they shape the
    /// one named `otlp` if no file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> OtlpLayer {
        let mut layer = OtlpLayer {
            endpoint: self.endpoint.and_then(|endpoint| findings.take(&place.child("endpoint"), endpoint)),
            interval: self
                .interval
                .and_then(|interval| findings.take(&place.child("interval"), duration::interval(interval)))
                .map(|interval| interval.value),
            timeout: self
                .timeout
                .and_then(|timeout| findings.take(&place.child("timeout"), duration::bounded(timeout)))
                .map(|timeout| timeout.value),
            compression: self.compression,
            headers: Headers::default(),
        };
        for header in self.headers {
            if let Some(header) = findings.take(&place.child("headers"), header) {
                layer.headers.set(header.value.0, header.value.1);
            }
        }
        if let Some(auth) = self.auth {
            layer.authorize(auth, &place.child("auth"), findings);
        }
        layer
    }
}

/// Checks a header that stands alone.
pub(super) fn check_header(name: &str, value: &str) -> Checked<(String, Secret)> {
    let name = headers::check_name(name)?;
    let value = headers::check_value(value).map_err(|message| format!("the header {name:?} {message}"))?;
    Ok((name, value))
}

/// How the body of a push is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// With gzip, which every OTLP receiver understands.
    Gzip,
}

impl Compression {
    #[cfg(feature = "config")]
    pub(super) const NAMES: [&str; 2] = ["gzip", "none"];

    /// The compression of that name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" => Some(Self::Gzip),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// The settings of an OTLP exporter, checked and complete. Prints as `to http://collector:4318/v1/metrics
/// every 60s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpConfig {
    endpoint: Endpoint,
    interval: Duration,
    timeout: Option<Duration>,
    compression: Compression,
    headers: Headers,
}

impl OtlpConfig {
    /// Where the push goes, the path `/v1/metrics` included.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The time from the start of one push to the start of the next.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// How long one push may take, all its attempts together; `None` is no limit.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How the body is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The headers that the push carries beside its own; `authorization` is among them.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }
}

impl fmt::Display for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {} every {}", self.endpoint, duration::show(self.interval))
    }
}

/// What one source says about an OTLP exporter. A timeout of zero is no limit.
#[derive(Debug, Default)]
pub(super) struct OtlpLayer {
    pub(super) endpoint: Option<Given<Endpoint>>,
    pub(super) interval: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    pub(super) compression: Option<Compression>,
    pub(super) headers: Headers,
}

impl OtlpLayer {
    /// Adds the `authorization` header, unless this source has given it already.
    pub(super) fn authorize(&mut self, auth: Auth, place: &Place, findings: &mut Findings) {
        if self.headers.contains("authorization") {
            findings.problem(place, "is given beside an authorization header; keep one of them");
        }
        if let Some(header) = findings.take(&place.child(auth.key), auth.header) {
            self.headers.set("authorization".to_owned(), header.value);
        }
    }

    pub(super) fn over(self, below: Self) -> Self {
        Self {
            endpoint: self.endpoint.or(below.endpoint),
            interval: self.interval.or(below.interval),
            timeout: self.timeout.or(below.timeout),
            compression: self.compression.or(below.compression),
            headers: self.headers.over(below.headers),
        }
    }

    /// The settings with the defaults where no source said anything. Only here is it known which endpoint
    /// counts, and so whether this build can reach it.
    pub(super) fn resolve(self, place: &Place, findings: &mut Findings) -> Option<OtlpConfig> {
        let endpoint = match self.endpoint {
            Some(endpoint) => endpoint,
            None => findings.take(place, Endpoint::base(ENDPOINT))?,
        };
        findings.take(&endpoint.place, endpoint.value.reachable())?;
        Some(OtlpConfig {
            endpoint: endpoint.value,
            interval: self.interval.unwrap_or(INTERVAL),
            timeout: Some(self.timeout.unwrap_or(TIMEOUT)).filter(|timeout| !timeout.is_zero()),
            compression: self.compression.unwrap_or_default(),
            headers: self.headers,
        })
    }
}
