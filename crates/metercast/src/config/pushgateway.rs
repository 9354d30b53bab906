//! The exporter that pushes to a Pushgateway.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::error::{Checked, Findings};
use super::gateway::{self, Gateway};
use super::otlp::{Auth, TlsConfig, TlsLayer};
use super::page::{self, PageLayer};
use super::place::{Given, Place, lay};
use super::projection::ProjectionSettings;
use super::proxy::{Proxy, ProxyConfig};
use super::secret::Secret;
use crate::export::prometheus::PageOptions;
use crate::view::Projection;

/// As often as a Prometheus scrapes.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);

/// An exporter that keeps a group of a Prometheus Pushgateway up to date, where no Prometheus reaches the program: its page
/// is put there at the interval and a last time at the shutdown, in place of what the group held before. The group stays at
/// the gateway until somebody deletes it.
///
/// Two programs with the same job and group overwrite each other, so give each an `instance`. A batch job rather calls
/// [`Pushgateway`](crate::Pushgateway) when it is done.
///
/// ```
/// use metercast::config::{Config, Pushgateway};
///
/// let behind = Pushgateway::to("http://gateway:9091", "checkout").group("instance", "till-7");
/// let config = Config::builder().environment(false).exporter("till", behind).build()?;
/// let shown = config.exporter("till").unwrap().to_string();
/// assert_eq!(shown, "pushgateway to http://gateway:9091 as \"checkout\" every 60s");
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Pushgateway {
    url: Option<Checked<Gateway>>,
    job: Option<Checked<String>>,
    grouping: Vec<Checked<(String, String)>>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    auth: Option<Auth>,
    pub(super) ca: Option<PathBuf>,
    pub(super) client_identity: Option<(PathBuf, PathBuf)>,
    pub(super) proxy: Option<Checked<Proxy>>,
    page: Option<PageOptions>,
    pub(super) projection: ProjectionSettings,
    pub(super) env: Option<bool>,
}

impl Pushgateway {
    /// Pushes to the gateway with this URL, to which `/metrics/job/...` is added, for the job of this name. What cannot be
    /// read is reported by [`build`](super::ConfigBuilder::build).
    pub fn to(url: &str, job: &str) -> Self {
        Self { url: Some(Gateway::parse(url)), job: Some(gateway::check_job(job)), ..Self::default() }
    }

    /// Adds a label to the group, or gives it another value. The value may be anything; the label is one of Prometheus, which
    /// is not `job`.
    pub fn group(mut self, label: &str, value: &str) -> Self {
        self.grouping.push(gateway::check_label(label).map(|()| (label.to_owned(), value.to_owned())));
        self
    }

    /// The time from the start of one push to the start of the next: 1 millisecond to a year, 60 seconds unless said.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How long one push may take, which is one attempt; more than nothing, 10 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
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

    /// What stands on the page that is pushed, which is in text format 0.0.4.
    pub fn page(mut self, options: PageOptions) -> Self {
        self.page = Some(options);
        self
    }

    /// Whether `OTEL_METRIC_EXPORT_INTERVAL` shapes this exporter. Unless it is said, it shapes the one named `pushgateway` if
    /// no file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> PushgatewayLayer {
        let of_tls = |key, file| Given { value: file, place: place.child("tls").child(key) };
        let (certificate, key) = self.client_identity.unzip();
        let mut layer = PushgatewayLayer {
            url: self.url.and_then(|url| findings.take(&place.child("url"), url)),
            job: self.job.and_then(|job| findings.take(&place.child("job"), job)),
            tls: TlsLayer {
                ca: self.ca.map(|file| of_tls("ca", file)),
                client_certificate: certificate.map(|file| of_tls("client_certificate", file)),
                client_key: key.map(|file| of_tls("client_key", file)),
            },
            proxy: self.proxy.and_then(|proxy| findings.take(&place.child("proxy"), proxy)),
            options: self.page.map(|page| Given::new(page, place)),
            ..PushgatewayLayer::default()
        };
        for label in self.grouping {
            if let Some(Given { value: (label, value), place }) =
                findings.take(&place.child("grouping"), label)
            {
                layer.grouping.insert(label, Given { value, place });
            }
        }
        let mut time = |key, given: Option<Duration>, check: fn(Duration) -> Checked<Duration>| {
            findings.take(&place.child(key), check(given?))
        };
        layer.interval = time("interval", self.interval, duration::interval);
        layer.timeout = time("timeout", self.timeout, duration::deadline);
        if let Some(auth) = self.auth {
            layer.authorize(auth, &place.child("auth"), findings);
        }
        layer
    }
}

/// The settings of an exporter that pushes to a Pushgateway, checked and complete. Prints as `to http://gateway:9091 as
/// "job" every 60s`.
#[derive(Debug, Clone, PartialEq)]
pub struct PushgatewayConfig {
    gateway: Gateway,
    job: String,
    grouping: BTreeMap<String, String>,
    interval: Duration,
    timeout: Duration,
    authorization: Option<Secret>,
    tls: TlsConfig,
    proxy: Option<ProxyConfig>,
    page: PageOptions,
    projection: Projection,
}

impl PushgatewayConfig {
    /// The URL of the gateway, without `/metrics` and what follows.
    pub fn url(&self) -> String {
        self.gateway.to_string()
    }

    /// The name of the job.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// The labels of the group beside the job, with their values, in the order of their names.
    pub fn grouping(&self) -> impl Iterator<Item = (&str, &str)> {
        self.grouping.iter().map(|(label, value)| (label.as_str(), value.as_str()))
    }

