//! What is defined while the program runs: kept for ever, once each, and bounded.
//!
//! Everything that a metric is made of is `&'static`, as if the program text had it. So what comes at run time is leaked, and
//! found again by its content; and beyond a bound there is nothing more of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard};

use crate::definition::{Buckets, Kind, Visibility};
use crate::instrument::{Instrument, InstrumentError, Runtime};
use crate::instrumentation::Scope;
use crate::label::{KeyValue, Value};
use crate::lock;
use crate::number::NumberType;

/// The most instruments that a process makes at run time.
pub(crate) const MOST_INSTRUMENTS: usize = 16_384;
/// The most bytes of names, descriptions, keys and the like that come at run time.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// What an instrument is: of two builds that agree in this, both give the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) number: NumberType,
    pub(crate) unit: Cow<'static, str>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) buckets: Wanted,
    pub(crate) visibility: Visibility,
    pub(crate) observable: bool,
    pub(crate) configured: bool,
    pub(crate) scope: Option<Library>,
}

/// The buckets or quantiles of an instrument, with doubles as their bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    ByUnit,
    Bounds(Vec<u64>),
    Exponential,
    Quantiles { quantiles: Vec<u64>, window_seconds: u32 },
}

/// A scope that is given at run time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Library {
    pub(crate) name: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) schema_url: Cow<'static, str>,
    /// Sorted by key, each key once.
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Default)]
struct Interned {
    instruments: HashMap<Content, Instrument>,
    scopes: HashMap<Library, Scope>,
    /// By scope and name in lower case: the name that came first.
    spellings: HashMap<(Option<Scope>, String), &'static str>,
    keys: HashSet<&'static [&'static str]>,
    memory: Memory,
}

/// What is left of the bytes.
#[derive(Default)]
struct Memory {
    texts: HashSet<&'static str>,
    bytes: usize,
}

static INTERNED: Mutex<Option<Interned>> = Mutex::new(None);

/// `None` if it is out of reach: see `lock`.
fn interned() -> Option<MutexGuard<'static, Option<Interned>>> {
    lock::patiently(&INTERNED)
}

/// The instrument with this content. The first that is built makes it, with `make`, which is given what is kept of it and of
/// its place.
pub(crate) fn instrument(
    content: Content,
    place: Option<(Cow<'static, str>, u32)>,
    make: impl FnOnce(&Static, Option<(&'static str, u32)>) -> Runtime,
) -> Result<Instrument, InstrumentError> {
    let metric = || content.name.clone().into_owned();
    let mut guard = interned().ok_or_else(|| InstrumentError::OutOfReach { metric: metric() })?;
    let Interned { instruments, scopes, spellings, memory, .. } = guard.get_or_insert_default();
    if let Some(known) = instruments.get(&content) {
        return Ok(*known);
    }
    let full = |what: String| InstrumentError::Full {
        metric: metric(),
        fault: format!(
            "is not made: {what}, as much as a process may; put what varies into labels rather than into names"
        ),
    };
    if instruments.len() >= MOST_INSTRUMENTS {
        return Err(full(format!("{MOST_INSTRUMENTS} instruments have been made at run time")));
    }
    let kept = memory.kept(&content, scopes).and_then(|kept| match place {
        Some((file, line)) => Some((kept, Some((memory.text(file)?, line)))),
        None => Some((kept, None)),
    });
    let Some((mut kept, place)) = kept else {
        return Err(full(format!("instruments made at run time have {} MiB of texts", MOST_BYTES >> 20)));
    };
    let first = *spellings.entry((kept.scope, kept.name.to_ascii_lowercase())).or_insert(kept.name);
    kept.alike = (first != kept.name).then_some(first);
    let instrument = Instrument::new(Box::leak(Box::new(make(&kept, place))));
    // With the texts that are kept anyway.
    let content = Content {
        name: Cow::Borrowed(kept.name),
        unit: Cow::Borrowed(kept.unit),
        description: Cow::Borrowed(kept.description),
        scope: kept.scope.map(Library::of),
        ..content
    };
    instruments.insert(content, instrument);
    Ok(instrument)
}

/// A text that is kept; `None` if there is no more room for it.
pub(crate) fn text(text: &str) -> Option<&'static str> {
    interned()?.get_or_insert_default().memory.text(Cow::Owned(text.to_owned()))
}

/// Keys that are kept; `None` if there is no more room for them.
pub(crate) fn keys(keys: &[&str]) -> Option<&'static [&'static str]> {
    // Recordings ask again and again.
    static ARE_FULL: AtomicBool = AtomicBool::new(false);
    if ARE_FULL.load(Relaxed) {
        return None;
    }
    let mut guard = interned()?;
    let kept = guard.get_or_insert_default().keys(keys);
    ARE_FULL.store(kept.is_none(), Relaxed);
    kept
}

impl Interned {
    fn keys(&mut self, keys: &[&str]) -> Option<&'static [&'static str]> {
        let Interned { keys: known, memory, .. } = self;
        let texts =
            keys.iter().map(|key| memory.text(Cow::Owned((*key).to_owned()))).collect::<Option<Vec<_>>>()?;
        if let Some(known) = known.get(&*texts) {
            return Some(known);
        }
        memory.take(size_of_val(&*texts))?;
        let kept: &'static [&'static str] = Vec::leak(texts);
        known.insert(kept);
        Some(kept)
    }
}

