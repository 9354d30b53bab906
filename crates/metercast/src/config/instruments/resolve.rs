//! What all sources and the stages themselves come to: every instrument with all its attributes.

use std::collections::BTreeMap;

use super::super::error::Findings;
use super::super::place::Place;
use super::super::sources::Source;
use super::check::Names;
use super::layer::{Entry, InstrumentsLayer, Toggle};
use crate::dynamic::{
    Amount, Attribute, Condition, Definition, Instruments, Level, Measures, Moment, Operand, Said, Stage,
    Stages, Standard, TimeUnit,
};

/// The words of `default_requirement_level`.
const LEVELS: [&str; 3] = ["none", "required", "recommended"];

impl InstrumentsLayer {
    /// The instruments of these stages.
    pub(in crate::config) fn resolve(self, stages: &Stages, findings: &mut Findings) -> Instruments {
        let InstrumentsLayer { level, mut entries } = self;
        let root = Place::named("telemetry.instruments");
        if stages.each().next().is_none() {
            return Instruments { stages: stages.clone(), definitions: BTreeMap::new() };
        }
        let at = root.child("default_requirement_level");
        let level = findings.settle(&at, level, 1, |level| LEVELS[*level].to_owned());
        let mut instruments = Instruments { stages: stages.clone(), definitions: BTreeMap::new() };
        let mut names = Names::default();
        for stage in stages.each() {
            let mut definitions = Vec::new();
            for standard in &stage.standards {
                let key = root.child(stage.name()).child(standard.name);
                let entry = entries.remove(&(stage.name().to_owned(), standard.name.to_owned()));
                let place = entry.as_ref().map_or(&key, |entry| &entry.place).clone();
                let entry = match entry {
                    Some(entry) => findings.note(&key, entry, shown),
                    None if standard.is_default => {
                        findings.note_as(&key, "true".to_owned(), Source::Program);
                        Entry::Standard { is_on: true, attributes: Vec::new(), condition: None }
                    }
                    None => continue,
                };
                if let Entry::Standard { is_on: true, attributes, condition } = entry {
                    let definition =
                        definition(stage, standard, level, attributes, condition, &place, findings);
                    definitions.push((place, definition));
                }
            }
            let own: Vec<(String, String)> =
                entries.keys().filter(|(of, _)| of == stage.name()).cloned().collect();
            for name in own {
                let Some(entry) = entries.remove(&name) else { continue };
                let place = entry.place.clone();
                let key = root.child(stage.name()).child(&name.1);
                if let Entry::Own(definition) = findings.note(&key, entry, shown) {
                    definitions.push((place, *definition));
                }
            }
            for (place, definition) in &definitions {
                names.check(place, definition, &instruments, findings);
            }
            let definitions: Vec<Definition> =
                definitions.into_iter().map(|(_, definition)| definition).collect();
            instruments.definitions.insert(stage.name, definitions);
        }
        instruments
    }
}

/// A standard instrument with the attributes that it has in this configuration.
fn definition(
    stage: &Stage,
    standard: &Standard,
    level: usize,
    toggles: Vec<(String, Toggle)>,
    condition: Option<Condition<Operand>>,
    place: &Place,
    findings: &mut Findings,
) -> Definition {
    let mut toggles: Vec<(String, Option<Toggle>)> =
        toggles.into_iter().map(|(key, toggle)| (key, Some(toggle))).collect();
    let mut attributes = Vec::new();
    for known in &standard.attributes {
        let toggle =
            toggles.iter_mut().find(|(key, _)| key == known.key).and_then(|(_, toggle)| toggle.take());
        let by_level = match known.level {
            Level::Required => level >= 1,
            Level::Recommended => level >= 2,
            Level::OptIn => false,
        };
        let key = match toggle {
            Some(Toggle::Own(attribute)) => {
                attributes.push(attribute);
                continue;
            }
            Some(Toggle::Is(false)) => continue,
            Some(Toggle::Alias(alias)) => alias,
            None if !by_level => continue,
            Some(Toggle::Is(true)) | None => known.key.to_owned(),
        };
        if let Some(selection) = stage.selection(known.selector, known.argument) {
            attributes.push(Attribute { key, value: Operand::Selected(selection), redaction: None });
        }
    }
    attributes.extend(toggles.into_iter().filter_map(|(_, toggle)| match toggle {
        Some(Toggle::Own(attribute)) => Some(attribute),
        _ => None,
    }));
    for (n, attribute) in attributes.iter().enumerate() {
        if attributes[..n].iter().any(|before| before.key == attribute.key) {
            let message = format!("has two attributes {:?}; give one of them another alias", attribute.key);
            findings.problem(&place.child("attributes"), message);
        }
    }
    let definition = Definition {
        name: standard.name.to_owned(),
        kind: standard.kind,
        amount: amount(stage, standard),
        unit: standard.unit.to_owned(),
        description: standard.description.to_owned(),
        buckets: standard.buckets,
        attributes,
        condition,
        is_standard: true,
        said: Said {
            file: place.in_file().unwrap_or(place.key()).to_owned(),
            line: place.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0),
            shown: place.to_string(),
        },
    };
    for (_, message) in definition.faults() {
        findings.problem(place, message);
    }
    definition
}

/// What a standard instrument measures. A selector that the stage has not got has no value.
fn amount(stage: &Stage, standard: &Standard) -> Amount {
    let time = TimeUnit::named(standard.unit).unwrap_or(TimeUnit::Seconds);
    let selected = |name, argument| stage.selection(name, argument);
    match standard.measures {
        Measures::Unit => Amount::Unit,
        Measures::Duration => Amount::Duration(time),
        Measures::Selector(name, argument) => selected(name, argument).map_or(Amount::Unit, Amount::Selected),
        Measures::EventUnit => Amount::EachUnit(Moment::Event),
        Measures::EventDuration => Amount::EventDuration(time),
        Measures::EventSelector(name, argument) => selected(name, argument)
            .map_or(Amount::EachUnit(Moment::Event), |selection| {
                Amount::EachSelected(Moment::Event, selection)
            }),
        Measures::FieldUnit => Amount::EachUnit(Moment::Field),
        Measures::FieldSelector(name, argument) => selected(name, argument)
            .map_or(Amount::EachUnit(Moment::Field), |selection| {
                Amount::EachSelected(Moment::Field, selection)
            }),
    }
}

/// An instrument in a word, for who asks what holds.
fn shown(entry: &Entry) -> String {
    match entry {
        Entry::Standard { is_on, .. } => is_on.to_string(),
        Entry::Own(definition) => definition.kind.to_string(),
    }
}
