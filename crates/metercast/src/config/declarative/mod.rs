//! The declarative configuration of OpenTelemetry: the file that `OTEL_CONFIG_FILE` names, schema 1.0 and 1.1.
//!
//! What it says is written down as a file of ours would say it ([`Translation`](super::translation::Translation)) and read as
//! such; only what our files have no key for is put into the layer by itself. Each part refuses what it does not know, and
//! what the schema knows and metercast does not do, with the reason.

mod attributes;
mod distribution;
mod meters;
mod otlp;
mod prometheus;
mod readers;
mod section;
mod substitute;
mod tracer;
mod views;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::error::Findings;

use super::file::{self, Known};
use super::files::Files;
use super::layer::{Layer, Settings};
use super::place::{Given, Place};
use super::projection::ProjectionLayer;
use super::read;
use super::suggest::{nearest, one_of};
use super::translation::Translation;
use super::tree::Value;
use super::url::Url;
use super::yaml;
use crate::view::Rule;
use section::{Field, Section};

/// The versions of the schema that are read.
const VERSIONS: [&str; 2] = ["1.0", "1.1"];

/// Keys of the root that are about something else than metrics and traces.
const OF_OTHERS: [&str; 3] = ["logger_provider", "propagator", "instrumentation/development"];

/// The name of the exporter of traces among those of readers, which have no such names.
const TRACES: &str = "/traces";

/// What the file says. `place` is where the file is named, for errors of it.
pub(super) fn read(
    path: &Path,
    place: &Place,
    variable: &dyn Fn(&str) -> Option<String>,
    known: &Known,
    files: &mut Files,
    findings: &mut Findings,
) -> Layer {
    let name = path.display().to_string();
    let text = match files.read(path, yaml::MOST_BYTES as u64) {
        Ok(text) => text,
        Err(error) => {
            // It includes nothing.
            let mend = match error.kind() {
                io::ErrorKind::FileTooLarge => "; write less",
                _ => read::mend(&error),
            };
            findings.unreadable(place, format!("{name:?} cannot be read: {error}{mend}"), error);
            return Layer::default();
        }
    };
    let file = Place::file(&name);
    let before = findings.problems();
    let mut fill = |text: &str| substitute::substitute(text, variable);
    let entries = yaml::parse_with(&text, &file, &mut fill, findings);
    if findings.problems() > before {
        return Layer::default();
    }
    let mut reader = Reader {
        findings,
        ours: Translation::default(),
        extras: Vec::new(),
        counted: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        request_limits: BTreeMap::new(),
        projections: BTreeMap::new(),
    };
    reader.root(Section::new(file.clone(), &entries));
    reader.into_layer(file, known)
}

/// Turns the file's nodes into ours.
struct Reader<'a, 'n> {
    findings: &'a mut Findings,
    ours: Translation,
    /// What `distribution.metercast` says of single readers.
    extras: Vec<distribution::Extra<'n>>,
    /// How many readers there are of each type.
    counted: BTreeMap<&'static str, usize>,
    /// What our files have no key for, by the reader's name: a URL that is used as it is,
    endpoints: BTreeMap<String, Given<Url>>,
    /// the most bytes of a request,
    request_limits: BTreeMap<String, Given<usize>>,
    /// and views that do not know of each other.
    projections: BTreeMap<String, ProjectionLayer>,
}

