//! An instrument as a configuration defines it, with every question answered but that for its values.

use metercast_core::{Kind, NumberType};

use super::condition::Condition;
use super::moment::{Moment, Moments};
use super::selector::{Operand, Redaction, Selection};

/// An instrument of a stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) amount: Amount,
    pub(crate) unit: String,
    pub(crate) description: String,
    pub(crate) buckets: Option<&'static [f64]>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) condition: Option<Condition<Operand>>,
    /// Whether the stage knows it: then it may have the name of something that the program measures.
    pub(crate) is_standard: bool,
    pub(crate) said: Said,
}

/// Where it is defined: the file and the line, and all of that with the key, for messages. Two definitions may be equal in
/// different places.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) shown: String,
}

impl PartialEq for Said {
    fn eq(&self, _: &Said) -> bool {
        true
    }
}

/// What an instrument counts or measures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Amount {
    /// One for each operation.
    Unit,
    /// How long the operation took.
    Duration(TimeUnit),
    /// What the operation says.
    Selected(Selection),
    /// One for each event or field.
    EachUnit(Moment),
    /// The time since the event before, or since the beginning.
    EventDuration(TimeUnit),
    /// What each event or field says.
    EachSelected(Moment, Selection),
}

impl Amount {
    /// The moment in which it is measured, if that comes again and again.
    pub(crate) fn repeated(&self) -> Option<Moment> {
        match self {
            Amount::EachUnit(moment) | Amount::EachSelected(moment, _) => Some(*moment),
            Amount::EventDuration(_) => Some(Moment::Event),
            _ => None,
        }
    }
}

/// A unit of time that durations are converted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl TimeUnit {
    pub(crate) const NAMES: [&str; 4] = ["s", "ms", "us", "ns"];

    pub(crate) fn named(name: &str) -> Option<TimeUnit> {
        match name {
            "s" => Some(TimeUnit::Seconds),
            "ms" => Some(TimeUnit::Milliseconds),
            "us" => Some(TimeUnit::Microseconds),
            "ns" => Some(TimeUnit::Nanoseconds),
            _ => None,
        }
    }

    pub(super) fn of(self, duration: std::time::Duration) -> f64 {
        let seconds = duration.as_secs_f64();
        match self {
            TimeUnit::Seconds => seconds,
            TimeUnit::Milliseconds => seconds * 1e3,
            TimeUnit::Microseconds => seconds * 1e6,
            TimeUnit::Nanoseconds => seconds * 1e9,
        }
    }
}

/// A label of an instrument.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) key: String,
    pub(crate) value: Operand,
    pub(crate) redaction: Option<Redaction>,
}

impl Definition {
    /// Which number its values are.
    pub(super) fn number(&self) -> NumberType {
        match (&self.amount, self.kind) {
            (Amount::Unit | Amount::EachUnit(_), Kind::Counter) => NumberType::U64,
            (Amount::Unit | Amount::EachUnit(_), Kind::UpDownCounter) => NumberType::I64,
            _ => NumberType::F64,
        }
    }

    /// Whether it is up as long as an operation is under way.
    pub(super) fn is_active(&self) -> bool {
        self.kind == Kind::UpDownCounter && self.amount == Amount::Unit
    }

    /// What is wrong with it, and where in it, though each part may be right.
    pub(crate) fn faults(&self) -> Vec<(Part, String)> {
        let mut faults = Vec::new();
        if self.kind == Kind::Gauge && matches!(self.amount, Amount::Unit | Amount::EachUnit(_)) {
            faults.push((Part::Value, "would always be 1 in a gauge; make it a counter".to_owned()));
        }
        let moments = |selection: &Selection| selection.moments;
        let selected = |operand: &Operand| match operand {
            Operand::Selected(selection) => Some(selection.clone()),
            _ => None,
        };
        let mut asked: Vec<(Part, Selection)> = Vec::new();
        for attribute in &self.attributes {
            asked.extend(
                selected(&attribute.value)
                    .map(|selection| (Part::Attribute(attribute.key.clone()), selection)),
            );
        }
        if let Some(condition) = &self.condition {
            condition.map(&mut |operand| {
                asked.extend(selected(operand).map(|selection| (Part::Condition, selection)));
            });
        }
        for (part, selection) in asked {
            let never = |when: &str| {
                format!(
                    "{:?} has a value at {} only, which is too late: {when}",
                    selection.name,
                    moments(&selection).shown()
                )
            };
            if self.is_active() && !moments(&selection).has(Moment::Request) {
                faults.push((part, never("an up-down counter of unit goes up at the request")));
            } else if let Some(moment) = self.amount.repeated()
                && !comes_by(moments(&selection), moment)
            {
                faults.push((part, never(&format!("this is recorded at each {moment}"))));
            }
        }
        if let Amount::EachSelected(moment, selection) = &self.amount
            && !selection.moments.has(*moment)
        {
            let when = selection.moments.shown();
            let message = format!("{:?} has no value at an {moment}, only at {when}", selection.name);
            faults.push((Part::Value, message));
        }
        faults
    }
}

/// Whether a value may be there when something is recorded in this moment.
fn comes_by(moments: Moments, moment: Moment) -> bool {
    moments.has(Moment::Request) || moments.has(Moment::Response) || moments.has(moment)
}

/// A part of a definition that something is wrong with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Value,
    Condition,
    Attribute(String),
}
