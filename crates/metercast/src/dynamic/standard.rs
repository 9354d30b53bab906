//! Instruments that a stage brings along: a configuration switches them on and says which attributes they have.

use metercast_core::Kind;

/// An instrument that a [`Stage`](super::Stage) knows by name, so that a configuration need only say `true`.
///
/// ```
/// use metercast::dynamic::{Level, Measures, Standard};
///
/// let duration = Standard::histogram("db.client.operation.duration", Measures::Duration, "s")
///     .description("How long operations take")
///     .buckets(&[0.001, 0.01, 0.1, 1.0])
///     .attribute("db.operation.name", Level::Required, "operation", "")
///     .attribute("server.address", Level::OptIn, "server", "address");
/// # _ = duration;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Standard {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) measures: Measures,
    pub(crate) unit: &'static str,
    pub(crate) description: &'static str,
    pub(crate) buckets: Option<&'static [f64]>,
    pub(crate) attributes: Vec<StandardAttribute>,
    pub(crate) is_default: bool,
}

/// What a [`Standard`] instrument measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measures {
    /// One for each operation; in an up-down counter as long as it is under way.
    Unit,
    /// How long the operation took, in the unit of the instrument: `s`, `ms`, `us` or `ns`.
    Duration,
    /// The number that this selector has with this argument.
    Selector(&'static str, &'static str),
    /// One for each event.
    EventUnit,
    /// The time since the event before, or since the beginning.
    EventDuration,
    /// The number that this selector has at each event, with this argument.
    EventSelector(&'static str, &'static str),
    /// One for each field.
    FieldUnit,
    /// The number that this selector has at each field, with this argument.
    FieldSelector(&'static str, &'static str),
}

/// How much an attribute of a [`Standard`] instrument is asked for, as semantic conventions have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// It is there with `default_requirement_level = "required"`, which is the default, and above. What a convention requires under a
    /// condition is of this level too.
    Required,
    /// It is there with `default_requirement_level = "recommended"`.
    Recommended,
    /// It is there only if it is asked for by name.
    OptIn,
}

#[derive(Clone, Debug)]
pub(crate) struct StandardAttribute {
    pub(crate) key: &'static str,
    pub(crate) level: Level,
    pub(crate) selector: &'static str,
    pub(crate) argument: &'static str,
}

impl Standard {
    /// A counter.
    pub fn counter(name: &'static str, measures: Measures, unit: &'static str) -> Standard {
        Standard::new(Kind::Counter, name, measures, unit)
    }

    /// An up-down counter.
    pub fn up_down_counter(name: &'static str, measures: Measures, unit: &'static str) -> Standard {
        Standard::new(Kind::UpDownCounter, name, measures, unit)
    }

    /// A gauge.
    pub fn gauge(name: &'static str, measures: Measures, unit: &'static str) -> Standard {
        Standard::new(Kind::Gauge, name, measures, unit)
    }

    /// A histogram.
    pub fn histogram(name: &'static str, measures: Measures, unit: &'static str) -> Standard {
        Standard::new(Kind::Histogram, name, measures, unit)
    }

    fn new(kind: Kind, name: &'static str, measures: Measures, unit: &'static str) -> Standard {
        let (description, buckets, attributes) = ("", None, Vec::new());
        Standard { name, kind, measures, unit, description, buckets, attributes, is_default: false }
    }

    /// With what it measures, in words.
    pub fn description(mut self, description: &'static str) -> Standard {
        self.description = description;
        self
    }

    /// With these bounds, finite and increasing: a histogram.
    pub fn buckets(mut self, bounds: &'static [f64]) -> Standard {
        self.buckets = Some(bounds);
        self
    }

    /// With an attribute, which this selector of the stage has with this argument, `""` if it needs none.
    pub fn attribute(
        mut self,
        key: &'static str,
        level: Level,
        selector: &'static str,
        argument: &'static str,
    ) -> Standard {
        self.attributes.push(StandardAttribute { key, level, selector, argument });
        self
    }

    /// There unless a configuration says `false`.
    pub fn by_default(mut self) -> Standard {
        self.is_default = true;
        self
    }
}
