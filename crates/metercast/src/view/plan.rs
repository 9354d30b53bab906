//! A plan: the projection of one exporter, worked out for every metric that was met.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Instant;

use super::archive::Shelf;
use super::change::{Aggregation, View};
use super::group::Readable;
use super::layers;
use super::overflow::Overflows;
use super::projection::{Projection, Rule};
use super::resolve::{Buckets, resolve, settle, wanted};
use super::stream::{Stream, StreamView};
use super::transform::{Shape, bounds};
use super::unmatched::{Unmatched, When};
use super::warnings::Warnings;
use crate::reader::Reader;
use metercast_core::reading::{FamilyView, Reading};
use metercast_core::{Definition, Kind, Store, Visibility, WantedBounds};

/// What an exporter makes of a store. Each definition, which lives as long as the program, is worked out once.
pub(crate) struct Plan {
    projection: Arc<Projection>,
    /// By the address of the definition.
    known: HashMap<usize, Known, BuildHasherDefault<ByNumber>>,
    /// Whether a stream may have another name than its definition, or the same as another stream of it.
    renames: bool,
    /// Whether a stream may have other series than its definition.
    changes: bool,
    /// By the address of the definition, what the plan before this one had of definitions that this one has not met yet.
    inherited: HashMap<usize, Vec<Arc<Stream>>, BuildHasherDefault<ByNumber>>,
    /// Where it puts what it remembers, for who has its name one day.
    shelf: Shelf,
    /// Who has a name, unless names may be shared.
    owners: Option<HashMap<String, Owner>>,
    unmatched: Unmatched,
    /// The buckets of histograms of which nobody says anything.
    or_else: Shape,
    /// How many readings there were.
    readings: u64,
    /// The store that it makes something of, whose series it remembers.
    store: Option<Store>,
    /// What is wanted of it, as long as this lives.
    wanted: Option<WantedBounds>,
    warnings: Warnings,
    /// Metrics of which there are more series than it lets out.
    overflows: Overflows,
}

/// What is known of a definition.
struct Known {
    /// The number of the last reading that it was in.
    seen: u64,
    /// What it was when its streams were made: a place that defines it later may say that it is private, or be a configuration.
    visibility: (Visibility, bool),
    streams: Vec<Arc<Stream>>,
    /// What there was before and is not among them, the newest first. It may come back, and must not be less then.
    before: Vec<Arc<Stream>>,
}

/// The most streams of a definition that are remembered once there are others: each may remember all series that there were.
const MOST_BEFORE: usize = 4;

/// What a plan leaves to the one that takes its place: the streams of each definition, the newest first.
pub(crate) struct Estate {
    store: Option<Store>,
    streams: HashMap<usize, Vec<Arc<Stream>>, BuildHasherDefault<ByNumber>>,
}

/// What has a name: the declared name and the ordinal, and both for a sentence. Definitions of one name are told apart by the store.
struct Owner {
    declared: &'static str,
    ordinal: u32,
    spelled: String,
}

impl Plan {
    /// The plan of this exporter, which is named in warnings.
    pub(crate) fn new(mut projection: Arc<Projection>, exporter: &str) -> Plan {
        let mut warnings = Warnings::of(exporter);
        settle(&mut projection, &mut warnings);
        let or_else = projection.buckets.as_ref().map_or(Ok(Shape::Declared), |wanted| bounds(wanted, None));
        let or_else = or_else.unwrap_or_else(|fault| {
            warnings.say(&format!(
                "what is to be the buckets of all histograms {fault}; they have those of their unit"
            ));
            Shape::Declared
        });
        Plan {
            known: HashMap::default(),
            inherited: HashMap::default(),
            shelf: Shelf::default(),
            // Where each view makes a stream, also two of one metric have one name, unless views give others.
            renames: projection.views.iter().any(|view| view.name.is_some() || view.alias.is_some())
                || (projection.rule == Rule::Each && projection.views.len() > 1),
            owners: Some(HashMap::new()),
            changes: projection.limit.is_some() || !projection.views.is_empty(),
            unmatched: Unmatched::of(&projection),
            or_else,
            readings: 0,
            store: None,
            wanted: None,
            warnings,
            overflows: Overflows::default(),
            projection,
        }
    }

