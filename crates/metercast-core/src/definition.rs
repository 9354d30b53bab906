//! What a metric is: its name, kind, number, unit and description, and the place that defined it.

use std::fmt;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::instrumentation::Scope;
use crate::label::{Keys, Shape};
use crate::name::{assert_instrument_name, assert_label_names};
use crate::number::NumberType;
use crate::registry::FixedSeries;
use crate::said::Said;
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
    /// Quantiles of the values that came of late.
    Summary,
}

/// What a metric is that is kept, and named, for Prometheus; see [`Definition::prometheus_type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrometheusType {
    /// A total that only grows: a [`Kind::Counter`].
    Counter,
    /// A value of now: a [`Kind::Gauge`].
    Gauge,
    /// A distribution over buckets: a [`Kind::Histogram`].
    Histogram,
    /// Quantiles: a [`Kind::Summary`].
    Summary,
    /// Labels that describe something, and the value 1: a [`Kind::UpDownCounter`], since several add up to how many there are.
    Info,
    /// Nobody knows: a [`Kind::Gauge`].
    Unknown,
}

impl PrometheusType {
    /// As Prometheus calls it: `counter`, `unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            PrometheusType::Counter => "counter",
            PrometheusType::Gauge => "gauge",
            PrometheusType::Histogram => "histogram",
            PrometheusType::Summary => "summary",
            PrometheusType::Info => "info",
            PrometheusType::Unknown => "unknown",
        }
    }

    /// What its values mean.
    pub const fn kind(self) -> Kind {
        match self {
            PrometheusType::Counter => Kind::Counter,
            PrometheusType::Gauge | PrometheusType::Unknown => Kind::Gauge,
            PrometheusType::Histogram => Kind::Histogram,
            PrometheusType::Summary => Kind::Summary,
            PrometheusType::Info => Kind::UpDownCounter,
        }
    }
}

/// Who may see a metric, unless an exporter takes both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Visibility {
    /// Whoever reads metrics of the program.
    #[default]
    Public,
    /// Exporters that ask for private metrics, such as the vendor's.
    Private,
}

/// What the buckets of a histogram are, or the quantiles of a summary.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Buckets {
    /// Bounds that fit the unit of a histogram; the usual quantiles of a summary.
    ByUnit,
    /// Upper bounds, finite and increasing.
    Bounds(&'static [f64]),
    /// Bounds that follow the values: base-2 exponential.
    Exponential,
    /// Quantiles of what came within the window.
    Quantiles { quantiles: &'static [f64], window_seconds: u32 },
}

impl Buckets {
    /// What a summary has that says nothing.
    pub(crate) const USUAL_QUANTILES: Buckets =
        Buckets::Quantiles { quantiles: QUANTILES, window_seconds: WINDOW_SECONDS };
}

/// The quantiles of a summary that names none.
pub const QUANTILES: &[f64] = &[0.5, 0.9, 0.95, 0.99];

/// The window of a summary that names none.
pub const WINDOW_SECONDS: u32 = 60;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Counter => "counter",
            Kind::UpDownCounter => "up-down counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        })
    }
}

