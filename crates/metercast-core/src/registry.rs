//! What the program text defines: every metric once, and the slots of the series that it names.
//!
//! All of it is bounded by the program text, is the same in every store, and is never taken back. Which of it a
//! store holds values for is the store's business.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::definition::{Definition, Descriptor, Kind, Place, Visibility};
use crate::instrumentation::Scope;
use crate::interned;
use crate::label::{Keys, LabelSet, Labels, Shape};
use crate::lock;
use crate::name::instrument_name_fault;
use crate::number::NumberType;
use crate::said::Said;
use crate::store::blocks::Blocks;
use crate::store::directory::CHUNK_WORDS;
use crate::store::fixed_chunks::FIXED_CHUNKS;

/// The slot of a site that was not used yet.
pub(crate) const UNRESOLVED: u32 = 0;
/// The slot of a site that has no fixed cell: it looks its series up as dynamic labels do.
pub(crate) const BY_DICTIONARY: u32 = 1;

/// A series that the program text names.
#[derive(Clone, Debug)]
pub(crate) struct FixedSeries {
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) slot: u32,
    /// The place of an earlier one with the same labels, which the slots of two sites can have: together they are one series.
    pub(crate) same_as: Option<u32>,
}

/// The most words that the series of one site can have at fixed slots. Half a chunk, so that one of the numbers
/// above plus the offset of a series still lies in chunk 0, which is never mapped.
const MOST_FIXED_WORDS: usize = CHUNK_WORDS / 2;

/// Whether the types of these labels bound the series of a metric enough to give each a fixed slot.
pub(crate) const fn is_fixed<L: Labels>(kind: Kind) -> bool {
    match L::SERIES {
        Some(series) => series.saturating_mul(words_each(kind)) <= MOST_FIXED_WORDS,
        None => false,
    }
}

struct Registry {
    /// Each lives as long as the program.
    definitions: Vec<&'static Arc<Definition>>,
    by_identity: Option<HashMap<Identity, &'static Arc<Definition>>>,
    /// The same by name, unless there are new ones.
    sorted: Option<Definitions>,
    /// The first free slot of the words that each region has.
    next_word: usize,
    /// The first free slot of the words of gauges, which each store has once.
    next_gauge: usize,
}

/// Two definitions that agree in this are one metric. The scope stands for one that is apart; without, it is the program.
type Identity = (&'static str, Kind, NumberType, &'static str, Option<Scope>);

/// The most descriptions that are remembered of a metric beside the first.
const MOST_DIFFERENCES: usize = 32;

/// Changes when there is a definition more, one that was public is not any longer, or one is described.
static VERSION: AtomicU64 = AtomicU64::new(0);

pub(crate) fn version() -> u64 {
    VERSION.load(Acquire)
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    definitions: Vec::new(),
    by_identity: None,
    sorted: None,
    // Chunk 0 stands for the slots above that are none.
    next_word: CHUNK_WORDS,
    next_gauge: CHUNK_WORDS,
});

/// `None` if it is out of reach: see `lock`.
fn registry() -> Option<MutexGuard<'static, Registry>> {
    lock::patiently(&REGISTRY)
}

