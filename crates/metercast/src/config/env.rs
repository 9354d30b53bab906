//! The standard `OTEL_*` environment variables. Nothing else in the crate reads the environment.
//!
//! The rules are those of the OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter
//! Configuration": an empty variable is unset, only `true` is true, a number or a word that cannot be used is warned of
//! and passed over.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::address::{self, Address};
use super::duration;
use super::endpoint::Endpoint;
use super::error::{Checked, Findings, Given, Place};
use super::exporter::Kind;
use super::headers::{self, Headers};
use super::layer::Settings;
use super::otlp::{self, Compression, OtlpLayer};
use super::percent;
use super::prometheus::{self, PrometheusLayer};
use crate::resource::{ResourceValue, SDK_PREFIX};

/// Environment variables by name. Prints the names only, as values may be secrets.
#[derive(Clone, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Variables {
    /// Those of this process that matter here.
    pub(super) fn of_process(findings: &mut Findings) -> Self {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("OTEL_")) else { continue };
            match value.into_string() {
                Ok(value) => _ = variables.insert(name.to_owned(), value),
                Err(_) => findings.warn(&Place::named(name), "is not UTF-8; it is ignored"),
            }
        }
        Self(variables)
    }

    /// The variable, unless it is empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// `OTEL_EXPORTER_OTLP_METRICS_...`, which replaces `OTEL_EXPORTER_OTLP_...`, with the name of the one that is set.
    fn for_metrics(&self, last: &str) -> Option<(String, &str)> {
        [format!("OTEL_EXPORTER_OTLP_METRICS_{last}"), format!("OTEL_EXPORTER_OTLP_{last}")]
            .into_iter()
            .find_map(|name| self.get(&name).map(|value| (name.clone(), value)))
    }

    /// Whether telemetry is switched off altogether. Anything but `true` is silence, as `false` is what an unset
    /// variable says.
    pub(super) fn disabled(&self, findings: &mut Findings) -> bool {
        const NAME: &str = "OTEL_SDK_DISABLED";
        let Some(value) = self.get(NAME) else { return false };
        if value.eq_ignore_ascii_case("true") {
            return true;
        }
        if !value.eq_ignore_ascii_case("false") {
            findings.warn(&Place::named(NAME), format_args!("{value:?} is neither \"true\" nor \"false\"; it is ignored"));
        }
        false
    }

    /// Warns of what the program would otherwise pass over in silence.
    pub(super) fn warn_of_unread(&self, findings: &mut Findings) {
        const NAME: &str = "OTEL_CONFIG_FILE";
        if self.get(NAME).is_some() {
            findings.warn(&Place::named(NAME), "declarative files are not read; the other variables count");
        }
    }

    /// Attributes of the resource: `OTEL_RESOURCE_ATTRIBUTES`, and `OTEL_SERVICE_NAME` over it.
    pub(super) fn resource(&self, findings: &mut Findings) -> BTreeMap<String, ResourceValue> {
        const LIST: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let mut attributes = BTreeMap::new();
        match self.get(LIST).map_or_else(|| Ok(Vec::new()), attribute_list) {
            Ok(list) => {
                for (key, value) in list {
                    if key.starts_with(SDK_PREFIX) {
                        let message = format_args!("{key} describes metercast itself and cannot be set; it is ignored");
                        findings.warn(&Place::named(LIST), message);
                    } else {
                        attributes.insert(key, value.into());
                    }
                }
            }
            // Specification, "Resource SDK": on any error the entire value should be discarded.
            Err(message) => findings.warn(&Place::named(LIST), format_args!("{message}; the whole variable is ignored")),
        }
        if let Some(name) = self.get("OTEL_SERVICE_NAME") {
            attributes.insert("service.name".to_owned(), name.into());
        }
        attributes
    }

    /// The standard exporters that `OTEL_METRICS_EXPORTER` asks for; `None` if it says nothing.
    pub(super) fn standard_exporters(&self, findings: &mut Findings) -> Option<Vec<Kind>> {
        const NAME: &str = "OTEL_METRICS_EXPORTER";
        let place = Place::named(NAME);
        let words: Vec<String> = self
            .get(NAME)?
            .split(',')
            .map(|word| word.trim().to_ascii_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        let mut wanted = None;
        for word in &words {
            let kind = match (word.as_str(), Kind::named(word)) {
                (_, Some(kind)) => Some(kind),
                ("none", _) if words.len() > 1 => {
                    findings.warn(&place, "\"none\" counts only alone; it is ignored");
                    continue;
                }
                ("none", _) => None,
                ("console", _) => {
                    findings.warn(&place, "there is no \"console\" exporter yet; nothing is printed");
                    None
                }
                _ => {
                    let message = format_args!(
                        "{word:?} is none of \"otlp\", \"prometheus\" and \"none\"; it is ignored"
                    );
                    findings.warn(&place, message);
                    continue;
                }
            };
            wanted.get_or_insert_with(Vec::new).extend(kind);
        }
        wanted
    }

    /// Whether a variable says where to push metrics.
    pub(super) fn names_endpoint(&self) -> bool {
        self.for_metrics("ENDPOINT").is_some()
    }

    /// What the variables say about an exporter that they shape, given what the sources below said.
    pub(super) fn settings(&self, below: &Settings, findings: &mut Findings) -> Settings {
        match below {
            Settings::Prometheus(below) => Settings::Prometheus(self.prometheus(below, findings)),
            Settings::Otlp(below) => Settings::Otlp(self.otlp(below, findings)),
        }
    }

    fn prometheus(&self, below: &PrometheusLayer, findings: &mut Findings) -> PrometheusLayer {
        const HOST: &str = "OTEL_EXPORTER_PROMETHEUS_HOST";
        const PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";
        let Address { host, port } = below.address();
        let given_host = self.get(HOST).and_then(|text| findings.take(&Place::named(HOST), address::host(text)));
        let given_port = self.get(PORT).and_then(|text| {
            let place = Place::named(PORT);
            let number = address::parse_port(text).map(|value| Given { value, place: place.clone() });
            if number.is_none() {
                let instead = fallback(below.listen.is_none(), port);
                findings.warn(&place, format_args!("{text:?} is not a port; using {instead}"));
            }
            number
        });
        let place = given_port.as_ref().map(|port| &port.place).or(given_host.as_ref().map(|host| &host.place)).cloned();
        let value = Address {
            host: given_host.map_or(host, |host| host.value),
            port: given_port.map_or(port, |port| port.value),
        };
        PrometheusLayer { listen: place.map(|place| Given { value, place }), path: None }
    }

    fn otlp(&self, below: &OtlpLayer, findings: &mut Findings) -> OtlpLayer {
        self.protocol(findings);
        self.warn_of_unread_otlp(findings);
        OtlpLayer {
            endpoint: self.endpoint(findings),
            interval: self.milliseconds(
                "OTEL_METRIC_EXPORT_INTERVAL",
                below.interval,
                otlp::INTERVAL,
                duration::interval,
                findings,
            ),
            timeout: self.timeout(below, findings),
            compression: self.compression(findings),
            headers: self.headers(findings),
        }
    }

    fn endpoint(&self, findings: &mut Findings) -> Option<Given<Endpoint>> {
        let (name, url) = self.for_metrics("ENDPOINT")?;
        let endpoint = if name.contains("_METRICS_") { Endpoint::exact(url) } else { Endpoint::base(url) };
        findings.take(&Place::named(&name), endpoint)
    }

    fn headers(&self, findings: &mut Findings) -> Headers {
        let given = self.for_metrics("HEADERS");
        given
            .and_then(|(name, list)| findings.take(&Place::named(&name), headers::parse_list(list)))
            .map_or_else(Headers::default, |headers| headers.value)
    }

    fn compression(&self, findings: &mut Findings) -> Option<Compression> {
        let (name, word) = self.for_metrics("COMPRESSION")?;
        let compression = Compression::named(word);
        if compression.is_none() {
            findings
                .warn(&Place::named(&name), format_args!("{word:?} is neither \"gzip\" nor \"none\"; it is ignored"));
        }
        compression
    }

    /// `OTEL_EXPORTER_OTLP_TIMEOUT` bounds one push, and `OTEL_METRIC_EXPORT_TIMEOUT` what the periodic reader allows for
    /// it. Here a push has one limit, so the shorter of the two counts. The second has no default of its own: its 30
    /// seconds would silently cut a longer first one.
    fn timeout(&self, below: &OtlpLayer, findings: &mut Findings) -> Option<Duration> {
        let mut read = |name, below| self.milliseconds(name, below, otlp::TIMEOUT, duration::bounded, findings);
        let general = read("OTEL_EXPORTER_OTLP_TIMEOUT", below.timeout);
        let specific = read("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", general.or(below.timeout)).or(general);
        let push = specific.or(below.timeout).unwrap_or(otlp::TIMEOUT);
        let reader = self.milliseconds(
            "OTEL_METRIC_EXPORT_TIMEOUT",
            specific.or(below.timeout),
            otlp::TIMEOUT,
            duration::bounded,
            findings,
        );
        match reader {
            Some(reader) if !reader.is_zero() && (push.is_zero() || reader < push) => Some(reader),
            _ => specific,
        }
    }

    /// Warns of a protocol other than the one there is.
    fn protocol(&self, findings: &mut Findings) {
        let Some((name, word)) = self.for_metrics("PROTOCOL") else { return };
        let place = Place::named(&name);
        match word.to_ascii_lowercase().as_str() {
            "http/protobuf" => {}
            "grpc" | "http/json" => {
                let message = format_args!(
                    "{word:?} is not built in; using http/protobuf, which a collector takes on port 4318"
                );
                findings.warn(&place, message);
            }
            _ => findings.warn(&place, format_args!("{word:?} is not a protocol of OTLP; using http/protobuf")),
        }
    }

    /// Warns of a value that asks for another temporality or other buckets than are sent.
    fn warn_of_unread_otlp(&self, findings: &mut Findings) {
        let only = [
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative"),
            ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"),
        ];
        for (name, only) in only {
            if let Some(word) = self.get(name).filter(|word| !word.eq_ignore_ascii_case(only)) {
                findings.warn(&Place::named(name), format_args!("{word:?} is not built in; using {only}"));
            }
        }
    }

    /// A number of milliseconds that passes the check. One that does not is warned of, and then it is as if the
    /// variable were unset: what the sources below said counts, or the default.
    fn milliseconds(
        &self,
        name: &str,
        below: Option<Duration>,
        default: Duration,
        check: fn(Duration) -> Checked<Duration>,
        findings: &mut Findings,
    ) -> Option<Duration> {
        let text = self.get(name)?;
        // Unlike `parse`, this refuses `+5`.
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let instead = fallback(below.is_none(), below.unwrap_or(default).as_millis());
        let place = Place::named(name);
        match number.map(|number| check(Duration::from_millis(number))) {
            Some(Ok(duration)) => return Some(duration),
            Some(Err(_)) if number == Some(0) => {
                findings.warn(&place, format_args!("0 is too short for an interval; using {instead}"));
            }
            Some(Err(_)) => findings.warn(&place, format_args!("{text:?} is longer than a year; using {instead}")),
            None => {
                findings.warn(&place, format_args!("{text:?} is not a number of milliseconds; using {instead}"));
            }
        }
        None
    }
}

/// The value that counts instead of a bad one.
fn fallback(is_default: bool, value: impl fmt::Display) -> String {
    if is_default { format!("the default, {value}") } else { format!("{value}") }
}

/// Reads `key=value,key2=value2` with both percent-decoded.
fn attribute_list(list: &str) -> Checked<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let Some((key, value)) = entry.split_once('=') else { return Err(format!("{entry:?} has no \"=\"")) };
        let decode = |text: &str| percent::decode(text.trim()).map_err(|message| format!("{entry:?} {message}"));
        let (key, value) = (decode(key)?, decode(value)?);
        if key.is_empty() {
            return Err(format!("{entry:?} has no key before its \"=\""));
        }
        attributes.push((key, value));
    }
    Ok(attributes)
}
