//! A configuration file: the table `telemetry` and nothing else of it.

use std::io;
use std::path::PathBuf;

use super::OnSigterm;
use super::address::Address;
use super::duration;
use super::error::{Findings, Given, Place};
use super::exemplars::ExemplarFilter;
use super::exporter::{self, Kind};
use super::headers;
use super::layer::{ExporterLayer, Layer, Settings};
use super::listener::ListenerLayer;
use super::otlp::{
    self, Auth, Compression, HistogramAggregation, OtlpLayer, Preset, Protocol, TemporalityPreference,
    TlsLayer,
};
use super::page;
use super::prometheus::{self, PrometheusLayer};
use super::proxy::Proxy;
use super::stdout::StdoutLayer;
use super::suggest::{nearest, one_of};
use super::toml;
use super::tree::{Entries, Node, Value};
use super::url::Url;
use crate::resource::SDK_PREFIX;

/// The one table that is ours; the others belong to the application.
const ROOT: &str = "telemetry";

/// Where the text of a file comes from. Prints without the text, which may hold secrets.
#[derive(Clone)]
pub(super) enum Source {
    Path { path: PathBuf, may_be_missing: bool },
    Text { name: String, text: String },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path { path, .. } => write!(f, "{path:?}"),
            Self::Text { name, .. } => write!(f, "{name:?}"),
        }
    }
}

impl Source {
    /// What the file says. `kind_of` knows the types of the exporters that code describes, for a table that
    /// changes one of them need not repeat its type.
    pub(super) fn read(&self, kind_of: impl Fn(&str) -> Option<Kind>, findings: &mut Findings) -> Layer {
        let (name, text) = match self {
            Self::Text { name, text } => (name.clone(), text.clone()),
            Self::Path { path, may_be_missing } => {
                let name = path.display().to_string();
                match std::fs::read_to_string(path) {
                    Ok(text) => (name, text),
                    Err(error) if *may_be_missing && error.kind() == io::ErrorKind::NotFound => {
                        return Layer::default();
                    }
                    Err(error) => {
                        let mend = if error.kind() == io::ErrorKind::NotFound { "; create it" } else { "" };
                        findings.unreadable(
                            &Place::file(&name),
                            format!("cannot be read: {error}{mend}"),
                            error,
                        );
                        return Layer::default();
                    }
                }
            }
        };
        let file = Place::file(&name);
        let entries = toml::parse(&text, &file, findings);
        let mut reader = Reader { file, kind_of: &kind_of, findings };
        reader.root(&entries)
    }
}