/// The one definition of this metric, or what is wrong with it; `None` if the registry is out of reach.
pub(crate) fn define(descriptor: &Descriptor) -> Option<Result<&'static Arc<Definition>, Box<str>>> {
    if let Some(fault) = instrument_name_fault(descriptor.name) {
        return Some(Err(format!("at {}: the name {fault}", descriptor.place).into()));
    }
    let identity_in = |scope| (descriptor.name, descriptor.kind, descriptor.number, descriptor.unit, scope);
    let identity = identity_in(descriptor.apart.then_some(descriptor.scope));
    let mut registry = registry()?;
    let known = registry.by_identity.get_or_insert_default();
    // A crate of the program may also be a scope that somebody names: then both mean the same metric.
    let other = if descriptor.apart { None } else { Some(descriptor.scope) };
    let of_crate = known.get(&identity_in(other)).filter(|first| first.scope == descriptor.scope);
    if let Some(first) = known.get(&identity).or(of_crate).copied() {
        known.insert(identity, first);
        drop(registry);
        if descriptor.visibility == Visibility::Private && !first.is_private.swap(true, Relaxed) {
            VERSION.fetch_add(1, Release);
        }
        if descriptor.configured && !first.is_configured.swap(true, Relaxed) {
            VERSION.fetch_add(1, Release);
        }
        if !descriptor.configured && !first.is_programmed.swap(true, Relaxed) {
            VERSION.fetch_add(1, Release);
        }
        describe(first, joined(Cow::Borrowed(descriptor.description)), descriptor.place);
        return Some(Ok(first));
    }
    let definition = registry.add(|id| Definition {
        id,
        name: descriptor.name,
        kind: descriptor.kind,
        number: descriptor.number,
        unit: Said::new(descriptor.unit),
        description: Said::new(in_lines(descriptor.description)),
        sets: descriptor.sets.map(|sets| (sets, descriptor.labels.names)),
        scope: descriptor.scope,
        is_apart: descriptor.apart,
        place: descriptor.place,
        is_private: AtomicBool::new(descriptor.visibility == Visibility::Private),
        is_configured: AtomicBool::new(descriptor.configured),
        is_programmed: AtomicBool::new(!descriptor.configured),
        is_observable: descriptor.observable,
        source: None,
        fixed: Blocks::new(),
        shapes: Blocks::new(),
        differences: RwLock::new(Vec::new()),
    });
    registry.by_identity.get_or_insert_default().insert(identity, definition);
    Some(Ok(definition))
}

/// Gives a definition the description that it lacks. One that says something else than that of before is remembered, to be
/// reported; to say nothing is no contradiction.
pub(crate) fn describe(definition: &Definition, description: Cow<'static, str>, place: Place) {
    if description.is_empty() {
        return;
    }
    let mut description = description;
    if definition.description().is_empty() {
        // For good, as it may be what is said from now on; otherwise it is only compared.
        let text = kept(description);
        if definition.description.say(text) {
            VERSION.fetch_add(1, Release);
        }
        description = Cow::Borrowed(text);
    }
    let first = definition.description();
    if first != description {
        differs(
            definition,
            format!(
                "has two descriptions, {first:?} at {} and {description:?} at {place}; the first is kept: make them equal",
                definition.place
            ),
        );
    }
}

/// Remembers what is said differently of a metric, to be reported.
pub(crate) fn differs(definition: &Definition, message: String) {
    if let Some(mut differences) = lock::write(&definition.differences)
        && differences.len() < MOST_DIFFERENCES
        && !differences.contains(&message)
    {
        differences.push(message);
    }
}

/// Gives a definition the unit that it lacks, unless that would make it another metric that there is; false then.
pub(crate) fn give_unit(definition: &'static Arc<Definition>, unit: &'static str) -> Option<bool> {
    let mut registry = registry()?;
    let scope = definition.is_apart.then_some(definition.scope);
    let identity = (definition.name, definition.kind, definition.number, unit, scope);
    let there = registry.by_identity.get_or_insert_default().entry(identity).or_insert(definition);
    let is_ours = Arc::ptr_eq(there, definition);
    if is_ours && definition.unit.say(unit) {
        VERSION.fetch_add(1, Release);
    }
    Some(is_ours)
}

/// A definition that no site has, which lives as long as the program; `None` if the registry is out of reach.
pub(crate) fn add(make: impl FnOnce(u32) -> Definition) -> Option<&'static Arc<Definition>> {
    Some(registry()?.add(make))
}

impl Registry {
    fn add(&mut self, make: impl FnOnce(u32) -> Definition) -> &'static Arc<Definition> {
        let definition = &*Box::leak(Box::new(Arc::new(make(self.definitions.len() as u32))));
        self.definitions.push(definition);
        self.sorted = None;
        VERSION.fetch_add(1, Release);
        definition
    }
}

