//! The exporter that serves a page for Prometheus to scrape.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use super::error::{Checked, Findings};
use super::listener::{self, ListenerConfig, ListenerLayer, ListenerSettings};
use super::live_history::LiveHistory;
use super::page::{PageLayer, PageSettings};
use super::pem_file::PemFile;
use super::place::{Given, Place, lay};
use super::projection::ProjectionSettings;
use super::server_tls::ServerTls;
use super::url::is_url_character;
use crate::export::prometheus::PageOptions;
use crate::view::Projection;

const HOST: &str = "127.0.0.1";
pub(super) const PORT: u16 = 9464;
const PATH: &str = "/metrics";

/// A Prometheus exporter, as code describes it. What it leaves open, the layers below decide; in the end
/// `127.0.0.1:9464/metrics`.
///
/// ```
/// use metercast::config::{Config, Prometheus};
///
/// let config = Config::builder()
///     .environment(false)
///     .exporter("prometheus", Prometheus::listen("0.0.0.0:9100").path("/internal/metrics"))
///     .build()?;
/// assert_eq!(
///     config.exporter("prometheus").unwrap().to_string(),
///     "prometheus on http://0.0.0.0:9100/internal/metrics"
/// );
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Prometheus {
    listen: Option<Checked<Address>>,
    path: Option<Checked<String>>,
    listener: ListenerSettings,
    pub(super) page: PageSettings,
    pub(super) projection: ProjectionSettings,
    pub(super) env: Option<bool>,
}

impl Prometheus {
    /// Serves on this `host:port`. The host is a name, an IPv4 address or an IPv6 address in brackets; port 0
    /// is any free port. What cannot be read is reported by [`build`](super::ConfigBuilder::build).
    pub fn listen(address: &str) -> Self {
        Self { listen: Some(Address::to_listen(address)), ..Self::default() }
    }

    /// Serves the page under this path, which starts with a slash.
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(check_path(path));
        self
    }

    /// Lets in only who has this token, as `Authorization: Bearer TOKEN`. Health is told to everybody.
    pub fn bearer(mut self, token: &str) -> Self {
        self.listener.bearer = Some(listener::check_bearer(token));
        self
    }

    /// Encrypts, with the certificate (and those that vouch for it) and the private key in these PEM files. They are read
    /// again when they change. Needs the Cargo feature `tls`.
    pub fn tls(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        // Where it is given is known with the exporter's name.
        let at_code = |path| PemFile::new(path, &Place::named("tls"));
        self.listener.tls = Some(ServerTls::new(at_code(certificate.into()), at_code(key.into())));
        self
    }

    /// Whether the page is under every path, not only its own; `false` unless said.
    pub fn any_path(mut self, any: bool) -> Self {
        self.listener.any_path = Some(any);
        self
    }

    /// Whether the listener says how the program is too, to everybody; `true` unless said, or the page is under every path.
    pub fn health(mut self, health: bool) -> Self {
        self.listener.health = Some(health);
        self
    }

    /// Where the listener says that the program is alive; `/-/healthy` unless said. It answers 200 and `{"status":"ok"}`.
    pub fn liveness_path(mut self, path: &str) -> Self {
        self.listener.liveness_path = Some(check_path(path));
        self
    }

    /// Where it says whether the program is ready, as its [`Health`](crate::Health) knows; `/-/ready` unless said. It answers 200 and
    /// `{"status":"ready"}`, or 503 and `{"status":"not_ready","error":"..."}`.
    pub fn readiness_path(mut self, path: &str) -> Self {
        self.listener.readiness_path = Some(check_path(path));
        self
    }

    /// Whether a POST to `/-/reload` reads file and environment again, as
    /// [`Telemetry::reread`](crate::Telemetry::reread) does; `false` unless said. Whoever may read the page may do so.
    pub fn reload(mut self, reload: bool) -> Self {
        self.listener.reload = Some(reload);
        self
    }

    /// How many scrapes may be under way at once, 1 to 1,000; others are answered 503. 16 unless said.
    pub fn max_in_flight(mut self, scrapes: usize) -> Self {
        self.listener.max_in_flight = Some(scrapes);
        self
    }

    /// How long a scrape may wait for its page before it is answered 503, more than nothing; 10 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.listener.timeout = Some(timeout);
        self
    }

    /// Whether the listener has a page for people at `/` and its data under `/live`; `true` unless said, where the Cargo feature `live`
    /// is on. It is for programs on this machine, and for who has the [token](Self::bearer).
    pub fn live(mut self, live: bool) -> Self {
        self.listener.live = Some(live);
        self
    }

    /// When that page begins to keep its history: when somebody looks for the first time, unless said.
    pub fn live_history(mut self, history: LiveHistory) -> Self {
        self.listener.live_history = Some(history);
        self
    }

    /// How many lines of history it may keep, 1 to 10,000; 300 unless said. Each takes 18,720 bytes when it begins.
    pub fn live_lines(mut self, lines: usize) -> Self {
        self.listener.live_lines = Some(lines);
        self
    }

    /// Whether `OTEL_EXPORTER_PROMETHEUS_HOST` and `..._PORT` shape this exporter. Unless it is said, they
    /// shape the one named `prometheus` if no file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> PrometheusLayer {
        PrometheusLayer {
            page: self.page.into_layer(place, findings),
            listen: self.listen.and_then(|listen| findings.take(&place.child("listen"), listen)),
            path: self.path.and_then(|path| findings.take(&place.child("path"), path)),
            listener: self.listener.into_layer(place, findings),
        }
    }
}

