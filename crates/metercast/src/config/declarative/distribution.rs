//! What only metercast has: `distribution.metercast`, keyed by reader.

use super::section::Field;
use super::{Reader, Section};
use crate::config::exporter::Kind;
use crate::config::suggest::one_of;

/// What is said of one reader beside what the schema has keys for.
pub(super) struct Extra<'n> {
    /// The name that the reader has by itself.
    reader: &'n str,
    /// Another name.
    name: Option<&'n str>,
    fields: Vec<(&'n str, Field<'n>)>,
    field: Field<'n>,
    is_used: bool,
}

/// Keys of our files that are about all exporters.
const OF_ALL: [&str; 3] = ["shutdown_timeout", "on_sigterm", "self_metrics"];

/// Keys of an exporter that the readers say.
const OF_READERS: [&str; 2] = ["type", "env"];

impl<'n> Reader<'_, 'n> {
    /// Reads `distribution`, whose other tables belong to others.
    pub(super) fn distribution(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let Some(ours) = section.take("metercast") else { return };
        let Some(mut section) = Section::of(ours.place, ours.node, self.findings) else { return };
        for key in OF_ALL {
            if let Some(field) = section.take(key) {
                self.say(&["telemetry", key], field.node.value.clone(), &field);
            }
        }
        if let Some(field) = section.take("readers") {
            for item in self.findings.items(&field).unwrap_or_default() {
                self.extra(item);
            }
        }
        section.finish(self.findings);
    }

    fn extra(&mut self, item: Field<'n>) {
        let Some(mut section) = Section::of(item.place.clone(), item.node, self.findings) else { return };
        let mut text = |key| {
            let field = section.take(key)?;
            self.findings.string(&field.place, field.node, "\"otlp\"")
        };
        let (reader, name) = (text("reader"), text("name"));
        let Some(reader) = reader.or(name) else {
            let message =
                "names no reader; write reader: otlp, prometheus or stdout, with -2 for the second of a type";
            return self.findings.problem(&item.place, message);
        };
        if let Some(known) = self.extras.iter().find(|known| known.reader == reader) {
            let message =
                format!("is about the reader {reader:?} as {} is; keep one of them", known.field.place);
            return self.findings.problem(&item.place, message);
        }
        let mut fields = Vec::new();
        for (key, field) in section.left() {
            if OF_READERS.contains(&key) {
                self.findings.problem(&field.place, "is said by the reader itself; leave it out");
            } else {
                fields.push((key, field));
            }
        }
        self.extras.push(Extra { reader, name, fields, field: item, is_used: false });
    }

    /// The name of the next reader of this type: `otlp`, `otlp-2`, or what `distribution.metercast` calls it. What else that
    /// says of the reader becomes part of it.
    pub(super) fn begin(&mut self, kind: Kind, field: &Field<'n>) -> String {
        let number = self.counted.entry(kind.name()).or_default();
        *number += 1;
        let own = if *number == 1 { kind.name().to_owned() } else { format!("{}-{number}", kind.name()) };
        let extra = self.extras.iter_mut().find(|extra| extra.reader == own);
        let (mut name, mut fields) = (own, Vec::new());
        if let Some(extra) = extra {
            extra.is_used = true;
            name = extra.name.map_or(name, str::to_owned);
            fields = std::mem::take(&mut extra.fields);
        }
        if self.ours.says(&["telemetry", "exporters", &name]) {
            self.findings.problem(
                &field.place,
                format!("is a second reader named {name:?}; give it a name of its own"),
            );
        } else {
            self.say_of(&name, &["type"], super::text(kind.name()), field);
        }
        for (key, field) in fields {
            self.say_of(&name, &[key], field.node.value.clone(), &field);
        }
        self.projections.entry(name.clone()).or_default();
        name
    }

    /// Notes what is said of readers that there are not.
    pub(super) fn unused_extras(&mut self) {
        let mut names = Vec::new();
        for (kind, count) in &self.counted {
            names.push((*kind).to_owned());
            names.extend((2..=*count).map(|n| format!("{kind}-{n}")));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for extra in self.extras.iter().filter(|extra| !extra.is_used) {
            let known = if names.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there is {}", one_of(&names))
            };
            let message = format!("is about the reader {:?}, which there is not; {known}", extra.reader);
            self.findings.problem(&extra.field.place, message);
        }
    }
}
