//! The exporter that pushes by OTLP.

mod aggregation;
mod layer;
#[cfg(all(feature = "otlp", feature = "tls"))]
mod pem;
mod preset;
mod protocol;
mod tls;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use aggregation::{HistogramAggregation, TemporalityPreference};
pub(super) use layer::OtlpLayer;
pub(super) use layer::check_request_limit;
pub use preset::Preset;
pub use protocol::{Compression, Protocol};
pub use tls::TlsConfig;
pub(super) use tls::TlsLayer;

use super::auth;
use super::duration;
use super::endpoint::Endpoint;
use super::error::{Checked, Findings};
use super::headers::{self, GivenHeaders, Headers};
use super::place::{Given, Place};
use super::projection::ProjectionSettings;
use super::proxy::{Proxy, ProxyConfig};
use super::resource_attributes::ResourceAttributes;
use super::secret::Secret;
use super::signal::Signal;
use super::url::Url;
use crate::view::Projection;

pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// An OTLP exporter, as code describes it. What it leaves open, the layers below decide; in the end a push of protobuf to
/// `http://localhost:4318/v1/metrics` every 60 seconds, given up after 10, uncompressed, cumulative.
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
    preset: Option<Preset>,
    endpoint: Option<Checked<Url>>,
    protocol: Option<Protocol>,
    insecure: Option<bool>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    compression: Option<Compression>,
    pub(super) ca: Option<PathBuf>,
    pub(super) client_identity: Option<(PathBuf, PathBuf)>,
    pub(super) proxy: Option<Checked<Proxy>>,
    temporality: Option<TemporalityPreference>,
    histograms: Option<HistogramAggregation>,
    request_limit: Option<Checked<usize>>,
    auth: Option<Auth>,
    dataset: Option<Checked<Secret>>,
    headers: Vec<Checked<(String, Secret)>>,
    resource: Option<ResourceAttributes>,
    pub(super) projection: ProjectionSettings,
    pub(super) env: Option<bool>,
}

/// How an exporter says who it is, and which key of a file would have given it.
#[derive(Debug, Clone)]
pub(super) struct Auth {
    pub(super) key: &'static str,
    /// The whole `authorization` header; or a token that goes where the preset says.
    pub(super) secret: Checked<Secret>,
}

impl Auth {
    pub(super) fn bearer(token: &str) -> Self {
        Self { key: "bearer", secret: auth::bearer(token) }
    }

    pub(super) fn basic(user: &str, password: &str) -> Self {
        Self { key: "basic", secret: auth::basic(user, password) }
    }

    pub(super) fn token(token: &str) -> Self {
        Self { key: TOKEN, secret: auth::token(token) }
    }
}

impl Auth {
    /// Whether it is the whole `authorization` header.
    pub(super) fn is_header(&self) -> bool {
        self.key != TOKEN
    }
}

/// The key of a token that goes where the preset says.
const TOKEN: &str = "token";

impl Otlp {
    /// Pushes to this URL: `http://host:port` or `https://host:port` with or without a path, or a Unix socket,
    /// `unix:///run/otel.sock`, with a path behind another colon if it has one. It may be the base URL, to which
    /// `/v1/metrics` is added, or the full one; with gRPC it is only host and port, also without a scheme, or a socket. What
    /// cannot be read is reported by [`build`](super::ConfigBuilder::build).
    pub fn to(endpoint: &str) -> Self {
        Self { endpoint: Some(Url::base(endpoint)), ..Self::default() }
    }