/// A description whose paragraphs are lines: the breaks within a paragraph are those of the source.
fn in_lines(description: &'static str) -> &'static str {
    kept(joined(Cow::Borrowed(description)))
}

fn kept(text: Cow<'static, str>) -> &'static str {
    match text {
        Cow::Borrowed(text) => text,
        // As many as the program text has: at run time descriptions are joined before they get here.
        Cow::Owned(text) => String::leak(text),
    }
}

/// A text in which each paragraph is one line.
pub(crate) fn joined(description: Cow<'static, str>) -> Cow<'static, str> {
    if !description.contains("\n ") {
        return description;
    }
    let paragraphs = description.split("\n\n").map(|paragraph| {
        paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    });
    Cow::Owned(paragraphs.collect::<Vec<_>>().join("\n"))
}

/// The shape of a site's labels; 0 if they have none, `None` if the registry is out of reach.
pub(crate) fn shape(definition: &Definition, keys: &Keys) -> Option<u32> {
    if !keys.have_shape {
        return Some(0);
    }
    let _one_at_a_time = registry()?;
    Some(Shape::number(keys.names, &definition.shapes))
}

/// The shape of keys that come at run time, and the keys as they are kept. `None` if they make none, if there are too many,
/// or if the registry is out of reach.
pub(crate) fn shape_at_run_time(
    definition: &Definition,
    keys: &[&str],
) -> Option<(&'static [&'static str], u32)> {
    if let Some(number) = Shape::known(keys, &definition.shapes) {
        return Shape::get(number).map(|shape| (shape.keys, number));
    }
    // Without the lock, since that is what is asked of recordings from now on.
    if !Keys::make_shape(keys) || definition.shapes.len() >= MOST_SHAPES {
        return None;
    }
    let keys = interned::keys(keys)?;
    let _one_at_a_time = registry()?;
    Some((keys, Shape::number(keys, &definition.shapes)))
}

/// The most orders of keys that a metric has before those that come at run time are kept as text.
const MOST_SHAPES: u32 = 64;

/// The slot of the first of these series, which lie one after the other, each with its words; `BY_DICTIONARY` if
/// there is no room, `None` if the registry is out of reach. The same series asked for again have the same slots.
pub(crate) fn fixed_slots(definition: &Definition, sets: Vec<LabelSet>) -> Option<u32> {
    let words_each = words_each(definition.kind);
    let words = sets.len() * words_each;
    if words > MOST_FIXED_WORDS || sets.is_empty() {
        return Some(BY_DICTIONARY);
    }
    let mut registry = registry()?;
    // Neighbours in this list need not be neighbours in their slots: another metric may have come between.
    let fixed = &definition.fixed;
    let is_run = |first: &u32| {
        let slot = fixed.get(*first).map_or(0, |first| first.slot);
        sets.iter().zip(*first..).zip((slot..).step_by(words_each)).all(|((set, at), slot)| {
            fixed.get(at).is_some_and(|there| *there.labels == *set && there.slot == slot)
        })
    };
    if let Some(first) = (0..fixed.len()).find(is_run).and_then(|first| fixed.get(first)) {
        return Some(first.slot);
    }
    let next =
        if definition.kind == Kind::Gauge { &mut registry.next_gauge } else { &mut registry.next_word };
    let left = CHUNK_WORDS - *next % CHUNK_WORDS;
    let first = if left < words { *next + left } else { *next };
    if first + words > FIXED_CHUNKS * CHUNK_WORDS {
        return Some(BY_DICTIONARY);
    }
    *next = first + words;
    for (at, labels) in sets.into_iter().enumerate() {
        let same_as = (0..fixed.len()).find(|at| fixed.get(*at).is_some_and(|there| *there.labels == labels));
        fixed.push(FixedSeries { labels: Arc::new(labels), slot: (first + at * words_each) as u32, same_as });
    }
    Some(first as u32)
}

/// The words that a fixed series has in a region, or in the store if it is a gauge.
pub(crate) const fn words_each(kind: Kind) -> usize {
    match kind {
        Kind::Counter => 1,
        // Ups and downs; bits and epoch.
        Kind::UpDownCounter | Kind::Gauge => 2,
        // The width belongs to a store's layout, so histograms have no fixed slots.
        Kind::Histogram | Kind::Summary => CHUNK_WORDS + 1,
    }
}

/// Metrics sorted by name; those of one name in the order of first use, and what producers say behind what is recorded.
pub(crate) type Definitions = Arc<[&'static Arc<Definition>]>;

/// Every metric that was defined so far.
pub(crate) fn definitions() -> Definitions {
    let registry = || REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut definitions = {
        let registry = registry();
        if let Some(sorted) = &registry.sorted {
            return Arc::clone(sorted);
        }
        registry.definitions.clone()
    };
    // Whoever defines a metric meanwhile does not wait for it.
    definitions.sort_by_key(|definition| (definition.name, definition.is_produced()));
    let sorted = Definitions::from(definitions);
    let mut registry = registry();
    if registry.definitions.len() == sorted.len() {
        registry.sorted = Some(Arc::clone(&sorted));
    }
    sorted
}
