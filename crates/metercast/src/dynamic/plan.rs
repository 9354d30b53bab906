//! What is to be done at each moment of the operations of a stage: worked out when a configuration is taken, so that
//! an operation finds everything by number.

use std::sync::Arc;

use metercast_core::{Instrument, InstrumentError, Kind, NumberType, Value};

use super::condition::{Condition, Term};
use super::definition::{Amount, Definition, TimeUnit};
use super::moment::Moment;
use super::operation::labels;
use super::selector::{Operand, Redaction, Selection};

/// The instruments of a stage, and what has to be looked up for them.
#[derive(Clone)]
pub(super) struct Plan {
    /// What is asked of an operation, each once. The number of one is that of its slot.
    pub(super) selections: Vec<Selection>,
    /// At each moment, the slots that conditions need.
    pub(super) deciding: [Vec<usize>; Moment::ALL.len()],
    pub(super) instruments: Vec<Planned>,
}

/// An instrument with its slots.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) instrument: Instrument,
    name: String,
    /// Whether the stage knows it by name.
    is_standard: bool,
    /// Where it is defined, for messages.
    shown: String,
    pub(super) measure: Measure,
    pub(super) condition: Option<Condition<Term>>,
    /// Whether an event may be what its condition waits for.
    pub(super) depends_on_events: bool,
    pub(super) labels: Vec<Label>,
    /// The slots of what it records, at each moment.
    pub(super) recorded: [Vec<usize>; Moment::ALL.len()],
}

/// What is recorded, and when.
#[derive(Clone, Copy)]
pub(super) enum Measure {
    /// Up from the request on to the end.
    Active,
    AtEnd(Quantity),
    AtEach(Moment, Quantity),
}

#[derive(Clone, Copy)]
pub(super) enum Quantity {
    One,
    Elapsed(TimeUnit),
    Slot(usize),
}

/// A label and where its value is from.
#[derive(Clone)]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) value: Term,
    pub(super) redaction: Option<Redaction>,
}