/// Where in the source a metric is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The source file, as the compiler names it.
    pub file: &'static str,
    /// The line, counted from 1; 0 if it is no place in a file.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { f.write_str(self.file) } else { write!(f, "{}:{}", self.file, self.line) }
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
    pub buckets: Buckets,
    pub labels: Keys,
    /// Whether all its series are shown at zero before they are recorded.
    pub zeroes: bool,
    /// Whether the program text bounds its series: then they are not limited, and do not end.
    pub closed: bool,
    /// Names these series.
    pub sets: Option<EachSet>,
    pub visibility: Visibility,
    /// Whether callbacks say its values.
    pub observable: bool,
    /// Whether a configuration defines it.
    pub configured: bool,
    pub scope: Scope,
    /// Whether the scope is a name space of its own, rather than a part of the program.
    pub apart: bool,
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
            buckets: Buckets::ByUnit,
            labels: Keys::NONE,
            zeroes: false,
            closed: false,
            sets: None,
            visibility: Visibility::Public,
            observable: false,
            configured: false,
            scope,
            apart: false,
            place,
        }
    }

    /// With who may see it.
    pub const fn visibility(mut self, visibility: Visibility) -> Descriptor {
        self.visibility = visibility;
        self
    }

    /// With values that callbacks say, or not.
    pub const fn observable(mut self, observable: bool) -> Descriptor {
        self.observable = observable;
        self
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
        self.buckets = Buckets::Bounds(bounds);
        self
    }

    /// With buckets that find their own bounds.
    pub const fn exponential(mut self, exponential: bool) -> Descriptor {
        if exponential {
            self.buckets = Buckets::Exponential;
        }
        self
    }

    /// With these quantiles, from 0 to 1.
    pub const fn quantiles(mut self, quantiles: &'static [f64]) -> Descriptor {
        let window_seconds = match self.buckets {
            Buckets::Quantiles { window_seconds, .. } => window_seconds,
            _ => WINDOW_SECONDS,
        };
        self.buckets = Buckets::Quantiles { quantiles, window_seconds };
        self
    }

    /// With quantiles of what was recorded in the last so many seconds.
    pub const fn window_seconds(mut self, window_seconds: u32) -> Descriptor {
        let quantiles = match self.buckets {
            Buckets::Quantiles { quantiles, .. } => quantiles,
            _ => QUANTILES,
        };
        self.buckets = Buckets::Quantiles { quantiles, window_seconds };
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

    /// With labels that are all in the program text.
    pub const fn closed(mut self) -> Descriptor {
        self.closed = true;
        self
    }

    /// Itself, if the series that it wants to have at zero are known: `sets` names them if the labels are all closed. Fails
    /// the build otherwise.
    #[track_caller]
    pub const fn zeroes_asserted(mut self, sets: Option<EachSet>) -> Descriptor {
        self.closed = sets.is_some();
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
        let is_summary = matches!(self.kind, Kind::Summary);
        let has_quantiles = matches!(self.buckets, Buckets::Quantiles { .. });
        assert!(
            matches!(self.buckets, Buckets::ByUnit) || matches!(self.kind, Kind::Histogram) || is_summary,
            "only a histogram has buckets, and only a summary quantiles; leave them out"
        );
        assert!(is_summary || !has_quantiles, "a histogram has buckets, not quantiles: make it a Summary");
        assert!(
            !is_summary || has_quantiles || matches!(self.buckets, Buckets::ByUnit),
            "a summary has quantiles, not buckets: make it a Histogram"
        );
        if let Buckets::Quantiles { quantiles, window_seconds } = self.buckets {
            assert!(window_seconds > 0, "a window of no seconds has nothing in it");
            let mut at = 0;
            while at < quantiles.len() {
                assert!(quantiles[at] >= 0.0 && quantiles[at] <= 1.0, "a quantile is from 0 to 1");
                assert!(
                    at == 0 || quantiles[at - 1] < quantiles[at],
                    "the quantiles do not increase; sort them"
                );
                at += 1;
            }
        }
        if let Buckets::Bounds(bounds) = self.buckets {
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

/// How a producer names a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// As instruments are named.
    Plain,
    /// As Prometheus names this type: with the unit, and of counters with `_total`.
    Prometheus(PrometheusType),
}

/// A metric, defined once: one name, one kind, one unit, one description.
///
/// What the macros define belongs to the program: recorded under one name in several crates it is one metric, with the
/// [scope](Self::scope) of the first. An [`Instrument`](crate::Instrument) that is given a scope belongs to that scope,
/// and another scope may have a metric of the same name.
#[derive(Debug)]
pub struct Definition {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) number: NumberType,
    pub(crate) unit: Said,
    pub(crate) description: Said,
    pub(crate) sets: Option<(EachSet, &'static [&'static str])>,
    pub(crate) scope: Scope,
    /// Whether the name is that of the scope, rather than of the whole program.
    pub(crate) is_apart: bool,
    pub(crate) place: Place,
    /// Whether one of its sites says that it is private.
    pub(crate) is_private: AtomicBool,
    /// Whether one of its instruments is from a configuration.
    pub(crate) is_configured: AtomicBool,
    /// Whether the program itself defines it.
    pub(crate) is_programmed: AtomicBool,
    pub(crate) is_observable: bool,
    /// Who says its values, if that is a producer.
    pub(crate) source: Option<Source>,
    /// The series that the program text names: no labels, literal labels, typed labels.
    pub(crate) fixed: Blocks<FixedSeries>,
    /// The keys that sites of this metric give, in their order: the numbers of the shapes.
    pub(crate) shapes: Blocks<u32>,
    /// What other definitions of the same metric say differently.
    pub(crate) differences: RwLock<Vec<String>>,
}

