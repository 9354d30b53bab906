//! One metric of the facade: a name and a kind, and what was said of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

use metercast_core::{Instrument, InstrumentError, Kind, NumberType};
use metrics::{SharedString, Unit};

use crate::name;
use crate::rules::{Rules, Shape};
use crate::unit::{self, ucum};

/// One name with one of the facade's three kinds.
pub(crate) struct Metric {
    /// As the program gives it.
    pub(crate) name: String,
    /// `None` if it cannot be made.
    instrument: OnceLock<Option<Instrument>>,
    said: OnceLock<Said>,
    /// Whether it was reported that something else was said later.
    contradicted: AtomicBool,
    /// How many keys are kept.
    pub(crate) keys: AtomicU32,
}

/// What a description says.
struct Said {
    unit: &'static str,
    description: SharedString,
}

impl Metric {
    pub(crate) fn new(name: &str) -> Metric {
        Metric {
            name: name.to_owned(),
            instrument: OnceLock::new(),
            said: OnceLock::new(),
            contradicted: AtomicBool::new(false),
            keys: AtomicU32::new(0),
        }
    }

    pub(crate) fn hash(name: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hasher.finish()
    }

    /// The instrument; `None` if it was not made yet, `Some(None)` if it cannot be.
    pub(crate) fn instrument(&self) -> Option<Option<Instrument>> {
        self.instrument.get().copied()
    }

    /// The instrument, made now if it was not; `None` if it cannot be, of which the store is told. The caller holds the lock.
    pub(crate) fn make(&self, kind: Kind, rules: &Rules, module: &str) -> Option<Instrument> {
        if let Some(made) = self.instrument() {
            return made;
        }
        let made = match self.built(kind, rules, module) {
            Ok(instrument) => Some(instrument),
            // So it is for this once.
            Err(InstrumentError::OutOfReach { .. }) => return None,
            Err(_) => None,
        };
        *self.instrument.get_or_init(|| made)
    }

    fn built(&self, kind: Kind, rules: &Rules, module: &str) -> Result<Instrument, InstrumentError> {
        let name = name::kept(&self.name).into_owned();
        let (unit, description) =
            self.said.get().map_or(("", String::new()), |said| (said.unit, said.description.to_string()));
        let (shape, unit) = match kind {
            Kind::Histogram if unit.is_empty() => (rules.of(&self.name), unit::of_name(&self.name)),
            Kind::Histogram => (rules.of(&self.name), unit),
            _ => (&Shape::ByUnit, unit),
        };
        let kind = if *shape == Shape::Summary { Kind::Summary } else { kind };
        let number = if kind == Kind::Counter { NumberType::U64 } else { NumberType::F64 };
        let builder = Instrument::builder(kind, number, name).unit(unit).description(description);
        // The macros know no lines.
        let builder = builder.place(module.to_owned(), 0);
        match shape {
            Shape::ByUnit => builder,
            Shape::Bounds(bounds) => builder.bounds(bounds),
            Shape::Exponential => builder.exponential(),
            Shape::Summary => builder.quantiles(&rules.quantiles, rules.window),
        }
        .build()
    }

    /// Whether exactly this was said of it before.
    pub(crate) fn is_said(&self, unit: Option<Unit>, description: &str) -> bool {
        self.said.get().is_some_and(|said| said.unit == spelled(unit) && *said.description == *description)
    }

    /// Takes a description: the first one stays. The caller holds the lock. Gives what to report of a later one that says
    /// something else, once.
    pub(crate) fn describe(&self, unit: Option<Unit>, description: SharedString) -> Option<String> {
        let unit = spelled(unit);
        if let Err(later) = self.said.set(Said { unit, description }) {
            let first = self.said.get()?;
            let differs = first.unit != later.unit || *first.description != *later.description;
            if !differs || self.contradicted.swap(true, Relaxed) {
                return None;
            }
            return Some(format!(
                "is described twice by `metrics::describe_*!`, as {:?} in {:?} and as {:?} in {:?}; the first is kept: make \
                 them equal",
                &*first.description, first.unit, &*later.description, later.unit
            ));
        }
        let said = self.said.get()?;
        self.instrument()??.describe(said.unit, &said.description);
        None
    }
}

fn spelled(unit: Option<Unit>) -> &'static str {
    unit.map_or("", ucum)
}
