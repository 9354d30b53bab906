//! Whether names are free: what the program measures itself has its name, and a metric is one thing in all stages.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use metercast_core::Kind;

use super::super::error::Findings;
use super::super::place::Place;
use crate::dynamic::{Definition, Instruments};

/// The names that were met so far in a configuration.
#[derive(Default)]
pub(super) struct Names {
    known: BTreeMap<String, (Kind, String, String)>,
}

impl Names {
    pub(super) fn check(
        &mut self,
        at: &Place,
        definition: &Definition,
        instruments: &Instruments,
        findings: &mut Findings,
    ) {
        let Definition { name, kind, unit, said, .. } = definition;
        match self.known.get(name) {
            Some((other, of, place)) if (other, of) != (kind, unit) => {
                let message = format!(
                    "is a {kind} in {unit:?} here and a {other} in {of:?} at {place}; a name is one metric: give one of them another"
                );
                return findings.problem(at, message);
            }
            _ => _ = self.known.insert(name.clone(), (*kind, unit.clone(), said.shown.clone())),
        }
        if let Some(contradiction) = instruments.contradicts(definition) {
            return findings.problem(at, format!("{contradiction}; give this instrument another name"));
        }
        let measured = program().iter().find(|measured| measured.name == *name);
        if let Some(measured) = measured
            && !(definition.is_standard && measured.kind == *kind && measured.unit == *unit)
        {
            let (found, place) = (measured.kind, &measured.place);
            let message = format!(
                "got a {kind}, and expected another name: this is a {found} that the program itself measures, at {place}"
            );
            findings.problem(at, message);
        }
    }
}

/// A metric that the program text has.
struct Measured {
    name: String,
    kind: Kind,
    unit: String,
    place: String,
}

/// What the program text measures, read once from the program's file. Nothing if that cannot be read: the store then
/// reports what contradicts itself.
fn program() -> &'static [Measured] {
    static PROGRAM: OnceLock<Vec<Measured>> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let Ok(catalogue) = crate::catalogue() else { return Vec::new() };
        let measured = catalogue.metrics().iter().map(|metric| Measured {
            name: metric.name.clone(),
            kind: metric.kind,
            unit: metric.unit.clone(),
            place: metric
                .places
                .first()
                .map_or_else(String::new, |place| format!("{}:{}", place.file, place.line)),
        });
        measured.collect()
    })
}