impl Definition {
    pub(crate) fn shapes(&self) -> Vec<u32> {
        (0..self.shapes.len()).filter_map(|at| self.shapes.get(at).copied()).collect()
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

    /// The unit in UCUM (`s`, `By`, `{order}`); empty if none was given, which an
    /// [`Instrument`](crate::Instrument::describe) may do later.
    pub fn unit(&self) -> &str {
        self.unit.text()
    }

    /// What it measures, in words; may be empty, and be said later as the unit may.
    pub fn description(&self) -> &str {
        self.description.text()
    }

    /// The keys that places of the program text give its labels, of each place those in its order, as far as they are known:
    /// a place is, once it was used.
    pub fn label_keys(&self) -> Vec<Vec<&str>> {
        let shapes = self.shapes().into_iter().filter_map(Shape::get).map(|shape| shape.keys.to_vec());
        let fixed = (0..self.fixed.len()).filter_map(|at| self.fixed.get(at));
        let fixed = fixed.map(|fixed| fixed.labels.iter().map(|(key, _)| key).collect());
        let mut all: Vec<Vec<&str>> = shapes.chain(fixed).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether all its series are shown at zero before they are recorded.
    pub fn zeroes(&self) -> bool {
        self.sets.is_some()
    }

    /// Who may see it: private if one of the places that define it says so. Places that say nothing, such as the macros at
    /// call sites, go along.
    pub fn visibility(&self) -> Visibility {
        if self.is_private.load(Relaxed) { Visibility::Private } else { Visibility::Public }
    }

    /// Whether a [configuration](crate::InstrumentBuilder::configured) defines it, maybe beside the program.
    pub fn is_configured(&self) -> bool {
        self.is_configured.load(Relaxed)
    }

    /// Whether a configuration alone defines it, so that it goes when that has it no more.
    pub(crate) fn is_only_configured(&self) -> bool {
        self.is_configured() && !self.is_programmed.load(Relaxed)
    }

    /// Whether it was declared as observable: callbacks say its values.
    pub fn is_observable(&self) -> bool {
        self.is_observable
    }

    /// Whether a store cannot have both under one name: it belongs to the program, or to a scope that is apart.
    pub(crate) fn shares_names_with(&self, other: &Definition) -> bool {
        self.is_apart == other.is_apart && !self.is_apart || self.scope == other.scope
    }

    /// Whether a [producer](crate::Store::produce) says its values.
    pub fn is_produced(&self) -> bool {
        self.source.is_some()
    }

    /// What Prometheus knows it as, if it was named for Prometheus: then the name is complete, and an exporter puts neither
    /// the unit nor `_total` behind it.
    pub fn prometheus_type(&self) -> Option<PrometheusType> {
        match self.source? {
            Source::Prometheus(of) => Some(of),
            Source::Plain => None,
        }
    }

    /// Whether its name is that of its [scope](Self::scope), given at run time, rather than of the program: another scope
    /// may have a metric of the same name.
    pub fn has_scope_of_its_own(&self) -> bool {
        self.is_apart
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