    /// The time from the start of one push to the start of the next.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// How long one push may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The files that an encrypted connection is made with.
    pub fn tls(&self) -> &TlsConfig {
        &self.tls
    }

    /// The proxy that it goes through.
    pub fn proxy(&self) -> Option<&ProxyConfig> {
        self.proxy.as_ref()
    }

    /// What stands on the page.
    pub fn page(&self) -> &PageOptions {
        &self.page
    }

    /// Which metrics stand on the page, and how they look.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }
}

impl fmt::Display for PushgatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {} as {:?} every {}", self.gateway, self.job, duration::show(self.interval))?;
        if let Some(proxy) = &self.proxy {
            write!(f, " through {proxy}")?;
        }
        Ok(())
    }
}

/// What one source says about an exporter that pushes to a Pushgateway.
#[derive(Debug, Default)]
pub(super) struct PushgatewayLayer {
    pub(super) url: Option<Given<Gateway>>,
    pub(super) job: Option<Given<String>>,
    /// Label by label, so that a file may say which instance a program is that names the rest.
    pub(super) grouping: BTreeMap<String, Given<String>>,
    pub(super) interval: Option<Given<Duration>>,
    pub(super) timeout: Option<Given<Duration>>,
    /// The header, and the key of `auth` that gives it.
    pub(super) authorization: Option<(&'static str, Given<Secret>)>,
    pub(super) tls: TlsLayer,
    pub(super) proxy: Option<Given<Proxy>>,
    /// What a file says of the page.
    pub(super) page: PageLayer,
    /// What code says of the page, which is all of it.
    pub(super) options: Option<Given<PageOptions>>,
}

impl PushgatewayLayer {
    /// Takes the `authorization` header; a token of another kind belongs to the presets of OTLP.
    pub(super) fn authorize(&mut self, auth: Auth, place: &Place, findings: &mut Findings) {
        if !auth.is_header() {
            let message = "is for the presets of an exporter of type otlp; write { bearer = \"token\" } or { basic = ... }";
            findings.problem(&place.child(auth.key), message);
        } else if let Some(header) = findings.take(&place.child(auth.key), auth.secret) {
            self.authorization = Some((auth.key, header));
        }
    }

    pub(super) fn over(self, below: Self) -> Self {
        let mut grouping = below.grouping;
        for (label, value) in self.grouping {
            let old = grouping.remove(&label);
            grouping.extend(lay(Some(value), old).map(|value| (label, value)));
        }
        Self {
            url: lay(self.url, below.url),
            job: lay(self.job, below.job),
            grouping,
            interval: lay(self.interval, below.interval),
            timeout: lay(self.timeout, below.timeout),
            authorization: match (self.authorization, below.authorization) {
                (Some((key, above)), Some((_, below))) => Some((key, above.over(below))),
                (above, below) => above.or(below),
            },
            tls: self.tls.over(below.tls),
            proxy: lay(self.proxy, below.proxy),
            page: self.page.over(below.page),
            options: lay(self.options, below.options),
        }
    }

    /// The settings with the defaults where no source said anything. `proxy_of` says which proxy the surroundings want.
    pub(super) fn resolve(
        self,
        projection: Projection,
        place: &Place,
        proxy_of: impl FnOnce(&Gateway, &mut Findings) -> Option<Given<Proxy>>,
        findings: &mut Findings,
    ) -> Option<PushgatewayConfig> {
        // What was given and is wrong was said.
        let is_clean = findings.problems() == 0;
        if self.url.is_none() && is_clean {
            findings.problem(&place.child("url"), "is missing; write for example \"http://gateway:9091\"");
        }
        if self.job.is_none() && is_clean {
            findings.problem(&place.child("job"), "is missing; write the name of the program or the job");
        }
        let Given { value, place: url } = self.url?;
        let gateway = Given::new(value.given_at(&url), &url);
        let gateway = findings.note_url(&place.child("url"), gateway, Gateway::to_string);
        let job = findings.note(&place.child("job"), self.job?, String::clone);
        let tls = self.tls.resolve(gateway.is_https, place, findings);
        let proxy = self.proxy.or_else(|| proxy_of(&gateway, findings));
        let proxy = proxy.map(|proxy| findings.note_url(&place.child("proxy"), proxy, Proxy::shown));
        let proxy = match proxy {
            Some(Proxy::Through(proxy)) => Some(proxy),
            Some(Proxy::None) | None => None,
        };
        let at = place.child("grouping");
        let mut grouping = BTreeMap::new();
        for (label, value) in self.grouping {
            let value = findings.note(&at.child(&label), value, String::clone);
            grouping.insert(label, value);
        }
        let show = |time: &Duration| duration::show(*time);
        Some(PushgatewayConfig {
            gateway,
            job,
            grouping,
            interval: findings.settle(&place.child("interval"), self.interval, INTERVAL, show),
            timeout: findings.settle(&place.child("timeout"), self.timeout, TIMEOUT, show),
            authorization: self
                .authorization
                .map(|(key, header)| findings.note_secret(&place.child("auth").child(key), header)),
            tls,
            proxy,
            page: match self.options {
                Some(Given { value, place: given }) => {
                    page::note(&value, std::iter::repeat(Some(given)), place, findings);
                    value
                }
                None => self.page.resolve(place, findings),
            },
            projection,
        })
    }
}
