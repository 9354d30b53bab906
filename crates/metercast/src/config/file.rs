//! A configuration file: the table `telemetry` and nothing else of it.

mod exporter;
mod load;
mod otlp;
mod pushgateway;
mod traces;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::duration;
use super::env::Variables;
use super::env::prefixed::check_prefix;
use super::error::Findings;
use super::exemplars;
use super::exporter::Kind;
use super::files::Files;
use super::instruments::InstrumentsReader;
use super::keys;
use super::layer::Layer;
use super::place::{Given, Place, given};
use super::suggest::nearest;
use super::tree::{Entries, Node, Value};
use super::{OnError, OnSigterm};
use crate::dynamic::Stages;
use crate::resource::SDK_PREFIX;
use load::Loader;
pub(super) use load::Mapped;

/// The one table that is ours; the others belong to the application.
pub(super) const ROOT: &str = "telemetry";

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
    /// What the file and those that it includes say. Notes which files and folders that depends on.
    pub(super) fn read(
        &self,
        known: &Known,
        mapping: Option<Mapped<'_>>,
        variable: &dyn Fn(&str) -> Option<String>,
        files: &mut Files,
        findings: &mut Findings,
    ) -> Layer {
        let mut loader = Loader::new(mapping, variable, files, findings);
        loader.load(self);
        let Loader { trees, .. } = loader;
        let mut known = known.clone();
        for tree in &trees {
            known.learn(&tree.entries);
        }
        let mut layer = Layer::default();
        for tree in trees {
            let mut above = self::layer(tree.file, &tree.entries, &known, findings);
            for name in &tree.exact {
                above.use_exactly(name);
            }
            layer = above.over(layer, findings);
        }
        layer.is_everything = mapping.is_some();
        layer.instruments.fill(variable);
        layer
    }
}

/// What the variables with this prefix say.
pub(super) fn variables(
    prefix: &str,
    variables: &Variables,
    known: &Known,
    findings: &mut Findings,
) -> Layer {
    if findings.take(&Place::named("env_prefix"), check_prefix(prefix)).is_none() {
        return Layer::default();
    }
    let exporters =
        known.kinds.iter().chain(&known.private).map(|(name, kind)| (name.clone(), *kind)).collect();
    let entries = variables.prefixed(prefix, &exporters, findings);
    let place = Place::variable(prefix);
    Reader { file: place.clone(), known, findings }.telemetry(&place, &entries)
}

/// What the entries of a file say.
pub(super) fn layer(file: Place, entries: &Entries, known: &Known, findings: &mut Findings) -> Layer {
    Reader { file, known, findings }.root(entries)
}

/// The exporters that code or another file describes, and their types: a table that changes one of them need not repeat its
/// type.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) kinds: BTreeMap<String, Kind>,
    /// Those of a vendor, which a file can only switch off.
    pub(super) private: BTreeMap<String, Kind>,
    /// What instruments can be defined for.
    pub(super) stages: Stages,
}

impl Known {
    /// Notes the types of the exporters in this file, unless they are known.
    fn learn(&mut self, entries: &Entries) {
        fn table<'n>(entries: &'n Entries, key: &str) -> Option<&'n Entries> {
            match &entries.iter().find(|(known, _)| known == key)?.1.value {
                Value::Table(entries) => Some(entries),
                _ => None,
            }
        }
        let exporters = table(entries, ROOT).and_then(|entries| table(entries, "exporters"));
        for (name, _) in exporters.unwrap_or_default() {
            let settings = exporters.and_then(|exporters| table(exporters, name)).unwrap_or_default();
            if let Some((_, Node { value: Value::String(kind), .. })) =
                settings.iter().find(|(key, _)| key == "type")
                && let Some(kind) = Kind::named(kind)
            {
                self.kinds.entry(name.clone()).or_insert(kind);
            }
        }
    }
}

/// Turns nodes into settings, and notes what does not fit.
struct Reader<'a> {
    file: Place,
    known: &'a Known,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn root(&mut self, entries: &Entries) -> Layer {
        if let Some((_, node)) = entries.iter().find(|(key, _)| key == ROOT) {
            let place = self.file.child(ROOT).of(node);
            let expected = "a table, [telemetry]";
            return self
                .findings
                .table(&place, node, expected)
                .map(|table| self.telemetry(&place, table))
                .unwrap_or_default();
        }
        // The other tables belong to the application, so this may be none of our business.
        if let Some((key, node)) = entries.iter().find(|(key, _)| nearest(key, &[ROOT]).is_some()) {
            let place = self.file.child(key).of(node);
            self.findings
                .warn(&place, "there is no table \"telemetry\" in this file; is it meant by this one?");
        }
        for (key, node) in entries {
            let is_ours = match key.as_str() {
                "exporters" | "traces" => true,
                // Without stages nobody means ours.
                "instruments" => self.known.stages.each().next().is_some(),
                _ => false,
            };
            if is_ours && matches!(node.value, Value::Table(_)) {
                let place = self.file.child(key).of(node);
                let message = format!(
                    "there is no table \"telemetry\" in this file, so this one does nothing here; write {ROOT}.{key} if it is for \
                     metercast"
                );
                self.findings.warn(&place, message);
            }
        }
        Layer::default()
    }

    fn telemetry(&mut self, at: &Place, entries: &Entries) -> Layer {
        let mut layer = Layer::default();
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[keys::TELEMETRY]) {
                continue;
            }
            match key.as_str() {
                "enabled" => layer.enabled = given(&place, self.findings.truth(&place, node)),
                "shutdown_timeout" => {
                    let timeout = self.findings.time(&place, node, duration::deadline);
                    layer.shutdown_timeout = given(&place, timeout);
                }
                "on_sigterm" => {
                    let word = self.findings.word(&place, node, &OnSigterm::NAMES, OnSigterm::named);
                    layer.on_sigterm = given(&place, word);
                }
                "on_error" => {
                    let word = self.findings.word(&place, node, &OnError::NAMES, OnError::named);
                    layer.on_error = given(&place, word);
                }
                "self_metrics" => layer.self_metrics = given(&place, self.findings.truth(&place, node)),
                "exemplars" => {
                    let word = self.findings.word(&place, node, &exemplars::NAMES, exemplars::named);
                    layer.exemplars = given(&place, word);
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
                "traces" => {
                    if let Some(table) = self.findings.table(&place, node, "a table of settings") {
                        layer.traces = self.traces(&place, table);
                    }
                }
                "instruments" => {
                    let mut reader =
                        InstrumentsReader { stages: &self.known.stages, findings: self.findings };
                    layer.instruments = reader.read(&place, node);
                }
                _ => _ = self.projection(&place, key, node, &mut layer.projection),
            }
        }
        layer
    }

    /// Attributes, as `"service.name" = "x"` or, without quotes, as the nested tables that TOML then makes of
    /// it.
    fn resource(&mut self, at: &Place, prefix: &str, entries: &Entries, layer: &mut Layer) {
        for (key, node) in entries {
            let place = at.child(key).of(node);
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
            } else if layer.resource.insert(full.clone(), Given::new(value, &place)).is_some() {
                self.findings.problem(&place, format!("gives {full:?} a second time; keep one of them"));
            }
        }
    }
}
