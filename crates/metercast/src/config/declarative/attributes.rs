//! The resource.

use super::section::{Field, Section};
use super::{Reader, listed};
use crate::config::env::attribute_list;
use crate::config::tree::Value;

const TYPES: [&str; 8] =
    ["string", "bool", "int", "double", "string_array", "bool_array", "int_array", "double_array"];

impl<'n> Reader<'_, 'n> {
    pub(super) fn resource(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let mut given = Vec::new();
        if let Some(field) = section.take("attributes") {
            for item in self.findings.items(&field).unwrap_or_default() {
                if let Some((name, value)) = self.attribute(&item) {
                    given.push(name);
                    self.say(&["telemetry", "resource", name], value, &item);
                }
            }
        }
        if let Some(field) = section.take("attributes_list")
            && let Some(list) = self.findings.string(&field.place, field.node, "\"key=value,key2=value2\"")
            && let Some(list) = self.findings.checked(&field.place, attribute_list(list))
        {
            for (name, value) in list {
                if !given.contains(&name.as_str()) && !self.ours.says(&["telemetry", "resource", &name]) {
                    self.say(&["telemetry", "resource", &name], Value::String(value), &field);
                }
            }
        }
        if let Some(field) = section.take("schema_url") {
            self.findings.warn(&field.place, "has no effect: metercast sends no schema URL");
        }
        if let Some(field) = section.take("detection/development") {
            self.detection(&field);
        }
        section.finish(self.findings);
    }

    fn attribute(&mut self, item: &Field<'n>) -> Option<(&'n str, Value)> {
        let mut section = Section::of(item.place.clone(), item.node, self.findings)?;
        let (name, value, kind) =
            (section.take("name"), section.take_even_empty("value"), section.take("type"));
        section.finish(self.findings);
        for (key, field) in [("name", &name), ("value", &value)] {
            if field.is_none() {
                self.findings
                    .problem(&item.place.child(key), "is missing; an attribute has a name and a value");
            }
        }
        let (name, value) = (name?, value?);
        let name = self.findings.string(&name.place, name.node, "\"service.name\"")?;
        let kind = match kind {
            Some(field) => {
                Some(self.findings.word(&field.place, field.node, &TYPES, |word| listed(&TYPES, word))?)
            }
            None => None,
        };
        let (expected, typed) = match (kind, &value.node.value) {
            // An empty variable; the schema leaves the attribute out.
            (_, Value::Other(_)) => return None,
            (_, Value::List(_)) => {
                let message =
                    "is a list, which attributes of metercast's resource cannot be; write one value";
                self.findings.problem(&value.place, message);
                return None;
            }
            (Some("int"), Value::Integer(_))
            | (Some("double"), Value::Float(_))
            | (Some("bool"), Value::Bool(_))
            | (Some("string"), Value::String(_))
            | (None, Value::Integer(_) | Value::Float(_) | Value::Bool(_) | Value::String(_)) => {
                return Some((name, value.node.value.clone()));
            }
            (Some("double"), Value::Integer(number)) => ("", Some(Value::Float(*number as f64))),
            (Some("string"), _) => ("a string, in quotes", None),
            (Some("int"), _) => ("an integer", None),
            (Some("double"), _) => ("a number", None),
            (Some("bool"), _) => ("true or false", None),
            (Some(_), _) => {
                ("a list, which attributes of metercast's resource cannot be: another type", None)
            }
            (None, _) => ("a string, a boolean, an integer or a float", None),
        };
        match typed {
            Some(value) => Some((name, value)),
            None => self.findings.mistyped(&value.place, expected, &value.node.value),
        }
    }

    /// The service detector finds what every process has here; the others find what metercast does not look for.
    fn detection(&mut self, field: &Field<'n>) {
        const KNOWN: [&str; 4] = ["container", "host", "process", "service"];
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        if let Some(field) = section.take("attributes") {
            let message =
                "cannot be had: metercast detects what every process has, and leaves none of it out";
            self.findings.problem(&field.place, message);
        }
        let detectors =
            section.take("detectors").and_then(|field| self.findings.items(&field)).unwrap_or_default();
        section.finish(self.findings);
        for item in detectors {
            let Some(section) = Section::of(item.place, item.node, self.findings) else { continue };
            match section.choice(self.findings, &KNOWN) {
                Some(("service", _)) | None => {}
                Some((key, field)) if KNOWN.contains(&key) => {
                    let message = format!(
                        "cannot be had: metercast detects service.name and service.instance.id only; give the attributes of the \
                         {key} by resource.attributes"
                    );
                    self.findings.problem(&field.place, message);
                }
                Some((key, field)) => self.findings.unknown(&field.place, key, &KNOWN),
            }
        }
    }
}
