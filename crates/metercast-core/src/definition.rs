//! What a metric is: its name, kind, number, unit and description, and the place that defined it.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::label::Keys;
use crate::name::{assert_instrument_name, assert_label_names};
use crate::number::NumberType;
use crate::registry::FixedSeries;
use crate::site::EachSet;
use crate::store::blocks::Blocks;

/// What a metric's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A total that only grows.
    Counter,
    /// A total that grows and shrinks, such as the length of a queue.
    UpDownCounter,
    /// The newest of values that cannot be added up, such as a temperature.
    Gauge,
    /// The distribution of values over buckets.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Counter => "counter",
            Kind::UpDownCounter => "up-down counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        })
    }
}

/// The library that defines a metric: OpenTelemetry's instrumentation scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Scope {
    /// The name, for our macros that of the crate.
    pub name: &'static str,
    /// The version; may be empty.
    pub version: &'static str,
}

impl Scope {
    #[doc(hidden)]
    pub const fn new(name: &'static str, version: &'static str) -> Scope {
        Scope { name, version }
    }
}

/// Where in the source a metric is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The source file, as the compiler names it.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a macro knows of a metric while compiling. The store makes a [`Definition`] of it at first use.
#[doc(hidden)]
#[derive(Debug)]
pub struct Descriptor {
    pub name: &'static str,
    pub kind: Kind,
    pub number: NumberType,
    pub unit: &'static str,
    pub description: &'static str,
    /// Upper bounds of a histogram's buckets; `None` leaves the choice to the unit.
    pub bounds: Option<&'static [f64]>,
    pub labels: Keys,
    /// Whether all its series are shown at zero before they are recorded.
    pub zeroes: bool,
    /// Names these series.
    pub sets: Option<EachSet>,
    pub scope: Scope,
    pub place: Place,
}

impl Descriptor {
    /// A metric without description, unit, bounds or labels.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        number: NumberType,
        scope: Scope,
        file: &'static str,
        line: u32,
    ) -> Descriptor {
        let place = Place { file, line };
        Descriptor {
            name,
            kind,
            number,
            unit: "",
            description: "",
            bounds: None,
            labels: Keys::NONE,
            zeroes: false,
            sets: None,
            scope,
            place,
        }
    }

    /// With what it measures, in words.
    pub const fn description(mut self, description: &'static str) -> Descriptor {
        self.description = description.trim_ascii();
        self
    }

    /// With its unit, in UCUM.
    pub const fn unit(mut self, unit: &'static str) -> Descriptor {
        self.unit = unit;
        self
    }

    /// With the upper bounds of its buckets.
    pub const fn buckets(mut self, bounds: &'static [f64]) -> Descriptor {
        self.bounds = Some(bounds);
        self
    }

    /// With the names of its labels, in the order in which values are given.
    pub const fn labels(mut self, labels: &'static [&'static str]) -> Descriptor {
        self.labels = Keys::of(labels);
        self
    }

    /// With all its series at zero before they are recorded, or not.
    pub const fn zeroes(mut self, zeroes: bool) -> Descriptor {
        self.zeroes = zeroes;
        self
    }

    /// Itself, if the series that it wants to have at zero are known: `sets` names them if the labels are all closed. Fails
    /// the build otherwise.
    #[track_caller]
    pub const fn zeroes_asserted(mut self, sets: Option<EachSet>) -> Descriptor {
        if self.zeroes {
            assert!(
                !matches!(self.kind, Kind::Gauge),
                "a gauge has no value before it is set, not even zero; leave `zeroes` out"
            );
            assert!(
                sets.is_some(),
                "`zeroes` needs labels whose values are all known: bool, or an enum or one_of made with `labels!`"
            );
            self.sets = sets;
        }
        self
    }

    /// Itself, if a declaration may say this: fails the build otherwise.
    #[track_caller]
    pub const fn asserted(self) -> Descriptor {
        assert_instrument_name(self.name);
        assert_label_names(self.labels.names);
        if let Some(bounds) = self.bounds {
            assert!(matches!(self.kind, Kind::Histogram), "only a histogram has buckets; leave them out");
            let mut at = 0;
            while at < bounds.len() {
                assert!(bounds[at].is_finite(), "a bound is not finite; the last bucket is implied");
                assert!(at == 0 || bounds[at - 1] < bounds[at], "the buckets do not increase; sort them");
                at += 1;
            }
        }
        self
    }
}

/// A metric, defined once: one name, one kind, one unit, one description.
#[derive(Debug)]
pub struct Definition {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) number: NumberType,
    pub(crate) unit: &'static str,
    pub(crate) description: &'static str,
    pub(crate) sets: Option<(EachSet, &'static [&'static str])>,
    pub(crate) scope: Scope,
    pub(crate) place: Place,
    /// The series that the program text names: no labels, literal labels, typed labels.
    pub(crate) fixed: Blocks<FixedSeries>,
    /// The keys that sites of this metric give, in their order: the numbers of the shapes.
    pub(crate) shapes: RwLock<Vec<u32>>,
    /// What other definitions of the same metric say differently.
    pub(crate) differences: RwLock<Vec<String>>,
}

impl Definition {
    pub(crate) fn shapes(&self) -> Vec<u32> {
        self.shapes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The name as it was declared, such as `orders.placed`.
    pub fn name(&self) -> &str {
        self.name
    }

    /// What the values mean.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which number the metric holds.
    pub fn number(&self) -> NumberType {
        self.number
    }

    /// The unit in UCUM (`s`, `By`, `{order}`); empty if none was given.
    pub fn unit(&self) -> &str {
        self.unit
    }

    /// What it measures, in words; may be empty.
    pub fn description(&self) -> &str {
        self.description
    }

    /// Whether all its series are shown at zero before they are recorded.
    pub fn zeroes(&self) -> bool {
        self.sets.is_some()
    }

    /// The library that defined it.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Where it was first defined.
    pub fn place(&self) -> Place {
        self.place
    }
}