/// The settings of a Prometheus exporter, checked and complete. Prints as `on http://127.0.0.1:9464/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct PrometheusConfig {
    listen: String,
    path: String,
    listener: ListenerConfig,
    page: PageOptions,
    projection: Projection,
}

impl PrometheusConfig {
    /// The `host:port` to listen on. Port 0 is any free port.
    pub fn listen(&self) -> &str {
        &self.listen
    }

    /// The path of the page. Starts with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How the listener behaves.
    pub fn listener(&self) -> &ListenerConfig {
        &self.listener
    }

    /// What stands on the page.
    pub fn page(&self) -> &PageOptions {
        &self.page
    }

    /// Which metrics stand on the page, and how they look.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }
}

impl fmt::Display for PrometheusConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.listener.tls().is_some() { "https" } else { "http" };
        write!(f, "on {scheme}://{}{}", self.listen, self.path)
    }
}

/// What one source says about a Prometheus exporter.
#[derive(Debug, Default)]
pub(super) struct PrometheusLayer {
    pub(super) listen: Option<Given<Address>>,
    pub(super) path: Option<Given<String>>,
    pub(super) listener: ListenerLayer,
    pub(super) page: PageLayer,
}

impl PrometheusLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            listen: lay(self.listen, below.listen),
            path: lay(self.path, below.path),
            listener: self.listener.over(below.listener),
            page: self.page.over(below.page),
        }
    }

    /// The address to listen on, as far as this source and those below it know, or else the default.
    pub(super) fn address(&self) -> Address {
        match &self.listen {
            Some(listen) => listen.value.clone(),
            None => Address { host: HOST.to_owned(), port: PORT },
        }
    }

    /// The settings with the defaults where no source said anything. `place` is that of the exporter.
    pub(super) fn resolve(
        self,
        projection: Projection,
        place: &Place,
        findings: &mut Findings,
    ) -> PrometheusConfig {
        let address = Address { host: HOST.to_owned(), port: PORT };
        let listen = findings.settle(&place.child("listen"), self.listen, address, Address::to_string);
        let listen = listen.to_string();
        let path = findings.settle(&place.child("path"), self.path, PATH.to_owned(), String::clone);
        let listener = self.listener.resolve(&path, place, findings);
        PrometheusConfig { listen, path, listener, page: self.page.resolve(place, findings), projection }
    }
}

/// Checks the path of a page.
pub(super) fn check_path(path: &str) -> Checked<String> {
    if !path.starts_with('/') {
        return Err(format!("{path:?} does not start with a slash; write \"/{path}\""));
    }
    if !path.chars().all(|c| c != '?' && is_url_character(c)) {
        return Err(format!(
            "{path:?} has a character that the path of a URL cannot have; write for example \"/metrics\""
        ));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_starts_with_a_slash_and_fits_into_a_url() {
        for path in ["/", "/metrics", "/a/b.c~d%20e"] {
            assert_eq!(check_path(path).as_deref(), Ok(path));
        }
        assert_eq!(
            check_path("metrics").unwrap_err(),
            "\"metrics\" does not start with a slash; write \"/metrics\""
        );
        assert_eq!(check_path("").unwrap_err(), "\"\" does not start with a slash; write \"/\"");
        for path in ["/a b", "/a?b", "/a#b", "/ü", "/a\n"] {
            assert_eq!(
                check_path(path).unwrap_err(),
                format!(
                    "{path:?} has a character that the path of a URL cannot have; write for example \
                     \"/metrics\""
                )
            );
        }
    }
}
