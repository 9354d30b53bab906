//! What all sources come to: the configuration that metercast starts with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "config")]
use super::files::Files;
use super::{
    ConfigBuilder, ConfigError, ExporterConfig, OnError, OnSigterm, Sources, TlsConfig, TracesConfig,
};
#[cfg(feature = "serve")]
use super::{Setting, Source};
use crate::ExemplarFilter;
use crate::dynamic::Instruments;
use crate::resource::Resource;

/// All that metercast needs to know to start: checked, complete, and with no question left open.
///
/// Without any configuration that is one page on loopback:
///
/// ```
/// use metercast::config::Config;
///
/// let config = Config::builder().environment(false).build()?;
/// let exporters: Vec<String> = config.exporters().map(|(_, exporter)| exporter.to_string()).collect();
/// assert_eq!(exporters, ["prometheus on http://127.0.0.1:9464/metrics"]);
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
///
/// `Debug` prints `***` for every secret.
#[derive(Debug, Clone)]
pub struct Config {
    pub(super) enabled: bool,
    pub(super) resource: Resource,
    pub(super) exporters: BTreeMap<String, ExporterConfig>,
    pub(super) shutdown_timeout: Duration,
    pub(super) on_sigterm: OnSigterm,
    pub(super) on_error: OnError,
    pub(super) self_metrics: bool,
    pub(super) exemplars: ExemplarFilter,
    pub(super) traces: Option<TracesConfig>,
    /// Why there are no traces although the environment asks for some.
    pub(super) traces_problem: Option<String>,
    pub(super) instruments: Instruments,
    pub(super) warnings: Vec<String>,
    pub(super) sources: Sources,
    /// The names of the private exporters, also of those that are switched off.
    pub(super) private: BTreeSet<String>,
    /// What was read, or looked for.
    pub(super) files: Vec<PathBuf>,
    /// Those of them that say something.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "there are none"))]
    pub(super) filled: BTreeSet<PathBuf>,
    /// What the program said, to read file and environment again.
    pub(super) builder: Box<ConfigBuilder>,
}

/// Two configurations are equal if they come to the same: the warnings and the program's part in it do not count.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            enabled,
            resource,
            exporters,
            shutdown_timeout,
            on_sigterm,
            on_error,
            self_metrics,
            exemplars,
            traces,
            traces_problem,
            instruments,
            private,
            ..
        } = self;
        *enabled == other.enabled
            && *resource == other.resource
            && *exporters == other.exporters
            && *shutdown_timeout == other.shutdown_timeout
            && *on_sigterm == other.on_sigterm
            && *on_error == other.on_error
            && *self_metrics == other.self_metrics
            && *exemplars == other.exemplars
            && *traces == other.traces
            && *traces_problem == other.traces_problem
            && *instruments == other.instruments
            && *private == other.private
    }
}

