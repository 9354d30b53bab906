//! The standard `OTEL_*` environment variables, and the application's own. Nothing else in the crate reads the environment.
//!
//! The rules are those of the OpenTelemetry specification, "Environment Variable Specification" and "OTLP
//! Exporter Configuration": an empty variable is unset, only `true` is true, a number or a word that cannot
//! be used is warned of and passed over.

mod http;
mod otlp;
#[cfg(feature = "config")]
pub(super) mod prefixed;
mod proxy;
mod resource;
mod stdout;
mod traces;

pub use http::known_http_methods;
#[cfg(feature = "yaml")]
pub(super) use resource::attribute_list;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::address::{self, Address};
use super::error::{Checked, Findings};
use super::exemplars;
use super::exporter::Kind;
use super::layer::Settings;
use super::place::{Given, Place};
use super::prometheus::PrometheusLayer;
use super::signal::Signal;
use super::suggest::one_of;

/// The variable that names a declarative file.
pub(super) const CONFIG_FILE: &str = "OTEL_CONFIG_FILE";

/// Environment variables by name. Prints the names only, as values may be secrets.
#[derive(Clone, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Whether a variable of this name is not the application's own.
pub(super) fn is_standard(name: &str) -> bool {
    name.starts_with("OTEL_") || proxy::NAMES.contains(&name)
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Variables {
    /// Those of this process that matter here; also those that begin with the prefix.
    pub(super) fn of_process(prefix: Option<&str>, findings: &mut Findings) -> Self {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let is_ours =
                |name: &&str| is_standard(name) || prefix.is_some_and(|prefix| name.starts_with(prefix));
            let Some(name) = name.to_str().filter(is_ours) else { continue };
            match value.into_string() {
                Ok(value) => _ = variables.insert(name.to_owned(), value),
                Err(_) => findings.warn(&Place::variable(name), "is not UTF-8; it is ignored"),
            }
        }
        Self(variables)
    }

    /// Those of these names.
    pub(super) fn only(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| is_wanted(name));
        self
    }

    /// A variable of this process, by which a file refers to it.
    #[cfg(feature = "config")]
    pub(super) fn named_in_process(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// The variable as it is.
    #[cfg(feature = "config")]
    pub(super) fn raw(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// The variable, unless it is empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// `OTEL_EXPORTER_OTLP_METRICS_...` or `..._TRACES_...` and then `OTEL_EXPORTER_OTLP_...`, which it replaces, each with its
    /// name; without those that are empty.
    fn for_signal(&self, signal: Signal, last: &str) -> impl Iterator<Item = (String, &str)> {
        [format!("OTEL_EXPORTER_OTLP_{}_{last}", signal.word()), format!("OTEL_EXPORTER_OTLP_{last}")]
            .into_iter()
            .filter_map(|name| self.get(&name).map(|value| (name.clone(), value)))
    }

    /// The variable with its name, unless it is empty.
    fn named(&self, name: &str) -> Option<(String, &str)> {
        self.get(name).map(|value| (name.to_owned(), value))
    }

    /// One of a few words, by the first variable that has one. Another is warned of, and then it is as if that variable
    /// were unset.
    fn word<'a, T>(
        &self,
        given: impl IntoIterator<Item = (String, &'a str)>,
        words: &[&str],
        named: fn(&str) -> Option<T>,
        findings: &mut Findings,
    ) -> Option<Given<T>> {
        given.into_iter().find_map(|(name, word)| {
            let place = Place::variable(&name);
            let Some(value) = named(word) else {
                findings.warn(&place, format_args!("{word:?} is not {}; it is ignored", one_of(words)));
                return None;
            };
            Some(Given { value, place })
        })
    }

    /// That telemetry is not enabled, if it is switched off altogether. Anything but `true` is silence, as `false` is what an
    /// unset variable says.
    pub(super) fn disabled(&self, findings: &mut Findings) -> Option<Given<bool>> {
        const NAME: &str = "OTEL_SDK_DISABLED";
        let disabled = truth(NAME, self.get(NAME)?, findings)?;
        disabled.value.then_some(Given { value: false, place: disabled.place })
    }

    /// The declarative file that is named, if one is.
    pub(super) fn config_file(&self) -> Option<&str> {
        self.get(CONFIG_FILE)
    }

    /// What is left of these variables where they are for traces alone: who reports, and the way to receivers.
    pub(super) fn for_traces_alone(&self) -> Self {
        let of_all = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"];
        self.clone().only(|name| !name.starts_with("OTEL_") || of_all.contains(&name))
    }

    /// What is left of these variables beside a declarative file: none of OpenTelemetry's.
    pub(super) fn beside_a_declarative_file(mut self) -> Self {
        self.0.retain(|name, _| !name.starts_with("OTEL_"));
        self
    }

    /// These variables, unless a declarative file is named, which this build does not read.
    #[cfg(not(feature = "yaml"))]
    pub(super) fn unless_declared(self, findings: &mut Findings) -> Self {
        let Some(file) = self.config_file() else { return self };
        let message = format!(
            "{file:?} is a declarative file of OpenTelemetry, which this build does not read; enable the feature \"yaml\" of \
             metercast, or unset the variable"
        );
        findings.problem(&Place::variable(CONFIG_FILE), message);
        self.beside_a_declarative_file()
    }

    /// Which measurements become exemplars.
    pub(super) fn exemplars(&self, findings: &mut Findings) -> Option<Given<crate::ExemplarFilter>> {
        let word = self.named("OTEL_METRICS_EXEMPLAR_FILTER")?;
        self.word(Some(word), &exemplars::NAMES, exemplars::named, findings)
    }

    /// The standard exporters that `OTEL_METRICS_EXPORTER` asks for, of which `console` is ours named `stdout`; `None` if it
    /// says nothing.
    pub(super) fn standard_exporters(&self, findings: &mut Findings) -> Option<Vec<Kind>> {
        const NAME: &str = "OTEL_METRICS_EXPORTER";
        let place = Place::variable(NAME);
        let words: Vec<String> = self
            .get(NAME)?
            .split(',')
            .map(|word| word.trim().to_ascii_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        let mut wanted = None;
        for word in &words {
            let kind = match word.as_str() {
                "otlp" => Some(Kind::Otlp),
                "prometheus" => Some(Kind::Prometheus),
                "console" => Some(Kind::Stdout),
                "none" if words.len() == 1 => None,
                "none" => {
                    findings.warn(&place, "\"none\" counts only alone; it is ignored");
                    continue;
                }
                _ => {
                    let known = one_of(&["otlp", "prometheus", "console", "none"]);
                    findings.warn(&place, format_args!("{word:?} is not {known}; it is ignored"));
                    continue;
                }
            };
            wanted.get_or_insert_with(Vec::new).extend(kind);
        }
        wanted
    }

    /// Whether a variable says where to push.
    pub(super) fn names_endpoint(&self, signal: Signal) -> bool {
        self.for_signal(signal, "ENDPOINT").next().is_some()
    }

    /// What the variables say about an exporter that they shape, given what the sources below said.
    pub(super) fn settings(&self, below: &Settings, findings: &mut Findings) -> Settings {
        match below {
            Settings::Prometheus(below) => Settings::Prometheus(self.prometheus(below, findings)),
            Settings::Otlp(below) => Settings::Otlp(self.otlp(Signal::Metrics, below, findings)),
            Settings::Pushgateway(below) => Settings::Pushgateway(self.pushgateway(below, findings)),
            Settings::Stdout(below) => Settings::Stdout(self.stdout(below, findings)),
            Settings::Custom(below) => Settings::Custom(self.custom(below, findings)),
        }
    }

    /// A number of milliseconds that passes the check. One that does not is warned of, and then it is as if
    /// the variable were unset: what the sources below said counts, or the default.
    fn milliseconds(
        &self,
        name: &str,
        below: Option<&Given<Duration>>,
        default: Duration,
        check: fn(Duration) -> Checked<Duration>,
        findings: &mut Findings,
    ) -> Option<Given<Duration>> {
        let text = self.get(name)?;
        // Unlike `parse`, this refuses `+5`.
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let instead = fallback(below.is_none(), below.map_or(default, |below| below.value).as_millis());
        let place = Place::variable(name);
        match number.map(|number| check(Duration::from_millis(number))) {
            Some(Ok(value)) => return Some(Given { value, place }),
            Some(Err(_)) if number == Some(0) => {
                findings.warn(&place, format_args!("0 is too short for an interval; using {instead}"));
            }
            Some(Err(_)) => {
                findings.warn(&place, format_args!("{text:?} is longer than a year; using {instead}"));
            }
            None => {
                findings
                    .warn(&place, format_args!("{text:?} is not a number of milliseconds; using {instead}"));
            }
        }
        None
    }

    fn prometheus(&self, below: &PrometheusLayer, findings: &mut Findings) -> PrometheusLayer {
        const HOST: &str = "OTEL_EXPORTER_PROMETHEUS_HOST";
        const PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";
        let Address { host, port } = below.address();
        let given_host =
            self.get(HOST).and_then(|text| findings.take(&Place::variable(HOST), address::host(text)));
        let given_port = self.get(PORT).and_then(|text| {
            let place = Place::variable(PORT);
            let number = address::parse_port(text).map(|value| Given { value, place: place.clone() });
            if number.is_none() {
                let instead = fallback(below.listen.is_none(), port);
                findings.warn(&place, format_args!("{text:?} is not a port; using {instead}"));
            }
            number
        });
        // The host may be one that a file refers to.
        let refers = below.listen.as_ref().filter(|_| given_host.is_none());
        let place = given_port
            .as_ref()
            .map(|port| &port.place)
            .or(given_host.as_ref().map(|host| &host.place))
            .cloned();
        let value = Address {
            host: given_host.map_or(host, |host| host.value),
            port: given_port.map_or(port, |port| port.value),
        };
        let place = place.map(|place| match refers {
            Some(listen) => place.hiding(&listen.place),
            None => place,
        });
        PrometheusLayer { listen: place.map(|place| Given { value, place }), ..PrometheusLayer::default() }
    }
}

/// Only `true` is true, in any case. What is neither that nor `false` is warned of.
fn truth(name: &str, value: &str, findings: &mut Findings) -> Option<Given<bool>> {
    let place = Place::variable(name);
    match value {
        _ if value.eq_ignore_ascii_case("true") => Some(Given { value: true, place }),
        _ if value.eq_ignore_ascii_case("false") => Some(Given { value: false, place }),
        _ => {
            let message = format_args!("{value:?} is neither \"true\" nor \"false\"; it is ignored");
            findings.warn(&place, message);
            None
        }
    }
}

/// The value that counts instead of a bad one.
fn fallback(is_default: bool, value: impl fmt::Display) -> String {
    if is_default { format!("the default, {value}") } else { format!("{value}") }
}
