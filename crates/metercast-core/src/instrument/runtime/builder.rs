//! What an instrument is to be, piece by piece, and what is wrong with it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::{Instrument, Runtime};
use crate::definition::{Descriptor, Kind, Visibility};
use crate::instrumentation::Scope;
use crate::interned::{self, Content, Library, Static, Wanted};
use crate::label::{KeyValue, LabelSet};
use crate::local;
use crate::name::instrument_name_fault;
use crate::number::NumberType;
use crate::registry::{self, joined};
use crate::store::layout;

/// An [`Instrument`] that is still to be built; made by [`Instrument::builder`].
///
/// ```
/// use std::time::Duration;
/// use metercast_core::{Instrument, KeyValue, Kind, NumberType, Visibility};
///
/// let builder = || {
///     Instrument::builder(Kind::Summary, NumberType::F64, "job.duration")
///         .unit("s")
///         .description("Time that a job took")
///         .visibility(Visibility::Private)
///         .scope("jobs", "1.2.0")
///         .scope_attributes([KeyValue::new("plugin", "importer")])
///         .quantiles(&[0.5, 0.99], Duration::from_secs(300))
/// };
/// assert_eq!(builder().build()?, builder().build()?);
/// assert_ne!(builder().build()?, builder().unit("ms").build()?);
/// # Ok::<(), metercast_core::InstrumentError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is made before `build`"]
pub struct InstrumentBuilder {
    content: Content,
    place: Option<(Cow<'static, str>, u32)>,
}

impl InstrumentBuilder {
    pub(super) fn new(kind: Kind, number: NumberType, name: Cow<'static, str>) -> InstrumentBuilder {
        let content = Content {
            name,
            kind,
            number,
            unit: Cow::Borrowed(""),
            description: Cow::Borrowed(""),
            buckets: Wanted::ByUnit,
            visibility: Visibility::Public,
            observable: false,
            configured: false,
            scope: None,
        };
        InstrumentBuilder { content, place: None }
    }

    /// With a unit, in UCUM: `s`, `By`, `{request}`.
    pub fn unit(mut self, unit: impl Into<Cow<'static, str>>) -> InstrumentBuilder {
        self.content.unit = unit.into();
        self
    }

    /// With what it measures, in words.
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> InstrumentBuilder {
        self.content.description = match joined(description.into()) {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
        };
        self
    }

    /// With who may see it; without, everybody.
    pub fn visibility(mut self, visibility: Visibility) -> InstrumentBuilder {
        self.content.visibility = visibility;
        self
    }

