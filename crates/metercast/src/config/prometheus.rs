//! The exporter that serves a page for Prometheus to scrape.

use std::fmt;

use super::address::Address;
use super::error::{Checked, Findings, Given, Place};
use super::url::is_url_character;

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

    /// Whether `OTEL_EXPORTER_PROMETHEUS_HOST` and `..._PORT` shape this exporter. Unless it is said, they
    /// shape the one named `prometheus` if no file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> PrometheusLayer {
        PrometheusLayer {
            listen: self.listen.and_then(|listen| findings.take(&place.child("listen"), listen)),
            path: self.path.and_then(|path| findings.take(&place.child("path"), path)).map(|path| path.value),
        }
    }
}

/// The settings of a Prometheus exporter, checked and complete. Prints as `on http://127.0.0.1:9464/metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusConfig {
    listen: String,
    path: String,
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
}

impl fmt::Display for PrometheusConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on http://{}{}", self.listen, self.path)
    }
}

/// What one source says about a Prometheus exporter.
#[derive(Debug, Default)]
pub(super) struct PrometheusLayer {
    pub(super) listen: Option<Given<Address>>,
    pub(super) path: Option<String>,
}

impl PrometheusLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self { listen: self.listen.or(below.listen), path: self.path.or(below.path) }
    }

    /// The address to listen on, as far as this source and those below it know, or else the default.
    pub(super) fn address(&self) -> Address {
        match &self.listen {
            Some(listen) => listen.value.clone(),
            None => Address { host: HOST.to_owned(), port: PORT },
        }
    }

    /// The settings with the defaults where no source said anything.
    pub(super) fn resolve(self) -> PrometheusConfig {
        PrometheusConfig {
            listen: self.address().to_string(),
            path: self.path.unwrap_or_else(|| PATH.to_owned()),
        }
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