    /// What a known receiver wants, below all that is said.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.preset = Some(preset);
        self
    }

    /// What is spoken; protobuf over HTTP unless said.
    ///
    /// ```
    /// use metercast::config::{Config, Otlp, Protocol};
    ///
    /// let json = Otlp::to("unix:///run/otel.sock").protocol(Protocol::HttpJson);
    /// let config = Config::builder().environment(false).exporter("local", json).build()?;
    /// let shown = config.exporter("local").unwrap().to_string();
    /// assert_eq!(shown, "otlp to unix:///run/otel.sock:/v1/metrics every 60s as http/json");
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Whether a gRPC endpoint without a scheme is not encrypted. It is encrypted unless said; `http://` and `https://` say
    /// it themselves.
    pub fn insecure(mut self, insecure: bool) -> Self {
        self.insecure = Some(insecure);
        self
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

    /// Since when values count; cumulative unless said.
    pub fn temporality(mut self, temporality: TemporalityPreference) -> Self {
        self.temporality = Some(temporality);
        self
    }

    /// Which buckets histograms have that do not say so themselves; explicit ones unless said.
    pub fn histograms(mut self, histograms: HistogramAggregation) -> Self {
        self.histograms = Some(histograms);
        self
    }

    /// Authorizes with the key that the receiver of a [`preset`](Self::preset) gives out, in the header that it wants. The
    /// last of `token`, [`bearer`](Self::bearer) and [`basic`](Self::basic) counts.
    pub fn token(mut self, token: &str) -> Self {
        self.auth = Some(Auth::token(token));
        self
    }

    /// Names the dataset to a receiver that has datasets ([`Preset::Axiom`], [`Preset::Honeycomb`]).
    pub fn dataset(mut self, dataset: &str) -> Self {
        self.dataset = Some(headers::check_value(dataset));
        self
    }

    /// The most bytes of a request before it is compressed, 4 KiB to 64 MiB: what is more is sent in several. Unless it is said 64 MiB,
    /// or what the preset's receiver takes.
    pub fn max_request_size(mut self, bytes: usize) -> Self {
        self.request_limit = Some(check_request_limit(bytes));
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

    /// Which attributes of the resource are sent along; all unless said.
    pub fn resource(mut self, attributes: ResourceAttributes) -> Self {
        self.resource = Some(attributes);
        self
    }

    /// Whether the `OTEL_EXPORTER_OTLP_*` variables shape this exporter. Unless it is said, they shape the
    /// one named `otlp` if no file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> OtlpLayer {
        fn at<T>(value: Option<T>, key: &str, place: &Place) -> Option<Given<T>> {
            value.map(|value| Given::new(value, &place.child(key)))
        }
        let tls = &place.child("tls");
        let (certificate, key) = self.client_identity.unzip();
        let mut layer = OtlpLayer {
            preset: at(self.preset, "preset", place),
            protocol: at(self.protocol, "protocol", place),
            insecure: at(self.insecure, "insecure", place),
            tls: TlsLayer {
                ca: at(self.ca, "ca", tls),
                client_certificate: at(certificate, "client_certificate", tls),
                client_key: at(key, "client_key", tls),
            },
            proxy: self.proxy.and_then(|proxy| findings.take(&place.child("proxy"), proxy)),
            temporality: at(self.temporality, "temporality", place),
            histograms: at(self.histograms, "histograms", place),
            endpoint: self.endpoint.and_then(|endpoint| findings.take(&place.child("endpoint"), endpoint)),
            interval: self
                .interval
                .and_then(|interval| findings.take(&place.child("interval"), duration::interval(interval))),
            timeout: self
                .timeout
                .and_then(|timeout| findings.take(&place.child("timeout"), duration::bounded(timeout))),
            compression: at(self.compression, "compression", place),
            token: None,
            request_limit: self
                .request_limit
                .and_then(|bytes| findings.take(&place.child("max_request_size"), bytes)),
            dataset: self.dataset.and_then(|dataset| findings.take(&place.child("dataset"), dataset)),
            resource: self
                .resource
                .and_then(|attributes| findings.take(&place.child("resource"), attributes.checked())),
            headers: GivenHeaders::default(),
            auth_key: None,
        };
        for header in self.headers {
            if let Some(header) = findings.take(&place.child("headers"), header) {
                let Given { value: (name, value), place } = header;
                layer.headers.set(name, Given { value, place });
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

/// The settings of an OTLP exporter, checked and complete. Prints as `to http://collector:4318/v1/metrics
/// every 60s`, and what is not the default behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpConfig {
    preset: Option<Preset>,
    signal: Signal,
    endpoint: Endpoint,
    protocol: Protocol,
    interval: Duration,
    timeout: Option<Duration>,
    compression: Compression,
    tls: TlsConfig,
    proxy: Option<ProxyConfig>,
    temporality: TemporalityPreference,
    histograms: HistogramAggregation,
    request_limit: usize,
    headers: Headers,
    resource: ResourceAttributes,
    projection: Projection,
}

impl OtlpConfig {
    /// The known receiver that it was configured for, if it was.
    pub fn preset(&self) -> Option<Preset> {
        self.preset
    }

    /// What is pushed.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "nobody pushes"))]
    pub(crate) fn signal(&self) -> Signal {
        self.signal
    }

    /// Where the push goes, the path `/v1/metrics` included.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What is spoken.
    pub fn protocol(&self) -> Protocol {
        self.protocol
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

    /// The files of an encrypted connection; there are none if the endpoint is not `https://`.
    pub fn tls(&self) -> &TlsConfig {
        &self.tls
    }

    /// The proxy to go through. Whether the endpoint is excepted from it has been looked at.
    pub fn proxy(&self) -> Option<&ProxyConfig> {
        self.proxy.as_ref()
    }

    /// Since when values count.
    pub fn temporality(&self) -> TemporalityPreference {
        self.temporality
    }

    /// Which buckets histograms have that do not say so themselves.
    pub fn histograms(&self) -> HistogramAggregation {
        self.histograms
    }

    /// The most bytes of a request, before it is compressed: what OTLP allows, or less if the receiver of a preset takes less.
    pub fn request_limit(&self) -> usize {
        self.request_limit
    }

    /// Which metrics are pushed, and how they look.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Which attributes of the resource are sent along.
    pub fn resource(&self) -> &ResourceAttributes {
        &self.resource
    }

    /// The headers that the push carries beside its own; `authorization` is among them.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }
}

impl fmt::Display for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {} every {}", self.endpoint, duration::show(self.interval))?;
        if self.protocol != Protocol::default() {
            write!(f, " as {}", self.protocol.name())?;
        }
        if self.temporality != TemporalityPreference::default() {
            write!(f, " with {} values", self.temporality.name())?;
        }
        if let Some(proxy) = &self.proxy {
            write!(f, " through {proxy}")?;
        }
        Ok(())
    }
}