impl Plan {
    pub(super) fn new<'d>(
        definitions: impl Iterator<Item = &'d Definition>,
    ) -> Result<Plan, InstrumentError> {
        let mut plan = Plan { selections: Vec::new(), deciding: Default::default(), instruments: Vec::new() };
        for definition in definitions {
            let planned = plan.planned(definition)?;
            plan.instruments.push(planned);
        }
        Ok(plan)
    }

    fn planned(&mut self, definition: &Definition) -> Result<Planned, InstrumentError> {
        let mut recorded: [Vec<usize>; Moment::ALL.len()] = Default::default();
        let quantity = match &definition.amount {
            Amount::Unit | Amount::EachUnit(_) => Quantity::One,
            Amount::Duration(unit) | Amount::EventDuration(unit) => Quantity::Elapsed(*unit),
            Amount::Selected(selection) | Amount::EachSelected(_, selection) => {
                let slot = self.slot(selection);
                self.note(slot, &mut recorded);
                Quantity::Slot(slot)
            }
        };
        let measure = match definition.amount.repeated() {
            _ if definition.is_active() => Measure::Active,
            Some(moment) => Measure::AtEach(moment, quantity),
            None => Measure::AtEnd(quantity),
        };
        let mut depends_on_events = false;
        let condition = definition.condition.as_ref().map(|condition| {
            condition.map(&mut |operand| {
                let term = self.term(operand);
                if let Term::Slot(slot) = term {
                    let moments = self.selections[slot].moments;
                    depends_on_events |= moments.is_repeated();
                    for moment in Moment::ALL.into_iter().filter(|moment| moments.has(*moment)) {
                        add(&mut self.deciding[moment as usize], slot);
                    }
                }
                term
            })
        });
        let labels = definition.attributes.iter().map(|attribute| {
            let value = self.term(&attribute.value);
            if let Term::Slot(slot) = value {
                self.note(slot, &mut recorded);
            }
            Label { key: attribute.key.clone(), value, redaction: attribute.redaction.clone() }
        });
        let labels = labels.collect();
        let instrument = instrument(definition)?;
        Ok(Planned {
            instrument,
            name: definition.name.clone(),
            is_standard: definition.is_standard,
            shown: definition.said.shown.clone(),
            measure,
            condition,
            depends_on_events,
            labels,
            recorded,
        })
    }

    /// Shows at zero what has the same labels whatever comes, before anything has come. A gauge has no value then.
    pub(super) fn zero(&self) {
        let is_fixed = |label: &Label| !matches!(label.value, Term::Slot(_));
        for planned in self.instruments.iter().filter(|planned| planned.labels.iter().all(is_fixed)) {
            let (instrument, labels) = (planned.instrument, labels(planned, &[], &[]));
            match (instrument.kind(), instrument.number()) {
                (Kind::Counter, NumberType::U64) => instrument.add(0u64, labels),
                (Kind::UpDownCounter, NumberType::I64) => instrument.add(0i64, labels),
                (Kind::Counter | Kind::UpDownCounter, _) => instrument.add(0.0, labels),
                (Kind::Histogram, _) => instrument.record_many(0.0, 0, labels),
                _ => {}
            }
        }
    }

    /// What is left of it without the standard instruments of these names. `None` if nothing is.
    pub(super) fn without(self: &Arc<Plan>, names: &[&str]) -> Option<Arc<Plan>> {
        if self.of(names).next().is_none() {
            return Some(Arc::clone(self));
        }
        let mut rest = Plan::clone(self);
        rest.instruments.retain(|planned| !planned.is_one_of(names));
        (!rest.instruments.is_empty()).then(|| Arc::new(rest))
    }

    /// The places where standard instruments of these names are defined.
    pub(super) fn places<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.of(names).map(|planned| planned.shown.as_str())
    }

    fn of<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Planned> {
        self.instruments.iter().filter(|planned| planned.is_one_of(names))
    }

    fn note(&self, slot: usize, recorded: &mut [Vec<usize>; Moment::ALL.len()]) {
        let moments = self.selections[slot].moments;
        for moment in Moment::ALL.into_iter().filter(|moment| moments.has(*moment)) {
            add(&mut recorded[moment as usize], slot);
        }
    }

    fn term(&mut self, operand: &Operand) -> Term {
        match operand {
            Operand::Constant(value) => Term::Constant(value.clone()),
            Operand::Selected(selection) => Term::Slot(self.slot(selection)),
            // It has been read by now; without one there is no value.
            Operand::Variable(_, Some(default)) => Term::Constant(default.clone()),
            Operand::Variable(_, None) => Term::Nothing,
        }
    }

    /// The slot of a selection: one for all who ask the same.
    fn slot(&mut self, selection: &Selection) -> usize {
        self.selections.iter().position(|known| known == selection).unwrap_or_else(|| {
            self.selections.push(selection.clone());
            self.selections.len() - 1
        })
    }
}

fn add(slots: &mut Vec<usize>, slot: usize) {
    if !slots.contains(&slot) {
        slots.push(slot);
    }
}

fn instrument(definition: &Definition) -> Result<Instrument, InstrumentError> {
    let Definition { name, kind, unit, description, buckets, said, .. } = definition;
    let builder = Instrument::builder(*kind, definition.number(), name.clone())
        .unit(unit.clone())
        .description(description.clone())
        .place(said.file.clone(), said.line)
        .configured();
    match buckets.filter(|_| *kind == Kind::Histogram) {
        Some(bounds) => builder.bounds(bounds).build(),
        None => builder.build(),
    }
}

impl Planned {
    fn is_one_of(&self, names: &[&str]) -> bool {
        self.is_standard && names.contains(&self.name.as_str())
    }
}

impl Label {
    /// Whether its value is not to be shown.
    pub(super) fn hides(&self, value: &Value) -> bool {
        self.redaction.as_ref().is_some_and(|redaction| redaction.hides(value))
    }
}
