//! Collects what the program says.

mod build;

use std::collections::{BTreeMap, BTreeSet};
#[cfg(feature = "config")]
use std::path::PathBuf;
use std::time::Duration;

use super::env::Variables;
use super::exporter::Exporter;
#[cfg(feature = "config")]
use super::file;
#[cfg(feature = "config")]
use super::mapping::Mapping;
use super::{OnError, OnSigterm, Traces};
use crate::dynamic::Stages;
use metercast_core::{ExemplarFilter, Value};

/// Puts a [`Config`](super::Config) together. Made by [`Config::builder`](super::Config::builder).
///
/// Nothing is read and nothing is checked before [`build`](Self::build).
///
/// ```
/// use metercast::config::{Config, Otlp, Prometheus};
///
/// let config = Config::builder()
///     .environment(false)
///     .service("orders", "1.4.2")
///     .exporter("central", Otlp::to("http://collector:4318").bearer("s3cret"))
///     .exporter("prometheus", Prometheus::listen("127.0.0.1:9464"))
///     .build()?;
/// let exporters: Vec<String> =
///     config.exporters().map(|(name, exporter)| format!("{name}: {exporter}")).collect();
/// assert_eq!(
///     exporters,
///     [
///         "central: otlp to http://collector:4318/v1/metrics every 60s",
///         "prometheus: prometheus on http://127.0.0.1:9464/metrics",
///     ]
/// );
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ConfigBuilder {
    service: Option<(String, String)>,
    #[cfg(feature = "config")]
    file: Option<file::Source>,
    #[cfg(feature = "config")]
    mapping: Option<Mapping>,
    #[cfg(feature = "yaml")]
    declarative: Option<PathBuf>,
    environment: Environment,
    #[cfg(feature = "config")]
    prefix: Option<String>,
    default_exporters: BTreeMap<String, Exporter>,
    exporters: BTreeMap<String, Exporter>,
    private: BTreeMap<String, Exporter>,
    unwanted: BTreeSet<String>,
    stages: Stages,
    resource: BTreeMap<String, Value>,
    enabled: Option<bool>,
    shutdown_timeout: Option<Duration>,
    on_sigterm: Option<OnSigterm>,
    on_error: Option<OnError>,
    self_metrics: Option<bool>,
    exemplars: Option<ExemplarFilter>,
    default_traces: Option<Traces>,
    traces: Option<Traces>,
    /// Whether the variables of OpenTelemetry are for traces, and for nothing else.
    for_traces_alone: bool,
}

#[derive(Debug, Clone)]
enum Environment {
    Process,
    /// None of the process, but those that a file names.
    Silent,
    Given(Variables),
}

impl ConfigBuilder {
    pub(super) fn new() -> Self {
        Self {
            service: None,
            #[cfg(feature = "config")]
            file: None,
            #[cfg(feature = "config")]
            mapping: None,
            #[cfg(feature = "yaml")]
            declarative: None,
            environment: Environment::Process,
            #[cfg(feature = "config")]
            prefix: None,
            default_exporters: BTreeMap::new(),
            exporters: BTreeMap::new(),
            private: BTreeMap::new(),
            unwanted: BTreeSet::new(),
            stages: Stages::default(),
            resource: BTreeMap::new(),
            enabled: None,
            shutdown_timeout: None,
            on_sigterm: None,
            on_error: None,
            self_metrics: None,
            exemplars: None,
            default_traces: None,
            traces: None,
            for_traces_alone: false,
        }
    }

    /// The program's own `service.name` and `service.version`. File and environment may replace them.
    pub fn service(mut self, name: &str, version: &str) -> Self {
        self.service = Some((name.to_owned(), version.to_owned()));
        self
    }