impl<'n> Reader<'_, 'n> {
    fn root(&mut self, mut root: Section<'n>) {
        self.version(&mut root);
        if let Some(field) = root.take("disabled")
            && let Some(disabled) = self.findings.truth(&field.place, field.node)
        {
            self.say(&["telemetry", "enabled"], Value::Bool(!disabled), &field);
        }
        if let Some(field) = root.take("log_level") {
            self.findings
                .warn(&field.place, "has no effect: what metercast says goes to the log of the program");
        }
        let limits = root.take("attribute_limits");
        if let Some(field) = root.take("tracer_provider") {
            self.tracer_provider(&field, limits.as_ref());
        } else if let Some(field) = limits {
            let message = "have no effect: metrics keep all their attributes, with values of up to 1 KiB";
            self.findings.warn(&field.place, message);
        }
        if let Some(field) = root.take("resource") {
            self.resource(&field);
        }
        if let Some(field) = root.take("distribution") {
            self.distribution(&field);
        }
        if let Some(field) = root.take("meter_provider") {
            self.meter_provider(&field);
        }
        self.unused_extras();
        self.rest(&root);
    }

    fn version(&mut self, root: &mut Section<'n>) {
        let Some(Field { place, node }) = root.take("file_format") else {
            let message = format!("is missing; write file_format: \"{}\"", VERSIONS[1]);
            self.findings.problem(&root.place.child("file_format"), message);
            return;
        };
        if let Some(version) = self.findings.string(&place, node, "\"1.1\", in quotes")
            && !VERSIONS.contains(&version)
        {
            let message = format!("is {version:?}, which is not read here; write {}", one_of(&VERSIONS));
            self.findings.problem(&place, message);
        }
    }

    fn meter_provider(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        if let Some(field) = section.take("exemplar_filter") {
            self.say(&["telemetry", "exemplars"], field.node.value.clone(), &field);
        }
        let mut of_all = ProjectionLayer::default();
        if let Some(field) = section.take("views") {
            of_all.views = self.views(&field);
        }
        if let Some(field) = section.take("meter_configurator/development") {
            self.meters(&field, &mut of_all);
        }
        match section.take("readers") {
            Some(field) => self.readers(&field),
            None => {
                let place = section.place.child("readers");
                self.findings.problem(&place, "is missing; a meter provider has at least one reader");
            }
        }
        of_all.rule = Some(Given::new(Rule::Each, &field.place));
        for projection in self.projections.values_mut() {
            *projection = std::mem::take(projection).over(of_all.clone());
        }
        section.finish(self.findings);
    }

    /// The root may have keys of anybody; those that are not ours are passed over.
    fn rest(&mut self, root: &Section<'n>) {
        const OURS: [&str; 7] = [
            "file_format",
            "disabled",
            "attribute_limits",
            "resource",
            "distribution",
            "meter_provider",
            "tracer_provider",
        ];
        let mut of_others = Vec::new();
        for (key, Field { place, .. }) in root.left() {
            if OF_OTHERS.contains(&key) {
                of_others.push(key);
            } else if let Some(near) = nearest(key, &OURS) {
                self.findings.warn(&place, format!("is not known and passed over; did you mean {near:?}?"));
            }
        }
        if !of_others.is_empty() {
            let message =
                format!("passed over, as metercast is about metrics and traces: {}", of_others.join(", "));
            self.findings.warn(&root.place, message);
        }
    }

    /// Says under a key of ours what a key of the file says.
    fn say(&mut self, path: &[&str], value: Value, field: &Field<'_>) {
        let node = field.node.stands_in(&field.place, value);
        if let Err(known) = self.ours.say(path, node) {
            self.findings.problem(&field.place, format!("says again what {known} says; keep one of them"));
        }
    }

    /// As [`say`](Self::say), of a reader, or of traces.
    fn say_of(&mut self, reader: &str, path: &[&str], value: Value, field: &Field<'_>) {
        let path = match reader {
            TRACES => [&["telemetry", "traces"], path].concat(),
            reader => [&["telemetry", "exporters", reader], path].concat(),
        };
        self.say(&path, value, field);
    }

    fn into_layer(self, file: Place, known: &Known) -> Layer {
        let Self { findings, ours, mut endpoints, mut request_limits, mut projections, .. } = self;
        let mut layer = file::layer(file, &ours.into_entries(), known, findings);
        for (name, exporter) in &mut layer.exporters {
            if let Settings::Otlp(otlp) = &mut exporter.settings {
                otlp.endpoint = endpoints.remove(name).or(otlp.endpoint.take());
                otlp.request_limit = request_limits.remove(name);
            }
            if let Some(projection) = projections.remove(name) {
                exporter.projection = std::mem::take(&mut exporter.projection).over(projection);
            }
        }
        let traces = &mut layer.traces.otlp;
        traces.endpoint = endpoints.remove(TRACES).or(traces.endpoint.take());
        traces.request_limit = request_limits.remove(TRACES).or(traces.request_limit.take());
        layer.is_everything = true;
        layer
    }
}

/// A word of the list, as the list has it.
fn listed(words: &[&'static str], word: &str) -> Option<&'static str> {
    words.iter().find(|listed| **listed == word).copied()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