/// Turns nodes into settings, and notes what does not fit.
struct Reader<'a> {
    file: Place,
    kind_of: &'a dyn Fn(&str) -> Option<Kind>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn root(&mut self, entries: &Entries) -> Layer {
        if let Some((_, node)) = entries.iter().find(|(key, _)| key == ROOT) {
            let place = self.file.child(ROOT).on_line(node.line);
            let expected = "a table, [telemetry]";
            return self
                .findings
                .table(&place, node, expected)
                .map(|table| self.telemetry(&place, table))
                .unwrap_or_default();
        }
        // The other tables belong to the application, so this may be none of our business.
        if let Some((key, node)) = entries.iter().find(|(key, _)| nearest(key, &[ROOT]).is_some()) {
            let place = self.file.child(key).on_line(node.line);
            self.findings
                .warn(&place, "there is no table \"telemetry\" in this file; is it meant by this one?");
        }
        Layer::default()
    }

    fn telemetry(&mut self, at: &Place, entries: &Entries) -> Layer {
        let mut layer = Layer::default();
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            match key.as_str() {
                "enabled" => layer.enabled = self.findings.truth(&place, node),
                "shutdown_timeout" => {
                    layer.shutdown_timeout = self.findings.time(&place, node, duration::deadline);
                }
                "on_sigterm" => {
                    layer.on_sigterm = self.findings.word(&place, node, &OnSigterm::NAMES, OnSigterm::named);
                }
                "self_metrics" => layer.self_metrics = self.findings.truth(&place, node),
                "exemplars" => {
                    let names = &ExemplarFilter::NAMES;
                    layer.exemplars = self.findings.word(&place, node, names, ExemplarFilter::named);
                }
                "resource" => {
                    if let Some(table) = self.findings.table(&place, node, "a table of attributes") {
                        self.resource(&place, "", table, &mut layer);
                    }
                }
                "exporters" => {
                    if let Some(table) = self.findings.table(&place, node, "a table of exporters by name") {
                        self.exporters(&place, table, &mut layer);
                    }
                }
                _ => {
                    let known = [
                        "enabled",
                        "shutdown_timeout",
                        "on_sigterm",
                        "self_metrics",
                        "exemplars",
                        "resource",
                        "exporters",
                    ];
                    self.findings.unknown(&place, key, &known);
                }
            }
        }
        layer
    }

    /// Attributes, as `"service.name" = "x"` or, without quotes, as the nested tables that TOML then makes of
    /// it.
    fn resource(&mut self, at: &Place, prefix: &str, entries: &Entries, layer: &mut Layer) {
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            let full = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            let value = match &node.value {
                Value::String(text) => text.clone().into(),
                Value::Bool(truth) => (*truth).into(),
                Value::Integer(number) => (*number).into(),
                Value::Float(number) => (*number).into(),
                Value::Table(table) => {
                    self.resource(&place, &full, table, layer);
                    continue;
                }
                other @ (Value::List(_) | Value::Other(_)) => {
                    self.findings.mistyped::<()>(&place, "a string, a boolean, an integer or a float", other);
                    continue;
                }
            };
            if full.is_empty() {
                self.findings.problem(&place, "is an attribute without a key; give it one");
            } else if full.starts_with(SDK_PREFIX) {
                self.findings.problem(&place, "describes metercast itself and cannot be set; leave it out");
            } else if layer.resource.insert(full.clone(), value).is_some() {
                self.findings.problem(&place, format!("gives {full:?} a second time; keep one of them"));
            }
        }
    }

    fn exporters(&mut self, at: &Place, entries: &Entries, layer: &mut Layer) {
        for (name, node) in entries {
            let place = at.child(name).on_line(node.line);
            let Some(table) = self.findings.table(&place, node, "a table of settings") else { continue };
            if let Some(exporter) = self.exporter(&place, name, table) {
                layer.exporters.insert(name.clone(), exporter);
            }
        }
    }

    fn exporter(&mut self, at: &Place, name: &str, entries: &Entries) -> Option<ExporterLayer> {
        let mut type_place = at.clone();
        let kind = match entries.iter().find(|(key, _)| key == "type") {
            Some((_, node)) => {
                type_place = at.child("type").on_line(node.line);
                self.findings.word(&type_place, node, &Kind::ALL.map(Kind::name), Kind::named)?
            }
            None => match Kind::named(name).or_else(|| (self.kind_of)(name)) {
                Some(kind) => kind,
                None => {
                    let types = one_of(&Kind::ALL.map(Kind::name));
                    self.findings.problem(&at.child("type"), format!("is missing; write {types}"));
                    return None;
                }
            },
        };
        self.findings.take(at, exporter::check_name(name, kind));
        let mut layer =
            ExporterLayer { type_place, enabled: None, env: None, settings: Settings::silent(kind) };
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            match key.as_str() {
                "type" => {}
                "enabled" => {
                    layer.enabled =
                        self.findings.truth(&place, node).map(|value| Given { value, place: place.clone() });
                }
                "env" => layer.env = self.findings.truth(&place, node),
                _ => match &mut layer.settings {
                    Settings::Prometheus(prometheus) => self.prometheus(&place, key, node, prometheus),
                    Settings::Otlp(otlp) => self.otlp(&place, key, node, otlp),
                    Settings::Stdout(stdout) => self.stdout(&place, key, node, stdout),
                },
            }
        }
        if let Settings::Prometheus(prometheus) = &layer.settings {
            prometheus.page.check(at, self.findings);
        }
        if let Settings::Otlp(otlp) = &mut layer.settings {
            // After the headers, wherever it stands, so that the two can be compared.
            if let Some((_, node)) = entries.iter().find(|(key, _)| key == "auth") {
                let place = at.child("auth").on_line(node.line);
                if let Some(auth) = self.auth(&place, node) {
                    otlp.authorize(auth, &place, self.findings);
                }
            }
        }
        Some(layer)
    }

    fn prometheus(&mut self, at: &Place, key: &str, node: &Node, layer: &mut PrometheusLayer) {
        match key {
            "listen" => {
                let text = self.findings.string(at, node, "\"127.0.0.1:9464\"");
                layer.listen = text.and_then(|text| self.findings.take(at, Address::to_listen(text)));
            }
            "path" => {
                let text = self.findings.string(at, node, "\"/metrics\"");
                layer.path = text.and_then(|text| self.findings.checked(at, prometheus::check_path(text)));
            }
            _ if ListenerLayer::KEYS.contains(&key) => layer.listener.take(at, key, node, self.findings),
            _ if layer.page.read(at, key, node, self.findings) => {}
            _ => {
                let known = ["type", "enabled", "env", "listen", "path"];
                let known = [&known[..], &ListenerLayer::KEYS, &page::KEYS].concat();
                self.findings.unknown(at, key, &known);
            }
        }
    }

    fn otlp(&mut self, at: &Place, key: &str, node: &Node, layer: &mut OtlpLayer) {
        match key {
            "endpoint" => {
                let text = self.findings.string(at, node, "\"http://localhost:4318\"");
                layer.endpoint = text.and_then(|text| self.findings.take(at, Url::base(text)));
            }
            "protocol" => {
                let protocol = self.findings.word(at, node, &Protocol::NAMES, Protocol::named);
                layer.protocol = given(at, protocol);
            }
            "preset" => {
                layer.preset = self.findings.word(at, node, &Preset::names(), Preset::named);
            }
            "dataset" => {
                let text = self.findings.string(at, node, "\"metrics\"");
                layer.dataset = text.and_then(|text| self.findings.take(at, headers::check_value(text)));
            }
            "insecure" => layer.insecure = self.findings.truth(at, node),
            "interval" => layer.interval = self.findings.time(at, node, duration::interval),
            "timeout" => layer.timeout = self.findings.time(at, node, duration::bounded),
            "compression" => {
                let compression = self.findings.word(at, node, &Compression::NAMES, Compression::named);
                layer.compression = given(at, compression);
            }
            "tls" => self.tls(at, node, &mut layer.tls),
            "proxy" => {
                let text = self.findings.string(at, node, "\"http://proxy:3128\"");
                layer.proxy = text.and_then(|text| self.findings.take(at, Proxy::parse(text)));
            }
            "temporality" => {
                let names = &TemporalityPreference::NAMES;
                let temporality = self.findings.word(at, node, names, TemporalityPreference::named);
                layer.temporality = given(at, temporality);
            }
            "histograms" => {
                let names = &HistogramAggregation::NAMES;
                layer.histograms = self.findings.word(at, node, names, HistogramAggregation::named);
            }
            "headers" => {
                let Some(table) = self.findings.table(at, node, "a table such as { \"x-scope\" = \"a\" }")
                else {
                    return;
                };
                for (name, node) in table {
                    // The name is left to the check: a wrong one may have swallowed the value.
                    let at = at.on_line(node.line);
                    let Some(value) = self.findings.string(&at, node, "\"a\" for each header") else {
                        continue;
                    };
                    if let Some((name, value)) = self.findings.checked(&at, otlp::check_header(name, value)) {
                        layer.headers.set(name, value);
                    }
                }
            }
            "auth" => {}
            _ => {
                let known = [
                    "type",
                    "enabled",
                    "env",
                    "preset",
                    "endpoint",
                    "protocol",
                    "insecure",
                    "interval",
                    "timeout",
                    "compression",
                    "tls",
                    "proxy",
                    "temporality",
                    "histograms",
                    "auth",
                    "dataset",
                    "headers",
                ];
                self.findings.unknown(at, key, &known);
            }
        }
    }

    fn stdout(&mut self, at: &Place, key: &str, node: &Node, layer: &mut StdoutLayer) {
        match key {
            "interval" => layer.interval = self.findings.time(at, node, duration::interval),
            _ => self.findings.unknown(at, key, &["type", "enabled", "env", "interval"]),
        }
    }

    fn tls(&mut self, at: &Place, node: &Node, layer: &mut TlsLayer) {
        let Some(entries) = self.findings.table(at, node, "a table such as { ca = \"/etc/ssl/ca.pem\" }")
        else {
            return;
        };
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            let file = match key.as_str() {
                "ca" => &mut layer.ca,
                "client_certificate" => &mut layer.client_certificate,
                "client_key" => &mut layer.client_key,
                _ => {
                    self.findings.unknown(&place, key, &["ca", "client_certificate", "client_key"]);
                    continue;
                }
            };
            let path = self.findings.string(&place, node, "\"/etc/ssl/ca.pem\"");
            *file = given(&place, path.map(PathBuf::from));
        }
    }

    fn auth(&mut self, at: &Place, node: &Node) -> Option<Auth> {
        const EITHER: &str = "{ bearer = \"token\" }, { basic = { user = \"name\", password = \"word\" } } or, with a preset, { token = \"key\" }";
        let entries = self.findings.table(at, node, EITHER)?;
        let [(key, node)] = entries else {
            if entries.is_empty() {
                return self.findings.mistyped(at, EITHER, &node.value);
            }
            self.findings.problem(at, format!("has {} keys; keep one, {EITHER}", entries.len()));
            return None;
        };
        let place = at.child(key).on_line(node.line);
        match key.as_str() {
            "bearer" => self.findings.string(&place, node, "\"token\"").map(Auth::bearer),
            "basic" => self.basic(&place, node),
            "token" => self.findings.string(&place, node, "\"key\"").map(Auth::token),
            _ => {
                self.findings.unknown(&place, key, &["bearer", "basic", "token"]);
                None
            }
        }
    }

    fn basic(&mut self, at: &Place, node: &Node) -> Option<Auth> {
        let (mut user, mut password) = (None, None);
        let entries = self.findings.table(at, node, "{ user = \"name\", password = \"word\" }")?;
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            match key.as_str() {
                "user" => user = Some(self.findings.string(&place, node, "\"name\"")?),
                "password" => password = Some(self.findings.string(&place, node, "\"word\"")?),
                _ => self.findings.unknown(&place, key, &["user", "password"]),
            }
        }
        for (key, value) in [("user", user), ("password", password)] {
            if value.is_none() {
                self.findings.problem(&at.child(key), "is missing; basic auth needs a user and a password");
            }
        }
        Some(Auth::basic(user?, password?))
    }
}

/// A value with its place.
fn given<T>(place: &Place, value: Option<T>) -> Option<Given<T>> {
    value.map(|value| Given { value, place: place.clone() })
}