    /// The same with streams that may have one name, for who knows what to do with them. Otherwise the first keeps it, the others are
    /// left out, and that is said.
    pub(crate) fn with_shared_names(self) -> Plan {
        Plan { owners: None, ..self }
    }

    /// The same which goes on with what is remembered there, once it is bound to a store, which is that of all who use it.
    pub(crate) fn remembering(self, shelf: &Shelf) -> Plan {
        Plan { shelf: shelf.clone(), ..self }
    }

    /// The same for one who reads a store: it goes on with what is remembered for it, and is measured as it is.
    pub(crate) fn read_by(self, reader: &Reader) -> Plan {
        Plan { overflows: Overflows::of(reader.own()), ..self.remembering(reader.shelf()) }
    }

    /// The same with exponential buckets for histograms of which neither program, views nor projection say anything.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "only OTLP asks"))]
    pub(crate) fn with_exponential(mut self, exponential: bool) -> Plan {
        if exponential && self.or_else == Shape::Declared {
            self.or_else = Shape::USUAL_EXPONENTIAL;
        }
        self
    }

    /// Binds the plan to a store, and asks it for the buckets that its streams have, also those of metrics that come later; the
    /// earlier, the more is counted in them. It asks the same store once.
    pub(crate) fn commit(&mut self, store: &Store) {
        if self.store.as_ref().is_some_and(|asked| asked.is(store)) {
            return;
        }
        // Who had asked another store asks it no more.
        (self.store, self.wanted) = (Some(store.clone()), None);
        self.known.values().for_each(Known::forget);
        self.inherited = self.shelf.all();
        let says =
            |view: &View| !matches!(view.aggregation, None | Some(Aggregation::Default | Aggregation::Drop));
        if self.or_else == Shape::Declared && !self.projection.views.iter().any(says) {
            return;
        }
        let (projection, or_else) = (Arc::clone(&self.projection), self.or_else);
        let wanted = store.want_buckets(move |definition, are_declared| {
            let buckets = Buckets { are_declared, or_else: &or_else };
            let mut all = (Vec::new(), false);
            if definition.kind() == Kind::Histogram {
                for (_, layered) in layers::streams(definition, &projection) {
                    let (bounds, exponential) = wanted(definition, &layered, buckets);
                    all.0.extend(bounds);
                    all.1 |= exponential;
                }
            }
            all.0.sort_by(f64::total_cmp);
            all.0.dedup();
            all
        });
        if wanted.restarted() {
            self.warnings.say(
                "histograms that had values before begin anew in the buckets that are asked for now; nobody else notices",
            );
        }
        self.wanted = Some(wanted);
    }

    /// What it leaves to the plan that takes its place.
    pub(crate) fn estate(&self) -> Estate {
        let mut streams = self.inherited.clone();
        streams.extend(self.known.iter().map(|(address, known)| (*address, known.all())));
        Estate { store: self.store.clone(), streams }
    }

    /// Takes the place of another plan, once it is bound to a store and before it is read. What is remembered of series stays
    /// remembered, so that none begins anew that looks as it did; of those that cannot go on, none is less than it was since the
    /// same start.
    pub(crate) fn succeed(&mut self, estate: Estate) {
        let is_same_store = match (&self.store, &estate.store) {
            (Some(one), Some(other)) => one.is(other),
            _ => false,
        };
        if is_same_store {
            self.inherited = estate.streams;
        }
    }

    /// Asks its store for nothing any more.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "only what is told in deltas is remembered"))]
    pub(crate) fn release(&mut self) {
        (self.store, self.wanted) = (None, None);
    }

