//! Reads file and environment, and puts everything together.

use std::collections::BTreeMap;
#[cfg(feature = "yaml")]
use std::path::PathBuf;

use super::{ConfigBuilder, Environment};
#[cfg(feature = "yaml")]
use crate::config::declarative;
use crate::config::duration;
#[cfg(feature = "yaml")]
use crate::config::env::CONFIG_FILE;
use crate::config::env::Variables;
use crate::config::error::Findings;
#[cfg(feature = "config")]
use crate::config::file::{self, Known};
use crate::config::files::Files;
#[cfg(feature = "config")]
use crate::config::layer::ExporterLayer;
use crate::config::layer::Layer;
use crate::config::place::{Given, Place};
use crate::config::resolve::Sources;
use crate::config::{Config, ConfigError};

impl ConfigBuilder {
    /// Reads file and environment, checks everything, and lays the sources over each other.
    ///
    /// # Errors
    ///
    /// Returns every problem of every source at once, each with its place and its mend. What only an
    /// environment variable's number or word is wrong about is a warning instead; and so is every problem if
    /// telemetry is disabled.
    pub fn build(self) -> Result<Config, ConfigError> {
        self.build_of(Files::default())
    }

    /// [Builds](Self::build), and notes the files in `files`.
    pub(in crate::config) fn build_of(
        self,
        #[cfg_attr(not(feature = "config"), allow(unused_mut, reason = "there are none"))] mut files: Files,
    ) -> Result<Config, ConfigError> {
        let builder = Box::new(self.clone());
        let mut findings = Findings::default();
        let mut defaults = Layer::default();
        if let Some((name, version)) = self.service {
            let place = Place::named("telemetry.resource").by_default();
            for (key, value) in [("service.name", name), ("service.version", version)] {
                defaults.resource.insert(key.to_owned(), Given::new(value.into(), &place));
            }
        }
        for (name, exporter) in self.default_exporters {
            let exporter = exporter.into_layer(&name, Place::exporter(&name).by_default(), &mut findings);
            defaults.exporters.insert(name, exporter);
        }

        let place = Place::named("telemetry.traces");
        if let Some(traces) = self.default_traces {
            defaults.traces = traces.into_layer(&place.clone().by_default(), &mut findings);
        }

        fn pinned<T>(value: Option<T>, key: &str) -> Option<Given<T>> {
            value.map(|value| Given::new(value, &Place::named("telemetry").child(key)))
        }
        let at = Place::named("telemetry.shutdown_timeout");
        let shutdown_timeout =
            self.shutdown_timeout.and_then(|timeout| findings.take(&at, duration::deadline(timeout)));
        let mut pinned = Layer {
            enabled: pinned(self.enabled, "enabled"),
            shutdown_timeout,
            on_sigterm: pinned(self.on_sigterm, "on_sigterm"),
            on_error: pinned(self.on_error, "on_error"),
            self_metrics: pinned(self.self_metrics, "self_metrics"),
            exemplars: pinned(self.exemplars, "exemplars"),
            resource: self
                .resource
                .into_iter()
                .map(|(key, value)| (key, Given::new(value, &Place::named("telemetry.resource"))))
                .collect(),
            ..Layer::default()
        };
        for (name, exporter) in self.exporters {
            let exporter = exporter.into_layer(&name, Place::exporter(&name), &mut findings);
            pinned.exporters.insert(name, exporter);
        }
        if let Some(traces) = self.traces {
            pinned.traces = traces.into_layer(&place, &mut findings);
        }
        let mut private = BTreeMap::new();
        for (name, exporter) in self.private {
            let exporter = exporter.into_layer(&name, Place::exporter(&name), &mut findings);
            private.insert(name, exporter);
        }

        #[cfg(feature = "config")]
        let prefix = self.prefix.as_deref();
        #[cfg(not(feature = "config"))]
        let prefix = None;
        let environment = match &self.environment {
            Environment::Process => Variables::of_process(prefix, &mut findings),
            // The application's own are none of OpenTelemetry's.
            Environment::Silent => Variables::of_process(prefix, &mut Findings::default())
                .only(|name| prefix.is_some_and(|prefix| name.starts_with(prefix))),
            Environment::Given(variables) => variables.clone(),
        };

        let (environment, of_traces) = match self.for_traces_alone {
            true => (environment.for_traces_alone(), Some(environment)),
            false => (environment, None),
        };

        #[cfg(feature = "config")]
        let named = |exporters: &BTreeMap<String, ExporterLayer>| {
            exporters.iter().map(|(name, layer)| (name.clone(), layer.kind())).collect::<Vec<_>>()
        };
        #[cfg(feature = "config")]
        let mut known = Known {
            kinds: [&defaults.exporters, &pinned.exporters].into_iter().flat_map(named).collect(),
            private: named(&private).into_iter().collect(),
            stages: self.stages.clone(),
        };
        #[cfg(feature = "config")]
        let variable = |name: &str| match &self.environment {
            Environment::Process | Environment::Silent => Variables::named_in_process(name),
            Environment::Given(variables) => variables.raw(name),
        };
        #[cfg(feature = "config")]
        let file = match (&self.mapping, &self.file) {
            (Some(mapping), file) => {
                let variables = prefix.map(|prefix| environment.with_prefix(prefix)).unwrap_or_default();
                let nothing = file::Source::Text { name: String::new(), text: String::new() };
                let file = file.as_ref().unwrap_or(&nothing);
                file.read(&known, Some((mapping, &variables)), &variable, &mut files, &mut findings)
            }
            (None, Some(file)) => file.read(&known, None, &variable, &mut files, &mut findings),
            (None, None) => Default::default(),
        };
        #[cfg(not(feature = "config"))]
        let file = Layer::default();

        #[cfg(feature = "yaml")]
        let (file, environment) = {
            let named =
                environment.config_file().map(|path| (PathBuf::from(path), Place::variable(CONFIG_FILE)));
            let of_code =
                self.declarative.map(|path| (path.clone(), Place::file(&path.display().to_string())));
            match named.or(of_code) {
                Some((path, place)) => {
                    let declared =
                        declarative::read(&path, &place, &variable, &known, &mut files, &mut findings);
                    (declared.over(file, &mut findings), environment.beside_a_declarative_file())
                }
                None => (file, environment),
            }
        };
        #[cfg(not(feature = "yaml"))]
        let environment = environment.unless_declared(&mut findings);

        #[cfg(feature = "config")]
        let prefixed = {
            known.kinds.extend(named(&file.exporters));
            prefix
                .filter(|_| self.mapping.is_none())
                .map(|prefix| file::variables(prefix, &environment, &known, &mut findings))
                .unwrap_or_default()
        };
        #[cfg(not(feature = "config"))]
        let prefixed = Layer::default();

        let (unwanted, stages) = (self.unwanted, self.stages);
        let of_traces = of_traces.unwrap_or_else(|| environment.clone());
        Sources { defaults, file, environment, of_traces, prefixed, pinned, private, unwanted, stages }
            .resolve(builder, files, findings)
    }
}
