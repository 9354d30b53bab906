//! A configuration file: the table `telemetry` and nothing else of it.

mod otlp;
mod pushgateway;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::address::Address;
use super::duration;
use super::error::{Findings, Given, Place};
use super::exemplars;
use super::exporter::{self, Kind};
use super::layer::{ExporterLayer, Layer, Settings};
use super::listener::ListenerLayer;
use super::page;
use super::prometheus::{self, PrometheusLayer};
use super::stdout::StdoutLayer;
use super::suggest::{nearest, one_of};
use super::syntax;
use super::tree::{Entries, Node, Value};
use super::{OnError, OnSigterm};
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
    /// What the file says.
    pub(super) fn read(&self, in_code: &InCode, findings: &mut Findings) -> Layer {
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
        let entries = syntax::parse(&name, &text, &file, findings);
        let mut reader = Reader { file, in_code, findings };
        reader.root(&entries)
    }
}

/// The exporters that code describes, and their types: a table that changes one of them need not repeat its type.
pub(super) struct InCode {
    pub(super) kinds: BTreeMap<String, Kind>,
    /// Those of a vendor, which a file can only switch off.
    pub(super) private: BTreeMap<String, Kind>,
}

/// Turns nodes into settings, and notes what does not fit.
struct Reader<'a> {
    file: Place,
    in_code: &'a InCode,
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
                "on_error" => {
                    layer.on_error = self.findings.word(&place, node, &OnError::NAMES, OnError::named);
                }
                "self_metrics" => layer.self_metrics = self.findings.truth(&place, node),
                "exemplars" => {
                    layer.exemplars = self.findings.word(&place, node, &exemplars::NAMES, exemplars::named);
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
                        "on_error",
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
        if let Some(kind) = self.in_code.private.get(name) {
            return Some(self.switch(at, *kind, entries));
        }
        let mut type_place = at.clone();
        let kind = match entries.iter().find(|(key, _)| key == "type") {
            Some((_, node)) => {
                type_place = at.child("type").on_line(node.line);
                self.findings.word(&type_place, node, &Kind::ALL.map(Kind::name), Kind::named)?
            }
            None => match Kind::named(name).or_else(|| self.in_code.kinds.get(name).copied()) {
                Some(kind) => kind,
                None => {
                    let types = one_of(&Kind::ALL.map(Kind::name));
                    self.findings.problem(&at.child("type"), format!("is missing; write {types}"));
                    return None;
                }
            },
        };
        self.findings.take(at, exporter::check_name(name, kind));
        let mut layer = ExporterLayer { type_place, ..ExporterLayer::silent(kind) };
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            match key.as_str() {
                "type" => {}
                "enabled" => {
                    layer.enabled = given(&place, self.findings.truth(&place, node));
                }
                "env" => layer.env = self.findings.truth(&place, node),
                _ => match &mut layer.settings {
                    Settings::Prometheus(prometheus) => self.prometheus(&place, key, node, prometheus),
                    Settings::Otlp(otlp) => self.otlp(&place, key, node, otlp),
                    Settings::Pushgateway(pushgateway) => self.pushgateway(&place, key, node, pushgateway),
                    Settings::Stdout(stdout) => self.stdout(&place, key, node, stdout),
                },
            }
        }
        if let Settings::Prometheus(prometheus) = &layer.settings {
            prometheus.page.check(at, self.findings);
        }
        if let Settings::Pushgateway(pushgateway) = &layer.settings {
            pushgateway.page.check(at, self.findings);
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

    /// All that a file may say about an exporter that belongs to the vendor of the program.
    fn switch(&mut self, at: &Place, kind: Kind, entries: &Entries) -> ExporterLayer {
        let mut layer = ExporterLayer::silent(kind);
        for (key, node) in entries {
            let place = at.child(key).on_line(node.line);
            if key == "enabled" {
                layer.enabled = given(&place, self.findings.truth(&place, node));
            } else {
                let message = "is not for a file to say: this exporter belongs to the program; \
                               enabled = false switches it off, and is all that can be said of it";
                self.findings.problem(&place, message);
            }
        }
        layer
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

    fn stdout(&mut self, at: &Place, key: &str, node: &Node, layer: &mut StdoutLayer) {
        match key {
            "interval" => layer.interval = self.findings.time(at, node, duration::interval),
            _ => self.findings.unknown(at, key, &["type", "enabled", "env", "interval"]),
        }
    }
}

/// A value with its place.
fn given<T>(place: &Place, value: Option<T>) -> Option<Given<T>> {
    value.map(|value| Given { value, place: place.clone() })
}