    /// What is wrong with the views, as far as it was found since this was asked last; each thing once. To be asked after a reading,
    /// not in it: of metrics with more series than a limit lets be it tells the store.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        self.say_overflowed();
        self.warnings.take()
    }

    fn say_overflowed(&mut self) {
        let Some(store) = self.store.as_ref().filter(|_| self.changes) else { return };
        for stream in self.known.values().flat_map(|known| &known.streams) {
            if let Some(overflowed) = stream.overflowed() {
                self.overflows.note(store, stream.definition().name(), overflowed);
            }
        }
    }

    /// The store that is to be read a last time, to [conclude](Self::conclude), if there is anything left to say.
    pub(crate) fn unsaid(&self) -> Option<Store> {
        self.store.clone().filter(|_| !self.unmatched.is_said())
    }

    /// Says in the next warnings what it would say at a later reading, as this is the last, or may be.
    pub(crate) fn conclude(&mut self, reading: &Reading<'_>, when: When) {
        let families: Vec<FamilyView<'_>> = reading.families().collect();
        for family in &families {
            self.know(family.definition(), || family.has_declared_buckets());
        }
        if !families.is_empty() {
            let read = (self.store.as_ref(), &*families);
            self.unmatched.conclude(&self.projection, read, &mut self.warnings, when);
        }
    }

    /// The streams of the metrics that were used, sorted by name. One without series may be among them.
    pub(crate) fn streams<'a>(&'a mut self, reading: &'a Reading<'_>) -> Vec<StreamView<'a>> {
        let families: Vec<FamilyView<'a>> = reading.families().collect();
        for same in families.chunk_by(|a, b| a.definition().name() == b.definition().name()) {
            if same.len() > 1 {
                // The first that is looked at has the name, and who reads may look in another order.
                same.iter().for_each(|family| family.each(|_| {}));
            }
        }
        self.readings += 1;
        for family in &families {
            self.know(family.definition(), || family.has_declared_buckets());
        }
        if !families.is_empty() {
            let read = (self.store.as_ref(), &*families);
            self.unmatched.say(Instant::now(), &self.projection, read, &mut self.warnings);
        }
        let remembers = self.store.as_ref().is_some_and(|store| reading.is_whole_of(store));
        if remembers && self.changes {
            // Where there are no series any more, those that come begin anew.
            let absent = self.known.values().filter(|known| known.seen != self.readings);
            absent.for_each(Known::forget);
        }
        if remembers && !self.inherited.is_empty() {
            // What is there was met.
            self.inherited.clear();
            self.shelf.retain(|address| self.known.contains_key(&address));
        }
        let of = match &self.store {
            Some(_) if remembers => Readable::Whole,
            Some(store) => reading.share_of(store).map_or(Readable::Other, Readable::Share),
            None => Readable::Other,
        };
        let known = &self.known;
        let of_family = |family: FamilyView<'a>| {
            let streams = known.get(&address(family.definition())).map_or(&[][..], |known| &known.streams);
            streams.iter().map(move |stream| StreamView::new(stream, family, of))
        };
        let mut streams = Vec::with_capacity(families.len());
        streams.extend(families.into_iter().flat_map(of_family));
        if self.renames {
            // Of equal names the declared one is the first, then that of the first view.
            streams.sort_by(|a, b| {
                let (a, b) = (a.stream(), b.stream());
                a.name().cmp(b.name()).then(a.named_by().cmp(&b.named_by()))
            });
            if let Some(owners) = &mut self.owners {
                let warnings = &mut self.warnings;
                streams.retain(|view| has_name(owners, view.stream(), warnings));
            }
        }
        streams
    }

    /// What there is of a metric, also before it is read.
    pub(crate) fn streams_of(&mut self, definition: &'static Arc<Definition>) -> &[Arc<Stream>] {
        let asked = self.store.clone();
        self.know(definition, || asked.is_some_and(|store| store.has_declared_buckets(definition)));
        self.known.get(&address(definition)).map_or(&[], |known| &known.streams)
    }

    /// Works a definition out, if that was not done.
    #[inline]
    fn know(&mut self, definition: &'static Arc<Definition>, has_declared_buckets: impl FnOnce() -> bool) {
        let known = self.known.get_mut(&address(definition));
        let is_known = known.is_some_and(|known| {
            known.seen = self.readings;
            known.visibility == (definition.visibility(), definition.is_configured())
        });
        if !is_known {
            let are_declared = definition.kind() == Kind::Histogram && has_declared_buckets();
            self.meet(definition, are_declared);
        }
    }

    #[cold]
    fn meet(&mut self, definition: &'static Arc<Definition>, are_declared: bool) {
        let visibility = (definition.visibility(), definition.is_configured());
        let buckets = Buckets { are_declared, or_else: &self.or_else };
        let layered = layers::streams(definition, &self.projection);
        self.unmatched.meet(definition, &self.projection);
        // One that becomes private stays the stream that it is, if it is let out as it was.
        let before = match self.known.remove(&address(definition)) {
            Some(known) => known.all(),
            None => self.inherited.remove(&address(definition)).unwrap_or_default(),
        };
        let mut streams: Vec<Arc<Stream>> = Vec::with_capacity(layered.len());
        for (ordinal, layered) in layered {
            let (face, transform) =
                resolve(definition, layered, buckets, &self.projection, &mut self.warnings);
            let is_it = |stream: &&Arc<Stream>| stream.looks_like(&face, transform.as_ref());
            // What two views make alike is let out once.
            if streams.iter().any(|stream| is_it(&stream)) {
                continue;
            }
            let same = before.iter().filter(|stream| stream.ordinal() == ordinal).find(is_it).cloned();
            let stream = same.unwrap_or_else(|| {
                let mut stream = Stream::new(definition, ordinal, face, transform);
                if let Some(old) = predecessor(&before, &stream, |old| stream.remembers_as(old))
                    .or_else(|| predecessor(&before, &stream, |_| true))
                {
                    stream.succeed(old);
                }
                Arc::new(stream)
            });
            // One that comes back was somebody else meanwhile.
            if let Some(last) = predecessor(&before, &stream, |_| true) {
                stream.note_shown_by(last);
            }
            streams.push(stream);
        }
        let mut before = before;
        before.retain(|old| old.remembers() && !streams.iter().any(|new| new.shares_memory_of(old)));
        before.truncate(MOST_BEFORE);
        let known = Known { seen: self.readings, visibility, streams, before };
        self.shelf.put(address(definition), known.all());
        // Also where it is only remembered what views before these have made.
        self.changes |= known.streams.iter().any(|stream| stream.remembers());
        self.known.insert(address(definition), known);
    }
}