/// What of an instrument is kept for ever.
#[derive(Debug)]
pub(crate) struct Static {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) description: &'static str,
    pub(crate) buckets: Buckets,
    pub(crate) scope: Option<Scope>,
    /// A name of the same scope that came before and differs in nothing but case.
    pub(crate) alike: Option<&'static str>,
}

impl Library {
    fn of(scope: Scope) -> Library {
        Library {
            name: Cow::Borrowed(scope.name),
            version: Cow::Borrowed(scope.version),
            schema_url: Cow::Borrowed(scope.schema_url),
            attributes: scope.attributes.to_vec(),
        }
    }
}

impl Memory {
    /// Everything that the content says; `None` if there is no more room for it.
    fn kept(&mut self, content: &Content, scopes: &mut HashMap<Library, Scope>) -> Option<Static> {
        Some(Static {
            name: self.text(content.name.clone())?,
            unit: self.text(content.unit.clone())?,
            description: self.text(content.description.clone())?,
            buckets: match &content.buckets {
                Wanted::ByUnit => Buckets::ByUnit,
                Wanted::Bounds(bounds) => Buckets::Bounds(self.doubles(bounds)?),
                Wanted::Exponential => Buckets::Exponential,
                Wanted::Quantiles { quantiles, window_seconds } => Buckets::Quantiles {
                    quantiles: self.doubles(quantiles)?,
                    window_seconds: *window_seconds,
                },
            },
            scope: match &content.scope {
                Some(library) => Some(self.scope(library, scopes)?),
                None => None,
            },
            alike: None,
        })
    }

    fn scope(&mut self, library: &Library, scopes: &mut HashMap<Library, Scope>) -> Option<Scope> {
        if let Some(known) = scopes.get(library) {
            return Some(*known);
        }
        self.take(size_of_val(&*library.attributes))?;
        let attributes = library.attributes.iter().map(|KeyValue { key, value }| {
            let value = match value {
                Value::String(text) => Value::String(Cow::Borrowed(self.text(text.clone())?)),
                value => value.clone(),
            };
            Some(KeyValue { key: Cow::Borrowed(self.text(key.clone())?), value })
        });
        let attributes: &'static [KeyValue] = Vec::leak(attributes.collect::<Option<Vec<_>>>()?);
        let scope = Scope {
            name: self.text(library.name.clone())?,
            version: self.text(library.version.clone())?,
            schema_url: self.text(library.schema_url.clone())?,
            attributes,
        };
        scopes.insert(Library::of(scope), scope);
        Some(scope)
    }

    /// The text, which nobody keeps twice.
    fn text(&mut self, text: Cow<'static, str>) -> Option<&'static str> {
        if let Some(known) = self.texts.get(&*text) {
            return Some(known);
        }
        let noted = 2 * size_of::<&str>();
        let kept = match text {
            Cow::Borrowed(text) => {
                self.take(noted)?;
                text
            }
            Cow::Owned(text) => {
                self.take(noted + text.len())?;
                String::leak(text)
            }
        };
        self.texts.insert(kept);
        Some(kept)
    }

    fn doubles(&mut self, bits: &[u64]) -> Option<&'static [f64]> {
        self.take(size_of_val(bits))?;
        Some(Vec::leak(bits.iter().map(|bits| f64::from_bits(*bits)).collect()))
    }

    /// Takes so many of the bytes that there are.
    fn take(&mut self, bytes: usize) -> Option<()> {
        let taken = self.bytes.checked_add(bytes)?;
        (taken <= MOST_BYTES).then(|| self.bytes = taken)
    }
}
