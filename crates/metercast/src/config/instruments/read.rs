//! The table `instruments`: stages, and in each of them instruments by name.

use super::super::error::Findings;
use super::super::keys;
use super::super::keys::instruments::{COMMON, INSTRUMENT, KINDS, LEVELS, STANDARD, TIMES};
use super::super::place::{Given, Place, given};
use super::super::suggest::{did_you_mean, one_of};
use super::super::tree::{Entries, Node, Value};
use super::layer::{Entry, InstrumentsLayer, Toggle};
use crate::dynamic::{Amount, Attribute, Definition, Part, Said, Stage, Stages, TimeUnit};
use metercast_core::__private::instrument_name_fault;
use metercast_core::Kind;

/// The most instruments of a file.
const MOST_INSTRUMENTS: usize = 1_000;
/// The most attributes of an instrument.
const MOST_ATTRIBUTES: usize = 32;
/// The most bytes of a text, such as a description or the name of a header.
pub(super) const LONGEST: usize = 1_024;
/// The most dots of a name without quotes that are looked behind.
const MOST_DOTS: usize = 16;

/// Turns nodes into instruments of these stages, and notes what does not fit.
pub(in crate::config) struct InstrumentsReader<'a> {
    pub(in crate::config) stages: &'a Stages,
    pub(in crate::config) findings: &'a mut Findings,
}

