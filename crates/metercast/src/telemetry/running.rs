//! What runs: every exporter of a configuration.

use std::net::SocketAddr;
use std::time::Instant;

use super::error::{FlushError, StartError};
use crate::config::{Config, ExporterConfig};
use crate::export::Periodic;
#[cfg(feature = "otlp")]
use crate::export::otlp::{Push, Settings};
#[cfg(feature = "serve")]
use crate::export::prometheus::PrometheusPage;
#[cfg(feature = "otlp")]
use crate::export::pushgateway;
use crate::export::stdout::Print;
use crate::own;
use crate::reader::Reader;
#[cfg(feature = "serve")]
use crate::scrape::Scrape;
#[cfg(feature = "serve")]
use crate::serve::Listener;

/// What can be flushed, shared with the thread that waits for SIGTERM.
pub(crate) struct Running {
    #[cfg(feature = "serve")]
    listeners: Vec<Served>,
    /// What hands over at an interval, by name.
    periodic: Vec<(String, Box<dyn Periodic>)>,
}

/// A page that is served.
#[cfg(feature = "serve")]
struct Served {
    scheme: &'static str,
    path: String,
    listener: Listener,
}

#[cfg(feature = "serve")]
impl Served {
    fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.listener.address(), self.path)
    }
}

impl Running {
    pub(super) fn start(config: &Config, reader: &Reader) -> Result<Running, StartError> {
        let mut running = Running {
            #[cfg(feature = "serve")]
            listeners: Vec::new(),
            periodic: Vec::new(),
        };
        let mut failures = Vec::new();
        for (name, exporter) in config.exporters() {
            if let Err(cause) = running.add(name, exporter, config, reader) {
                failures.push((name.to_owned(), cause));
            }
        }
        if failures.is_empty() { Ok(running) } else { Err(StartError::exporters(failures)) }
    }

    #[cfg_attr(
        not(all(feature = "serve", feature = "otlp")),
        allow(unused_variables, reason = "an exporter that is not built needs nothing")
    )]
    fn add(
        &mut self,
        name: &str,
        exporter: &ExporterConfig,
        config: &Config,
        reader: &Reader,
    ) -> Result<(), String> {
        match exporter {
            #[cfg(feature = "serve")]
            ExporterConfig::Prometheus(settings) => {
                let reader = reader.of_exporter(name, own::PROMETHEUS);
                let (resource, log) = (config.resource().attributes(), reader.log().clone());
                let page = PrometheusPage::with(name, settings.page().clone(), resource, log)
                    .projection(settings.projection().clone());
                let listener = Listener::start(name, settings, Scrape::of(reader, page))?;
                let scheme = if settings.listener().tls().is_some() { "https" } else { "http" };
                self.listeners.push(Served { scheme, path: settings.path().to_owned(), listener });
                Ok(())
            }
            #[cfg(not(feature = "serve"))]
            ExporterConfig::Prometheus(_) => Err(
                "is of type prometheus, and this build has none; enable the feature \"serve\" of metercast"
                    .into(),
            ),
            #[cfg(feature = "otlp")]
            ExporterConfig::Otlp(settings) => {
                let settings = Settings::of(name, settings);
                let push = Push::start(settings, reader, config.resource().attributes())
                    .map_err(|error| format!("cannot start: {error}"))?;
                self.periodic.push((name.to_owned(), Box::new(push)));
                Ok(())
            }
            ExporterConfig::Stdout(settings) => {
                let print = Print::start(name, settings, reader.of_exporter(name, own::STDOUT))
                    .map_err(|error| format!("cannot start its thread: {error}"))?;
                self.periodic.push((name.to_owned(), Box::new(print)));
                Ok(())
            }
            #[cfg(feature = "otlp")]
            ExporterConfig::Pushgateway(settings) => {
                let (reader, resource) =
                    (reader.of_exporter(name, own::PUSHGATEWAY), config.resource().attributes());
                let push = pushgateway::Push::start(name, settings, reader, resource)
                    .map_err(|error| format!("cannot start its thread: {error}"))?;
                self.periodic.push((name.to_owned(), Box::new(push)));
                Ok(())
            }
            #[cfg(not(feature = "otlp"))]
            ExporterConfig::Otlp(_) | ExporterConfig::Pushgateway(_) => {
                Err("pushes over HTTP, and this build does not; enable the feature \"otlp\" of metercast"
                    .into())
            }
        }
    }

    /// Whether there is anything to flush.
    #[cfg(all(unix, feature = "otlp"))]
    pub(crate) fn has_pushes(&self) -> bool {
        !self.periodic.is_empty()
    }

    /// The address of the first listener.
    pub(super) fn scrape_address(&self) -> Option<SocketAddr> {
        #[cfg(feature = "serve")]
        return self.listeners.first().map(|served| served.listener.address());
        #[cfg(not(feature = "serve"))]
        None
    }

    /// The URL of the first page.
    pub(super) fn scrape_url(&self) -> Option<String> {
        #[cfg(feature = "serve")]
        return self.listeners.first().map(Served::url);
        #[cfg(not(feature = "serve"))]
        None
    }

    /// Where things are, in one line.
    pub(super) fn summary(&self, config: &Config) -> String {
        let mut parts = Vec::new();
        #[cfg(feature = "serve")]
        parts.extend(self.listeners.iter().map(|served| format!("metrics {}", served.url())));
        for (name, exporter) in config.exporters() {
            match exporter {
                ExporterConfig::Prometheus(_) => {}
                ExporterConfig::Otlp(settings) => {
                    parts.push(format!(
                        "push {name} {} every {:?}",
                        settings.endpoint(),
                        settings.interval()
                    ));
                }
                ExporterConfig::Pushgateway(settings) => {
                    parts.push(format!("push {name} {} every {:?}", settings.url(), settings.interval()));
                }
                ExporterConfig::Stdout(settings) => {
                    parts.push(format!("print {name} every {:?}", settings.interval()));
                }
            }
        }
        if parts.is_empty() {
            "no exporters; what is recorded stays in the process".to_owned()
        } else {
            parts.join("  ")
        }
    }

    /// Lets all hand over at once, until `deadline`.
    pub(crate) fn flush(&self, deadline: Instant) -> Result<(), FlushError> {
        self.at_once(|exporter| exporter.flush(deadline))
    }

    pub(super) fn shutdown(&self, deadline: Instant) -> Result<(), FlushError> {
        self.at_once(|exporter| exporter.shutdown(deadline))
    }

    /// Runs `f` for every exporter at the same time, so that a slow one does not eat the time of the others.
    fn at_once(&self, f: impl Fn(&dyn Periodic) -> Result<(), String> + Sync) -> Result<(), FlushError> {
        let failures: Vec<(String, String)> = std::thread::scope(|scope| {
            let f = &f;
            let running: Vec<_> = self
                .periodic
                .iter()
                .map(|(name, exporter)| (name, scope.spawn(move || f(&**exporter))))
                .collect();
            running
                .into_iter()
                .filter_map(|(name, thread)| match thread.join() {
                    Ok(result) => result.err().map(|error| (name.clone(), error)),
                    Err(_) => Some((name.clone(), "panicked; please report this".to_owned())),
                })
                .collect()
        });
        if failures.is_empty() { Ok(()) } else { Err(FlushError::new(failures)) }
    }
}
