//! The metrics that producers say: defined while the program runs, so there is a bound to how many.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use crate::definition::{Definition, Kind, Place, PrometheusType, Source, Visibility};
use crate::instrumentation::Scope;
use crate::interned;
use crate::lock;
use crate::number::NumberType;
use crate::registry;
use crate::said::Said;
use crate::store::blocks::Blocks;

/// The most metrics of a process that producers say.
const MOST: usize = 4_096;

/// The longest names and units, as those of instruments; and the longest description, in bytes.
const LONGEST: usize = 255;
const LONGEST_DESCRIPTION: usize = 1_024;

/// A metric of which somebody else keeps the series, as a [`Producer`](crate::Producer) is told of it.
///
/// ```
/// use metercast_core::{Kind, NumberType, Produced, PrometheusType};
///
/// // As instruments are named: exporters add what their format wants.
/// let waiting = Produced::new("pool.waiting", Kind::UpDownCounter).number(NumberType::I64).unit("{request}");
/// // As Prometheus names it: exporters leave the name as it is.
/// let requests = Produced::prometheus("http_requests_total", PrometheusType::Counter).description("Requests.");
/// # let _ = (waiting, requests);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Produced<'a> {
    pub(crate) name: &'a str,
    source: Source,
    kind: Kind,
    number: NumberType,
    unit: &'a str,
    description: &'a str,
    visibility: Visibility,
    scope: Scope,
}

impl<'a> Produced<'a> {
    /// A metric that is named as instruments are, such as `pool.wait.duration`. Its numbers are doubles.
    pub const fn new(name: &'a str, kind: Kind) -> Produced<'a> {
        Produced {
            name,
            source: Source::Plain,
            kind,
            number: NumberType::F64,
            unit: "",
            description: "",
            visibility: Visibility::Public,
            scope: Scope::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        }
    }

    /// A metric that is named for Prometheus, such as `pool_wait_duration_seconds`: its samples get this name, but for the
    /// suffixes of buckets, sums and counts. Its numbers are doubles.
    pub const fn prometheus(name: &'a str, of: PrometheusType) -> Produced<'a> {
        let mut produced = Produced::new(name, of.kind());
        produced.source = Source::Prometheus(of);
        produced
    }

    /// With this type of numbers; distributions have none.
    pub const fn number(mut self, number: NumberType) -> Produced<'a> {
        self.number = number;
        self
    }

    /// With its unit, in UCUM: `s`, `By`, `{request}`.
    pub const fn unit(mut self, unit: &'a str) -> Produced<'a> {
        self.unit = unit;
        self
    }

    /// With what it measures, in words. Over 1 KiB it is cut. The first that a process is told of a metric stays.
    pub const fn description(mut self, description: &'a str) -> Produced<'a> {
        self.description = description;
        self
    }

    /// With who may see it.
    pub const fn visibility(mut self, visibility: Visibility) -> Produced<'a> {
        self.visibility = visibility;
        self
    }

    /// With the library that keeps it, or that brings it here: OpenTelemetry's instrumentation scope.
    pub const fn scope(mut self, name: &'static str, version: &'static str) -> Produced<'a> {
        self.scope = Scope::new(name, version);
        self
    }

    /// What is wrong with the name or the unit.
    fn fault(&self) -> Option<String> {
        let is_odd = |text: &str| text.chars().any(char::is_control);
        if self.name.is_empty() {
            return Some("has no name; give it one".to_owned());
        }
        if self.name.len() > LONGEST || self.unit.len() > LONGEST {
            return Some(format!("has a name or a unit of more than {LONGEST} bytes; shorten it"));
        }
        (is_odd(self.name) || is_odd(self.unit))
            .then(|| "has a control character in its name or unit; leave it out".to_owned())
    }

    /// The one definition of this metric, made by whoever asks first; or what is wrong with it.
    pub(crate) fn definition(&self, place: Place) -> Result<&'static Arc<Definition>, String> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let out_of_reach = || "cannot be defined just now".to_owned();
        let mut known = lock::patiently(&KNOWN).ok_or_else(out_of_reach)?;
        let known = known.get_or_insert_default();
        let identity = (self.name, self.kind, self.number, self.unit, self.source, self.scope);
        if let Some(definition) = known.get(&identity) {
            return Ok(definition);
        }
        if known.len() >= MOST {
            return Err(format!("is one more than the {MOST} metrics that producers of a process may say"));
        }
        let end = (0..=self.description.len().min(LONGEST_DESCRIPTION)).rev();
        let end = end.into_iter().find(|end| self.description.is_char_boundary(*end)).unwrap_or(0);
        let texts = [self.name, self.unit, &self.description[..end]].map(interned::text);
        let [Some(name), Some(unit), Some(description)] = texts else {
            return Err("is given more text than there is room for in a process".to_owned());
        };
        let definition = registry::add(|id| Definition {
            id,
            name,
            kind: self.kind,
            number: self.number,
            unit: Said::new(unit),
            description: Said::new(description),
            sets: None,
            scope: self.scope,
            is_apart: false,
            place,
            is_private: AtomicBool::new(self.visibility == Visibility::Private),
            is_configured: AtomicBool::new(false),
            is_programmed: AtomicBool::new(true),
            is_observable: false,
            source: Some(self.source),
            fixed: Blocks::new(),
            shapes: Blocks::new(),
            differences: RwLock::new(Vec::new()),
        });
        let definition = definition.ok_or_else(out_of_reach)?;
        known.insert((name, self.kind, self.number, unit, self.source, self.scope), definition);
        Ok(definition)
    }
}

/// Two that agree in this are one metric.
type Identity = (&'static str, Kind, NumberType, &'static str, Source, Scope);

static KNOWN: Mutex<Option<HashMap<Identity, &'static Arc<Definition>>>> = Mutex::new(None);

/// Bounds of the buckets that producers know, of which so many are kept for ever; or what is wrong with them.
pub(crate) fn bounds(bounds: &[f64]) -> Result<&'static [f64], String> {
    let mut known = lock::patiently(&BOUNDS).ok_or("cannot be read just now")?;
    let bits = |bounds: &[f64]| bounds.iter().map(|bound| bound.to_bits()).collect::<Vec<_>>();
    let known = known.get_or_insert_default();
    let key = bits(bounds);
    if let Some(known) = known.get(&key) {
        return Ok(known);
    }
    if known.len() >= MOST_BOUNDS {
        return Err(format!("has other buckets than the {MOST_BOUNDS} that producers of a process may say"));
    }
    let interned = crate::reading::interned_bounds(bounds)?;
    known.insert(key, interned);
    Ok(interned)
}

/// The most different buckets that producers of a process may say.
const MOST_BOUNDS: usize = 1_024;

static BOUNDS: Mutex<Option<HashMap<Vec<u64>, &'static [f64]>>> = Mutex::new(None);