impl Config {
    /// Starts with the defaults and the environment of the process.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new()
    }

    /// Whether anything is to be recorded and run at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The attributes that describe this process.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The exporters in the order of their names. There may be none.
    pub fn exporters(&self) -> impl Iterator<Item = (&str, &ExporterConfig)> {
        self.exporters.iter().map(|(name, exporter)| (name.as_str(), exporter))
    }

    /// The exporter of that name.
    pub fn exporter(&self, name: &str) -> Option<&ExporterConfig> {
        self.exporters.get(name)
    }

    /// How long the final flush may take, all exporters together.
    pub fn shutdown_timeout(&self) -> Duration {
        self.shutdown_timeout
    }

    /// What happens on SIGTERM.
    pub fn on_sigterm(&self) -> OnSigterm {
        self.on_sigterm
    }

    /// What happens if an exporter cannot start.
    pub fn on_error(&self) -> OnError {
        self.on_error
    }

    /// Whether what exporters measure of themselves is recorded.
    pub fn self_metrics(&self) -> bool {
        self.self_metrics
    }

    /// Which measurements become exemplars.
    pub fn exemplars(&self) -> ExemplarFilter {
        self.exemplars
    }

    /// How traces are kept and pushed, for `metercast-tracing`; `None` if nobody asks for any.
    pub fn traces(&self) -> Option<&TracesConfig> {
        self.traces.as_ref()
    }

    /// Why there are no traces although standard variables ask for some: what is wrong with these, which is no reason not to start.
    pub fn traces_problem(&self) -> Option<&str> {
        self.traces_problem.as_deref()
    }

    /// How many instruments are defined for the [stages](ConfigBuilder::stages) of the program.
    pub fn instruments(&self) -> usize {
        self.instruments.count()
    }

    pub(crate) fn defined(&self) -> &Instruments {
        &self.instruments
    }

    /// Whether the exporter of that name is the program's own, as
    /// [`private_exporter`](ConfigBuilder::private_exporter) makes it; also if it is switched off.
    pub fn is_private(&self, name: &str) -> bool {
        self.private.contains(name)
    }

    /// The files that this was read from, or would have been if they were there, and the folders in which a pattern looks for
    /// some: if one of them changes, it is time to [read again](Self::reread). Certificates are not among them, as whoever
    /// shows them looks after them.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    /// The files that these exporters encrypt with.
    pub(crate) fn tls_files(&self, are_asked: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let of_client = |tls: &TlsConfig| -> Vec<_> {
            [tls.ca(), tls.client_certificate(), tls.client_key()]
                .into_iter()
                .flatten()
                .map(Into::into)
                .collect()
        };
        let of = |exporter: &ExporterConfig| match exporter {
            ExporterConfig::Prometheus(prometheus) => (prometheus.listener().tls())
                .map_or_else(Vec::new, |tls| vec![tls.certificate().into(), tls.key().into()]),
            ExporterConfig::Otlp(otlp) => of_client(otlp.tls()),
            ExporterConfig::Pushgateway(gateway) => of_client(gateway.tls()),
            ExporterConfig::Stdout(_) | ExporterConfig::Custom(_) => Vec::new(),
        };
        self.exporters().filter(|(name, _)| are_asked(name)).flat_map(|(_, exporter)| of(exporter)).collect()
    }

    /// Reads file and environment again, and lays them over what the program said, as
    /// [`ConfigBuilder::build`] did.
    ///
    /// ```
    /// use metercast::config::Config;
    ///
    /// # let path = std::env::temp_dir().join(format!("metercast-reread-{}.toml", std::process::id()));
    /// std::fs::write(&path, "[telemetry]\nself_metrics = false")?;
    /// let config = Config::builder().environment(false).file(&path).build()?;
    /// std::fs::write(&path, "[telemetry]\nself_metrics = true")?;
    /// assert!(config.reread()?.self_metrics());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ConfigBuilder::build`]; this configuration goes on being what it is.
    pub fn reread(&self) -> Result<Config, ConfigError> {
        self.builder.as_ref().clone().build()
    }

    /// [Reads again](Self::reread), and refuses a file that said something and is empty now: for whoever was not told that it
    /// is complete.
    #[cfg(feature = "config")]
    pub(crate) fn reread_written(&self) -> Result<Config, ConfigError> {
        self.builder.as_ref().clone().build_of(Files::insisting_on(self.filled.clone()))
    }

    /// Every value that holds, and which source says it.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How to let the page of this exporter listen on another address.
    #[cfg(feature = "serve")]
    pub(crate) fn mend_of_listen(&self, exporter: &str) -> String {
        let key = format!("telemetry.exporters.{exporter}.listen");
        match self.sources.get(&key).map(Setting::source) {
            Some(Source::Pinned) => "let the program listen on another".to_owned(),
            Some(Source::Variable(own)) if !own.starts_with("OTEL_") => format!("set {own} to another"),
            _ if self.sources.shaped.contains(exporter) => {
                format!("set {key} or OTEL_EXPORTER_PROMETHEUS_PORT to another")
            }
            _ => format!("set {key} to another"),
        }
    }

    /// What was passed over, to be logged at the start: one sentence each, with the name of the variable or
    /// the place in the file in front.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