impl InstrumentsReader<'_> {
    pub(in crate::config) fn read(&mut self, at: &Place, node: &Node) -> InstrumentsLayer {
        let mut layer = InstrumentsLayer::default();
        let Some(entries) = self.findings.table(at, node, "a table of stages") else { return layer };
        let stages: Vec<Stage> = self.stages.each().cloned().collect();
        if stages.is_empty() && !entries.is_empty() {
            let message = "cannot be used: this program has no stages that instruments can be defined for; leave it out";
            self.findings.problem(at, message);
            return layer;
        }
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if keys::find(&[COMMON], key).is_some() {
                let level = self
                    .findings
                    .word(&place, node, &LEVELS, |word| LEVELS.iter().position(|known| *known == word));
                layer.level = given(&place, level);
            } else if let Some(stage) = stages.iter().find(|stage| stage.name() == key) {
                if let Some(table) = self.findings.table(&place, node, "a table of instruments by name") {
                    self.stage(&place, stage, table, &mut layer);
                }
            } else {
                let mut known = keys::names(&[COMMON]);
                known.extend(stages.iter().map(Stage::name));
                self.findings.unknown(&place, key, &known);
            }
        }
        layer
    }

    fn stage(&mut self, at: &Place, stage: &Stage, entries: &Entries, layer: &mut InstrumentsLayer) {
        for (name, node) in entries {
            let place = at.child(name).of(node);
            if layer.entries.len() >= MOST_INSTRUMENTS {
                let message =
                    format!("is one instrument more than the {MOST_INSTRUMENTS} that a file may define");
                return self.findings.problem(&place, message);
            }
            let problems = self.findings.problems();
            let is_standard = stage.standards.iter().any(|standard| standard.name == name);
            let entry = match is_standard {
                true => self.standard(&place, stage, name, node),
                false => self.own(&place, stage, name, node),
            };
            if let Some(entry) = entry.filter(|_| self.findings.problems() == problems) {
                layer.entries.insert((stage.name().to_owned(), name.clone()), Given::new(entry, &place));
            }
        }
    }

    /// One that the stage knows.
    fn standard(&mut self, at: &Place, stage: &Stage, name: &str, node: &Node) -> Option<Entry> {
        let standard = stage.standards.iter().find(|standard| standard.name == name)?;
        let Value::Table(entries) = &node.value else {
            let is_on = match &node.value {
                Value::Bool(is_on) => *is_on,
                _ => self.findings.truth(at, node)?,
            };
            return Some(Entry::Standard { is_on, attributes: Vec::new(), condition: None });
        };
        let (mut attributes, mut condition) = (Vec::new(), None);
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[STANDARD]) {
                continue;
            }
            match key.as_str() {
                "attributes" => {
                    let known: Vec<&str> = standard.attributes.iter().map(|known| known.key).collect();
                    attributes = self.toggles(&place, stage, &known, node);
                }
                _ => condition = self.condition(&place, stage, node),
            }
        }
        Some(Entry::Standard { is_on: true, attributes, condition })
    }

    /// What is said of each attribute of a standard instrument.
    fn toggles(&mut self, at: &Place, stage: &Stage, known: &[&str], node: &Node) -> Vec<(String, Toggle)> {
        let mut toggles = Vec::new();
        for (key, node) in self.attributes_of(at, node) {
            let place = at.child(key).of(node);
            let is_known = known.contains(&key.as_str());
            let alias = match &node.value {
                Value::Table(entries) => entries.iter().find(|(key, _)| key == "alias"),
                _ => None,
            };
            let toggle = match (&node.value, alias) {
                (Value::Table(entries), Some((_, alias))) if is_known && entries.len() == 1 => {
                    let place = place.child("alias").of(alias);
                    let name = self.findings.string(&place, alias, "\"method\"");
                    name.and_then(|name| self.key(&place, name)).map(Toggle::Alias)
                }
                (Value::Table(_), _) => self.attribute(&place, stage, key, node).map(Toggle::Own),
                _ if is_known => self.findings.truth(&place, node).map(Toggle::Is),
                (Value::Bool(_), _) => {
                    let meant = did_you_mean(key, known);
                    let expected =
                        if meant.is_empty() { format!("; known are {}", one_of(known)) } else { meant };
                    let message = format!("is not an attribute that this instrument knows{expected}");
                    self.findings.problem(&place, message);
                    None
                }
                (other, _) => self.findings.mistyped(&place, SELECTOR, other),
            };
            toggles.extend(toggle.map(|toggle| (key.clone(), toggle)));
        }
        toggles
    }

    /// One that the program does not know.
    fn own(&mut self, at: &Place, stage: &Stage, name: &str, node: &Node) -> Option<Entry> {
        if let Some(fault) = instrument_name_fault(name) {
            self.findings.problem(at, format!("is no name of a metric: it {fault}"));
            return None;
        }
        let Value::Table(entries) = &node.value else {
            let standard: Vec<&str> = stage.standards.iter().map(|standard| standard.name).collect();
            let meant = did_you_mean(name, &standard);
            let expected = "a table with type and value, as the stage has no instrument of this name";
            if meant.is_empty() {
                return self.findings.mistyped(at, expected, &node.value);
            }
            let found = node.value.kind();
            self.findings.problem(at, format!("expected {expected}, found {found}{meant}"));
            return None;
        };
        if !self.is_definition(at, stage, name, entries) {
            return None;
        }
        let (mut kind, mut value, mut unit) = (None, None, None);
        let mut description = String::new();
        let (mut attributes, mut condition) = (Vec::new(), None);
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[INSTRUMENT]) {
                continue;
            }
            match key.as_str() {
                "type" => kind = self.findings.word(&place, node, &KINDS, self::kind),
                "value" => value = Some((place.clone(), self.value(&place, stage, node))),
                "unit" => unit = self.text(&place, node, "\"ms\"").map(|unit| (place.clone(), unit)),
                "description" => description = self.text(&place, node, "\"Calls of the catalogue\"")?,
                "attributes" => attributes = self.attributes(&place, stage, node),
                _ => condition = self.condition(&place, stage, node),
            }
        }
        for (key, examples) in [("type", &KINDS[..]), ("value", &keys::instruments::VALUES[..])] {
            if !entries.iter().any(|(known, _)| known == key) {
                let message = format!(
                    "is missing; write {}{}",
                    one_of(examples),
                    if key == "value" { " or a selector" } else { "" }
                );
                self.findings.problem(&at.child(key), message);
            }
        }
        let (kind, (value_place, amount)) = (kind?, value?);
        let amount = self.in_unit(amount?, unit.as_ref());
        let unit = match (unit, &amount) {
            (None, Amount::Duration(_) | Amount::EventDuration(_)) => "s".to_owned(),
            (unit, _) => unit.map(|(_, unit)| unit).unwrap_or_default(),
        };
        let said = said(at);
        let definition = Definition {
            name: name.to_owned(),
            kind,
            amount,
            unit,
            description,
            buckets: None,
            attributes,
            condition,
            is_standard: false,
            said,
        };
        self.faults(at, &value_place, &definition);
        Some(Entry::Own(Box::new(definition)))
    }

    /// Whether a table is meant to be an instrument of one's own: not one that the stage knows under a name that is misspelt, and no
    /// name that TOML took apart at its dots.
    fn is_definition(&mut self, at: &Place, stage: &Stage, name: &str, entries: &Entries) -> bool {
        let has = |keys: &[&str]| entries.iter().any(|(key, _)| keys.contains(&key.as_str()));
        let holds_tables = entries.iter().any(|(_, node)| matches!(node.value, Value::Table(_)));
        if holds_tables && !name.contains('.') && !has_keys(entries) {
            self.taken_apart(at, name, entries, MOST_DOTS);
            return false;
        }
        let standard: Vec<&str> = stage.standards.iter().map(|standard| standard.name).collect();
        let meant = did_you_mean(name, &standard);
        if !meant.is_empty() && !has(&["type", "value", "unit", "description"]) {
            let message = "is not an instrument that the stage knows, and one of your own has type and value";
            self.findings.problem(at, format!("{message}{meant}"));
            return false;
        }
        true
    }

    fn taken_apart(&mut self, at: &Place, name: &str, entries: &Entries, dots: usize) {
        for (key, node) in entries {
            let (place, name) = (at.child(key).of(node), format!("{name}.{key}"));
            match &node.value {
                Value::Table(inner) if dots > 0 && !inner.is_empty() && !has_keys(inner) => {
                    self.taken_apart(&place, &name, inner, dots - 1);
                }
                _ => {
                    let message =
                        format!("is no key of an instrument; a name with dots stands in quotes: {name:?}");
                    self.findings.problem(&place, message);
                }
            }
        }
    }

    /// A duration in the unit of the instrument, which must be one of time.
    fn in_unit(&mut self, amount: Amount, unit: Option<&(Place, String)>) -> Amount {
        let time = match (&amount, unit) {
            (Amount::Duration(_) | Amount::EventDuration(_), Some((place, unit))) => {
                let time = TimeUnit::named(unit);
                if time.is_none() {
                    let message =
                        format!("expected {}, since the value is a duration, found {unit:?}", one_of(&TIMES));
                    self.findings.problem(place, message);
                }
                time
            }
            _ => None,
        };
        match (amount, time) {
            (Amount::Duration(_), Some(time)) => Amount::Duration(time),
            (Amount::EventDuration(_), Some(time)) => Amount::EventDuration(time),
            (amount, _) => amount,
        }
    }

    fn faults(&mut self, at: &Place, value: &Place, definition: &Definition) {
        for (part, message) in definition.faults() {
            let place = match part {
                Part::Value => value.clone(),
                Part::Condition => at.child("condition"),
                Part::Attribute(key) => at.child("attributes").child(&key),
            };
            self.findings.problem(&place, message);
        }
    }

    fn attributes_of<'n>(&mut self, at: &Place, node: &'n Node) -> &'n Entries {
        let expected = "a table such as { tenant = { request_header = \"x-tenant\" } }";
        let entries = self.findings.table(at, node, expected).unwrap_or_default();
        if entries.len() > MOST_ATTRIBUTES {
            let found = entries.len();
            self.findings
                .problem(at, format!("has {found} attributes; an instrument has at most {MOST_ATTRIBUTES}"));
            return &[];
        }
        entries
    }

    fn attributes(&mut self, at: &Place, stage: &Stage, node: &Node) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        for (key, node) in self.attributes_of(at, node) {
            let place = at.child(key).of(node);
            attributes.extend(self.attribute(&place, stage, key, node));
        }
        attributes
    }

    fn attribute(&mut self, at: &Place, stage: &Stage, key: &str, node: &Node) -> Option<Attribute> {
        let key = self.key(at, key)?;
        let (value, redaction) = self.selected(at, stage, node)?;
        Some(Attribute { key, value, redaction })
    }

    /// The key of a label.
    fn key(&mut self, at: &Place, key: &str) -> Option<String> {
        if key.is_empty() {
            self.findings.problem(at, "is an attribute without a key; give it one");
            return None;
        }
        self.bounded(at, key)
    }

    pub(super) fn text(&mut self, at: &Place, node: &Node, example: &str) -> Option<String> {
        let text = self.findings.string(at, node, example)?;
        self.bounded(at, text)
    }

    pub(super) fn bounded(&mut self, at: &Place, text: &str) -> Option<String> {
        if text.len() > LONGEST {
            self.findings.problem(at, format!("is longer than {LONGEST} bytes; shorten it"));
            return None;
        }
        Some(text.to_owned())
    }
}

/// Whether a table has keys of an instrument.
fn has_keys(entries: &Entries) -> bool {
    entries.iter().any(|(key, _)| keys::find(&[INSTRUMENT], key).is_some())
}

/// What a selector looks like, for messages.
pub(super) const SELECTOR: &str = "a selector such as { request_header = \"x-tenant\" }";

fn said(at: &Place) -> Said {
    let file = at.in_file().unwrap_or(at.key()).to_owned();
    let line = at.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
    Said { file, line, shown: at.to_string() }
}

fn kind(word: &str) -> Option<Kind> {
    match word {
        "counter" => Some(Kind::Counter),
        "up_down_counter" => Some(Kind::UpDownCounter),
        "gauge" => Some(Kind::Gauge),
        "histogram" => Some(Kind::Histogram),
        _ => None,
    }
}