    /// With the library that it belongs to, by name and version. Its name is that of the scope then: another scope may have
    /// a metric of the same name, and it is not the same metric. Without a scope it belongs to the program, as what the macros define.
    pub fn scope(
        mut self,
        name: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> InstrumentBuilder {
        let library = self.library();
        (library.name, library.version) = (name.into(), version.into());
        self
    }

    /// With what else tells the scope from others. Of a key that is given twice the last value stays, and what has no key is left
    /// out.
    pub fn scope_attributes(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> InstrumentBuilder {
        let attributes: LabelSet = attributes.into_iter().collect();
        let owned = attributes.iter().map(|(key, value)| KeyValue::new(key.to_owned(), value.clone()));
        self.library().attributes = owned.collect();
        self
    }

    /// With the schema that the telemetry of the scope follows, such as `https://opentelemetry.io/schemas/1.30.0`.
    pub fn scope_schema(mut self, url: impl Into<Cow<'static, str>>) -> InstrumentBuilder {
        self.library().schema_url = url.into();
        self
    }

    /// With values that callbacks say: a counter, an up-down counter or a gauge that is not recorded into.
    pub fn observable(mut self) -> InstrumentBuilder {
        self.content.observable = true;
        self
    }

    /// As one that a configuration defines, not the program. Exporters that belong to the program's vendor take none of these
    /// ([`Definition::is_configured`](crate::Definition::is_configured)); and the series without labels can end as all
    /// others do, since the configuration may be another one day, so it has no fixed slot.
    pub fn configured(mut self) -> InstrumentBuilder {
        self.content.configured = true;
        self
    }

    /// With these upper bounds of its buckets, finite and increasing, at most 510: a histogram. Without, those that fit
    /// its unit.
    pub fn bounds(mut self, bounds: &[f64]) -> InstrumentBuilder {
        self.content.buckets = Wanted::Bounds(bits(bounds));
        self
    }

    /// With buckets that find their own bounds: a histogram.
    pub fn exponential(mut self) -> InstrumentBuilder {
        self.content.buckets = Wanted::Exponential;
        self
    }

    /// With these quantiles, from 0 to 1 and increasing, of what came within the window, in whole seconds and at least one: a
    /// summary. Without, 0.5, 0.9, 0.95 and 0.99 over 60 seconds.
    pub fn quantiles(mut self, quantiles: &[f64], window: Duration) -> InstrumentBuilder {
        let seconds = window.as_secs() + u64::from(window.subsec_nanos() > 0);
        let window_seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        self.content.buckets = Wanted::Quantiles { quantiles: bits(quantiles), window_seconds };
        self
    }

    /// With the place that defines it, such as a line of a configuration file; line 0 if it is no place in a file. Without, it is
    /// that of [`build`](Self::build).
    pub fn place(mut self, file: impl Into<Cow<'static, str>>, line: u32) -> InstrumentBuilder {
        self.place = Some((file.into(), line));
        self
    }

    /// The instrument. Two of the same content are the same, whichever place they are built at; the first place is kept.
    ///
    /// A definition that contradicts another one of the same name is no error here, since two stores may use a name for two
    /// metrics: within a store the first that is read stays, which is one of its [`problems`](crate::Store::problems). So it is one
    /// of the current store if a name differs from an earlier one of its scope in nothing but case.
    ///
    /// # Errors
    ///
    /// If the name is not valid (OpenTelemetry, "Instrument name syntax"), if kind, number and buckets do not fit each other, or
    /// if the process has as many instruments as it may: 16,384, or as many as have 16 MiB of texts. It is one of the
    /// problems of the current store as well.
    #[track_caller]
    pub fn build(self) -> Result<Instrument, InstrumentError> {
        let caller = Location::caller();
        let built = self.built(caller);
        match &built {
            Ok(instrument) => {
                instrument.report_alike();
                let descriptor = instrument.descriptor();
                if descriptor.configured {
                    // Known from now on, so that it can be withdrawn before anything is recorded.
                    let _ = registry::define(descriptor);
                }
            }
            Err(error) => local::with_store(|store| store.problems.report(error.metric(), error.fault())),
        }
        built
    }

    fn built(self, caller: &'static Location<'static>) -> Result<Instrument, InstrumentError> {
        let InstrumentBuilder { content, place } = self;
        check(&content)?;
        let Content { kind, number, visibility, observable, configured, .. } = content;
        interned::instrument(content, place, |made: &Static, place| {
            let Static { name, unit, description, buckets, scope, alike } = *made;
            let apart = scope.is_some();
            let scope = scope.unwrap_or(Scope::new("", ""));
            let (file, line) = place.unwrap_or((caller.file(), caller.line()));
            let plain = Descriptor::new(name, kind, number, scope, file, line);
            let descriptor =
                Descriptor { unit, description, buckets, visibility, observable, configured, apart, ..plain };
            Runtime::new(Box::leak(Box::new(descriptor)), alike)
        })
    }

    fn library(&mut self) -> &mut Library {
        self.content.scope.get_or_insert_with(Library::default)
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn doubles(bits: &[u64]) -> Vec<f64> {
    bits.iter().map(|bits| f64::from_bits(*bits)).collect()
}

/// What is wrong with an instrument before anybody else is looked at.
fn check(content: &Content) -> Result<(), InstrumentError> {
    let metric = || shortened(&content.name);
    if let Some(fault) = instrument_name_fault(&content.name) {
        return Err(InstrumentError::Name { metric: metric(), fault });
    }
    let fault = match (content.kind, content.number, &content.buckets) {
        (Kind::Counter, NumberType::I64, _) => {
            Err("is a counter, which never goes down: make it of u64 or f64, or make it an up-down counter"
                .into())
        }
        (Kind::UpDownCounter, NumberType::U64, _) => {
            Err("is an up-down counter, whose amounts may be negative: make it of i64 or f64".into())
        }
        (Kind::Histogram | Kind::Summary, ..) if content.observable => {
            Err("is a distribution, and callbacks say single values: leave `observable` out".into())
        }
        (_, _, Wanted::ByUnit) => Ok(()),
        (Kind::Histogram, _, Wanted::Bounds(bounds)) => layout::check(&doubles(bounds)),
        (Kind::Histogram, _, Wanted::Exponential) => Ok(()),
        (Kind::Summary, _, Wanted::Quantiles { window_seconds: 0, .. }) => {
            Err("has a window of no seconds, with nothing in it: give it one second or more".into())
        }
        (Kind::Summary, _, Wanted::Quantiles { quantiles, .. }) => {
            layout::check_quantiles(&doubles(quantiles))
        }
        (kind, ..) => Err(format!(
            "is a {kind}: only a histogram has buckets, and only a summary quantiles; leave them out"
        )),
    };
    fault.map_err(|fault| InstrumentError::Contradiction { metric: metric(), fault })
}

/// What is shown of a name that may be of any length.
fn shortened(name: &str) -> String {
    name.chars().take(255).collect()
}

/// Why an [`Instrument`] was not built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstrumentError {
    /// The name is not valid.
    Name {
        /// The name, of which at most 255 characters are kept.
        metric: String,
        /// What is wrong with it, and how to mend it.
        fault: &'static str,
    },
    /// Its kind, number and buckets do not fit each other.
    Contradiction {
        /// The name.
        metric: String,
        /// What is wrong, and how to mend it.
        fault: String,
    },
    /// The process has as many instruments as it may, or as much text of them.
    Full {
        /// The name.
        metric: String,
        /// What there is no more of, and how to mend it.
        fault: String,
    },
    /// What is known of instruments is out of reach, as in a child of a fork that was made in the middle of a build.
    OutOfReach {
        /// The name.
        metric: String,
    },
}

impl InstrumentError {
    /// The name that was given, of which at most 255 characters are kept.
    pub fn metric(&self) -> &str {
        match self {
            InstrumentError::Name { metric, .. }
            | InstrumentError::Contradiction { metric, .. }
            | InstrumentError::Full { metric, .. }
            | InstrumentError::OutOfReach { metric } => metric,
        }
    }

    /// As it stands behind the name.
    fn fault(&self) -> String {
        match self {
            InstrumentError::Name { fault, .. } => format!("is not made: the name {fault}"),
            InstrumentError::Contradiction { fault, .. } | InstrumentError::Full { fault, .. } => {
                fault.clone()
            }
            InstrumentError::OutOfReach { .. } => {
                "is not made, since somebody holds the lock for it: build it before the process forks"
                    .to_owned()
            }
        }
    }
}

impl fmt::Display for InstrumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metric {:?} {}", self.metric(), self.fault())
    }
}

impl Error for InstrumentError {}