impl Known {
    /// Forgets what is remembered of the series of a store.
    fn forget(&self) {
        self.streams.iter().chain(&self.before).for_each(|stream| stream.forget());
    }

    /// All that there is or was, the newest first.
    fn all(&self) -> Vec<Arc<Stream>> {
        self.streams.iter().chain(&self.before).cloned().collect()
    }
}

/// Whose place a stream takes: that of the newest of its name, or of the first of its definition, if it is the first.
fn predecessor<'a>(
    before: &'a [Arc<Stream>],
    stream: &Stream,
    can_be: impl Fn(&Stream) -> bool,
) -> Option<&'a Arc<Stream>> {
    let mut all = before.iter().filter(|old| old.remembers() && can_be(old));
    let is_first = |old: &Stream| stream.ordinal() == 0 && old.ordinal() == 0;
    all.clone().find(|old| old.name() == stream.name()).or_else(|| all.find(|old| is_first(old)))
}

/// Whether this stream has its name, which the first has that asks.
fn has_name(owners: &mut HashMap<String, Owner>, stream: &Stream, warnings: &mut Warnings) -> bool {
    let (declared, ordinal) = (stream.definition().name(), stream.ordinal());
    let Some(owner) = owners.get_mut(stream.name()) else {
        let owner = Owner { declared, ordinal, spelled: stream.spelled() };
        owners.insert(stream.name().to_owned(), owner);
        return true;
    };
    let is_owner = owner.declared == declared && owner.ordinal == ordinal;
    if !is_owner && owner.declared == declared {
        let (metric, name) = (stream.spelled_as_declared(), stream.name());
        warnings.say(&format!(
            "two views of metric {metric} make streams of the name {name:?}; the second is left out: give one a name"
        ));
    } else if !is_owner {
        let (first, second) = (&owner.spelled, stream.spelled());
        warnings
            .say(&format!("metrics {first} and {second} have one name; the second is left out: rename one"));
    }
    is_owner
}

fn address(definition: &'static Arc<Definition>) -> usize {
    Arc::as_ptr(definition) as usize
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

/// Hashes addresses and numbers, which nobody chooses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ByNumber(u64);

impl Hasher for ByNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        let wide = u128::from(self.0 ^ number ^ 0x8bb8_4b93_962e_acc9) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide as u64) ^ (wide >> 64) as u64;
    }
}