    /// Reads this file, which must exist: YAML if its name ends with `.yaml` or `.yml` (with the Cargo feature `yaml`), else
    /// TOML. One file is read: the last that was named. TOML may have 4 MiB, YAML 1 MiB, and both may
    /// include more.
    #[cfg(feature = "config")]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(file::Source::Path { path: path.into(), may_be_missing: false });
        self
    }

    /// Reads this file as [`file`](Self::file) does if there is one. A file that exists and cannot be read is an error all the same.
    #[cfg(feature = "config")]
    pub fn file_if_exists(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(file::Source::Path { path: path.into(), may_be_missing: true });
        self
    }

    /// Takes this text for the file's, for a program that reads its file itself. Errors call it `name`, and the name decides
    /// whether it is YAML or TOML, as with [`file`](Self::file).
    ///
    /// ```
    /// use metercast::config::Config;
    ///
    /// let error = Config::builder()
    ///     .environment(false)
    ///     .text("orders.toml", "[telemetry.exporters.central]\ntype = 'otlp'\nintervall = '10s'")
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!((error.problems()[0].file(), error.problems()[0].line()), (Some("orders.toml"), Some(3)));
    /// assert!(error.to_string().ends_with("; did you mean \"interval\"?"));
    /// ```
    #[cfg(feature = "config")]
    pub fn text(mut self, name: &str, text: &str) -> Self {
        self.file = Some(file::Source::Text { name: name.to_owned(), text: text.to_owned() });
        self
    }

    /// The file is another application's: its keys become ours by this mapping, and those of ours are not known in it. So are the
    /// variables with the [prefix](Self::env_prefix): behind it stand their keys from the table at the root on, as in
    /// `PJ_TELEMETRY__AUTH_TOKEN` of `telemetry.auth_token` with the prefix `PJ_TELEMETRY`. They stand in place of what the file
    /// says; there need not be a file.
    #[cfg(feature = "config")]
    pub fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = Some(mapping);
        self
    }

    /// Reads this declarative configuration of OpenTelemetry, schema 1.0 or 1.1, as if `OTEL_CONFIG_FILE` named it; if that
    /// is set, the file that it names is read instead.
    ///
    /// It stands above a file of [`file`](Self::file). No other `OTEL_*` variable counts beside it, but where the file refers
    /// to one by `${NAME}`.
    #[cfg(feature = "yaml")]
    pub fn declarative_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.declarative = Some(path.into());
        self
    }

    /// Whether the `OTEL_*` variables of the process count. They do unless it is said. A variable that a file refers to,
    /// as `${env:NAME}`, is read all the same.
    pub fn environment(mut self, reads: bool) -> Self {
        self.environment = if reads { Environment::Process } else { Environment::Silent };
        self
    }

    /// Reads the variables of the application's own that begin with this and two underscores: behind them stand the keys of a
    /// file from the table `telemetry` on, with two underscores between, in any case. They win over file and standard
    /// variables. `-` is `_` there, and `.` in the name of an attribute `__`; lists have commas, and an empty variable is unset.
    /// What only a file can give, such as views, is an error.
    ///
    /// ```
    /// use metercast::config::{Config, Otlp};
    ///
    /// let variables = [("SHOP_TELEMETRY__EXPORTERS__CENTRAL__INTERVAL".to_owned(), "5s".to_owned())];
    /// let config = Config::builder()
    ///     .variables(variables)
    ///     .env_prefix("SHOP_TELEMETRY")
    ///     .default_exporter("central", Otlp::to("http://collector:4318"))
    ///     .build()?;
    /// let shown = config.exporter("central").unwrap().to_string();
    /// assert_eq!(shown, "otlp to http://collector:4318/v1/metrics every 5s");
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    #[cfg(feature = "config")]
    pub fn env_prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Takes these variables for the environment's, also those that a file refers to, for tests and for programs that prepare them. The
    /// process's own do not count then.
    ///
    /// ```
    /// use metercast::config::Config;
    ///
    /// let variables = [("OTEL_SERVICE_NAME".to_owned(), "orders".to_owned())];
    /// let config = Config::builder().variables(variables).build()?;
    /// assert_eq!(config.resource().get("service.name").unwrap().to_string(), "orders");
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment = Environment::Given(variables.into_iter().collect());
        self
    }

    /// An exporter that the program has unless told otherwise: file and environment may replace each of its
    /// settings, and a file may switch it off. The standard `prometheus` exporter is no longer implied then.
    pub fn default_exporter(mut self, name: &str, exporter: impl Into<Exporter>) -> Self {
        self.private.remove(name);
        self.default_exporters.insert(name.to_owned(), exporter.into());
        self
    }

    /// An exporter that the program always has. The settings given here cannot be changed from outside, those
    /// left open can. The standard `prometheus` exporter is no longer implied then.
    ///
    /// A name has 1 to 64 of the characters `A-Z`, `a-z`, `0-9`, `_` and `-`; `prometheus`, `otlp` and `stdout`
    /// belong to exporters of these types.
    pub fn exporter(mut self, name: &str, exporter: impl Into<Exporter>) -> Self {
        self.unwanted.remove(name);
        self.private.remove(name);
        self.exporters.insert(name.to_owned(), exporter.into());
        self
    }

    /// An exporter of the program's own vendor, which the user's configuration does not reach: no file, no view and no
    /// variable changes it, also not those that name a proxy; what is left open here is the default. The user's hold on it
    /// is one switch, `enabled = false` in the file's table of this name; and if telemetry is off altogether, so is this.
    /// It does not count as an exporter that the program names: without others there is the standard `prometheus`.
    ///
    /// ```
    /// use metercast::config::{Config, Otlp};
    /// use metercast::view::{Filter, Visibilities};
    ///
    /// let vendor = Otlp::to("https://usage.example.com").filter(Filter::new().visibility(Visibilities::Private));
    /// let builder = Config::builder().environment(false).private_exporter("vendor", vendor);
    /// let config = builder.clone().build()?;
    /// assert!(config.is_private("vendor"));
    ///
    /// let config = builder.text("orders.toml", "[telemetry.exporters.vendor]\nenabled = false").build()?;
    /// assert!(config.exporter("vendor").is_none());
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    pub fn private_exporter(mut self, name: &str, exporter: impl Into<Exporter>) -> Self {
        self.unwanted.remove(name);
        self.exporters.remove(name);
        self.default_exporters.remove(name);
        self.private.insert(name.to_owned(), exporter.into());
        self
    }

    /// No exporter of this name, whoever asks for it. With `"otlp"` the program reserves the standard OTLP
    /// variables for something else, such as its traces.
    pub fn without_exporter(mut self, name: &str) -> Self {
        self.exporters.remove(name);
        self.private.remove(name);
        self.unwanted.insert(name.to_owned());
        self
    }

    /// What instruments can be [defined](crate::dynamic) for: the stages that the program's operations go through. Their default
    /// instruments are there unless a file says otherwise; and without any the table `instruments` is an error.
    pub fn stages(mut self, stages: &Stages) -> Self {
        self.stages = stages.clone();
        self
    }

    /// A resource attribute that wins over file and environment.
    pub fn resource_attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.resource.insert(key.to_owned(), value.into());
        self
    }

    /// Switches telemetry on or off, whatever file and environment say.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// How long the final flush may take, whatever the file says: up to a year, and more than nothing.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// What happens on SIGTERM, whatever the file says.
    pub fn on_sigterm(mut self, on_sigterm: OnSigterm) -> Self {
        self.on_sigterm = Some(on_sigterm);
        self
    }

    /// What happens if an exporter cannot start, whatever the file says.
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = Some(on_error);
        self
    }

    /// Whether what exporters measure of themselves is recorded, whatever the file says. It is unless it is said; without it
    /// two scrapes of an idle program are the same bytes.
    pub fn self_metrics(mut self, recorded: bool) -> Self {
        self.self_metrics = Some(recorded);
        self
    }

    /// Which measurements become exemplars, whatever file and environment say.
    pub fn exemplars(mut self, exemplars: ExemplarFilter) -> Self {
        self.exemplars = Some(exemplars);
        self
    }

    /// How traces are kept and pushed unless file or environment say otherwise. See [`Traces`].
    pub fn default_traces(mut self, traces: impl Into<Traces>) -> Self {
        self.default_traces = Some(traces.into());
        self
    }

    /// How traces are kept and pushed. The settings given here cannot be changed from outside, those left open can.
    pub fn traces(mut self, traces: impl Into<Traces>) -> Self {
        self.traces = Some(traces.into());
        self
    }

    /// Reserves the variables of OpenTelemetry for traces: beside those they say who reports, by `OTEL_SERVICE_NAME` and
    /// `OTEL_RESOURCE_ATTRIBUTES`, and change nothing about metrics, whatever they are. `OTEL_SDK_DISABLED` switches off traces alone, and
    /// `OTEL_CONFIG_FILE` has no effect.
    ///
    /// ```
    /// use metercast::config::Config;
    ///
    /// let variables = ["OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_METRICS_EXPORTER=none"];
    /// let variables = variables.map(|variable| variable.split_once('=').unwrap());
    /// let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    /// let config = Config::builder().variables(variables).environment_for_traces_alone().build()?;
    /// assert!(config.traces().is_some());
    /// let exporters: Vec<&str> = config.exporters().map(|(name, _)| name).collect();
    /// assert_eq!(exporters, ["prometheus"]);
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    pub fn environment_for_traces_alone(mut self) -> Self {
        self.for_traces_alone = true;
        self
    }
}
