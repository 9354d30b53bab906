//! Everything that was measured in one place, from first use to the end of the store.
//!
//! A store outlives every exporter that reads it. There is one that is always there, [`Store::global`], and as
//! many more as anybody makes: one per test, one per tenant. Which one a recording lands in is decided by the
//! scope around it.

#[allow(unsafe_code, reason = "a system call that orders all threads")]
mod barrier;
#[allow(unsafe_code, reason = "a list of items that anybody reads while one appends")]
pub(crate) mod blocks;
#[allow(unsafe_code, reason = "a list that threads hand recordings over in")]
pub(crate) mod deferred;
pub(crate) mod dictionary;
#[allow(unsafe_code, reason = "cells are reached through atomic pointers, and live as long as the store")]
pub(crate) mod directory;
pub(crate) mod exemplars;
#[allow(dead_code, reason = "not every shape has a user yet")]
pub(crate) mod exponential;
pub(crate) mod gauge_sets;
pub(crate) mod layout;
#[allow(unsafe_code, reason = "memory is used again once nobody can reach it")]
pub(crate) mod lifecycle;
pub(crate) mod line;
#[allow(unsafe_code, reason = "memory that does not come from the program's allocator")]
mod memory;
pub(crate) mod observables;
pub(crate) mod observed;
#[allow(unsafe_code, reason = "cells are reached through atomic pointers, and live as long as the store")]
pub(crate) mod region;
#[allow(
    unsafe_code,
    reason = "the list of regions is linked by atomic pointers, and lives as long as the store"
)]
pub(crate) mod regions;
mod search;
#[allow(unsafe_code, reason = "an index that anybody reads while one inserts")]
mod table;
#[allow(unsafe_code, reason = "label sets that anybody reads while one replaces them")]
mod wide;
pub(crate) mod windows;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::SystemTime;

use crate::definition::{Buckets, Definition, Descriptor, Kind, Place, QUANTILES, WINDOW_SECONDS};
use crate::label::{Faults, KeyValue, LabelSet, Pairs, Spelled};
use crate::local::{self, Write};
use crate::problem::{Problem, Problems};
use crate::{lock, own, registry};
use deferred::{Deferred, Recording};
use dictionary::{Dictionary, Made};
use directory::Directory;
use exemplars::{Exemplars, SpanContext};
use gauge_sets::GaugeSets;
use layout::Layout;
use lifecycle::{Expiry, Lifecycle};
use line::CellWord;
use observables::{Observables, Runner};
use observed::Observed;
use region::Region;
use regions::Regions;
use windows::Windows;

/// A store of measurements. Cheap to clone; clones are the same store.
///
/// ```
/// use metercast_core::{Store, reading::Point, u64_counter};
///
/// let store = Store::new();
/// store.scope(|| u64_counter!("orders", "Orders placed", 3));
/// assert_eq!(store.collect()[0].series[0].point, Point::U64(3));
/// assert!(Store::new().collect().is_empty(), "stores know nothing of each other");
/// ```
#[derive(Clone)]
pub struct Store(Handle);

#[derive(Clone)]
enum Handle {
    Global,
    Own(Arc<Inner>),
}

impl Store {
    /// A new, empty store, known to nobody else. It is freed when its last clone and the last scope and guard in
    /// it are gone.
    #[expect(clippy::new_without_default, reason = "the default store is the global one")]
    pub fn new() -> Store {
        static NEXT: AtomicU64 = AtomicU64::new(GLOBAL_ID + 1);
        let id = NEXT.fetch_add(1, Relaxed);
        let inner = Arc::new(Inner::new(id));
        inner.started.get_or_init(SystemTime::now);
        Store(Handle::Own(inner))
    }

    /// The store that recordings land in when no scope says otherwise.
    pub fn global() -> Store {
        Store(Handle::Global)
    }

    /// The store of this number, if it still lives and a handle was bound to it.
    #[cold]
    pub(crate) fn by_id(id: u64) -> Option<Store> {
        if id == GLOBAL_ID {
            return Some(Store::global());
        }
        let bound = lock::patiently(&BOUND)?;
        bound.get(&id)?.upgrade().map(|inner| Store(Handle::Own(inner)))
    }

    /// Lets [`by_id`](Self::by_id) find this store.
    pub(crate) fn remember(&self) {
        if let Handle::Own(inner) = &self.0 {
            let Some(mut bound) = lock::patiently(&BOUND) else { return };
            bound.entry(inner.id).or_insert_with(|| Arc::downgrade(inner));
        }
    }

    /// The store that a recording made here and now would land in.
    pub fn current() -> Store {
        local::current().map_or_else(Store::global, |inner| Store(Handle::Own(inner)))
    }

    /// Runs `f` with this store as the current one on this thread. Scopes nest, and end when `f` returns or
    /// panics. For futures see [`StoreFutureExt`](crate::StoreFutureExt).
    pub fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        local::within(self, f)
    }

    /// Switches recording on or off. Off, a call site costs a branch, and what it would record is not kept, except
    /// that a counter without labels or with literal ones, which a thread has used before, may go on counting there.
    /// What was recorded before stays.
    pub fn set_enabled(&self, enabled: bool) {
        let inner = self.inner();
        let on = if inner.exemplars.are_wanted() { WITH_EXEMPLARS } else { ON };
        inner.mode.store(if enabled { on } else { OFF }, Relaxed);
    }

    /// Takes exemplars from now on: `current` gives the span that is current on the thread that records, if it is sampled.
    /// Of each bucket of a histogram, and of each counter with labels that are known at run time, the newest measurement made in
    /// such a span is kept; at most 10,000. Not taken are those of bound handles, and of counters whose series the
    /// program text names. A store that takes no exemplars pays nothing for them.
    ///
    /// ```
    /// use metercast_core::{SpanContext, Store, metrics};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers.sampled" { unit: "s" };
    /// }
    ///
    /// let store = Store::new();
    /// store.take_exemplars(|| Some(SpanContext::new([1; 16], [2; 8])));
    /// store.scope(|| ANSWERS.record(0.3));
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| assert_eq!(series.exemplars[0].value, 0.3));
    ///     }
    /// });
    /// ```
    pub fn take_exemplars(&self, current: fn() -> Option<SpanContext>) {
        let inner = self.inner();
        inner.exemplars.come_from(current);
        let _ = inner.mode.compare_exchange(ON, WITH_EXEMPLARS, Relaxed, Relaxed);
    }

    /// Sets how many series there may be: of each metric that has no limit of its own, and of all together. What is above
    /// lands in one series per metric, with the label `otel.metric.overflow=true`, and nothing is lost; the metric is named
    /// by [`problems`](Self::problems) and counted in `metercast.series.limits_reached`. Series that are there stay.
    ///
    /// The defaults are 2,000 and 200,000. Series that the program text names (without labels, with literal or closed ones)
    /// do not count.
    pub fn set_limits(&self, of_each_metric: u32, of_all: u32) {
        self.inner().dictionary.set_limits(of_each_metric, of_all);
    }

    /// Sets how many series a metric may have, at least one. False if no metric of this name was used yet.
    pub fn set_limit(&self, metric: &str, limit: u32) -> bool {
        let mut found = false;
        for definition in registry::definitions() {
            if definition.name == metric {
                self.inner().dictionary.set_limit(definition, limit);
                found = true;
            }
        }
        found
    }

    /// Keeps these bounds as well in the histograms of this name, so that a reader can have them exactly with
    /// [`BucketsView::at`](crate::reading::BucketsView::at); all others see what is declared. False if that is too late,
    /// because values were recorded into other buckets. What is wrong with the bounds is the error.
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::PointView};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers" { unit: "s", buckets: [0.1, 1.0] };
    /// }
    ///
    /// let store = Store::new();
    /// assert_eq!(store.want_bounds("answers", &[0.5]), Ok(true));
    /// store.scope(|| ANSWERS.record(0.3));
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| {
    ///             let PointView::Histogram(buckets) = series.value else { panic!() };
    ///             assert_eq!((buckets.bounds, buckets.counts), (&[0.1, 1.0][..], &[0, 1, 0][..]));
    ///             assert_eq!(buckets.at(&[0.5]), Some(vec![1, 0]));
    ///         });
    ///     }
    /// });
    /// ```
    pub fn want_bounds(&self, metric: &str, bounds: &[f64]) -> Result<bool, String> {
        self.inner().want_bounds(metric, bounds)
    }

    /// Lets series end by themselves when nothing is recorded into them for long; `None`, the default, keeps them. It is
    /// looked after when the store is read. A series that is recorded into again begins at zero, with a new start. Never
    /// ended are series that the program text names, up-down counters that are not at zero, and what a
    /// guard, a timer or a handle holds.
    pub fn set_expiry(&self, expiry: Option<Expiry>) {
        self.inner().lifecycle.set_expiry(expiry);
    }

    /// Removes a series; recorded into again it begins at zero, with a new start. False if there is no such series, if it is
    /// one that the program text names, an up-down counter that is not at zero, or held by a guard, a timer or a handle.
    ///
    /// ```
    /// use metercast_core::{KeyValue, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// let tenant = String::from("acme");
    /// store.scope(|| u64_counter!("requests", "Requests, by tenant", 1, "tenant" => tenant));
    /// assert!(store.remove("requests", [KeyValue::new("tenant", tenant)]));
    /// assert!(store.collect().is_empty());
    /// ```
    pub fn remove(&self, metric: &str, labels: impl IntoIterator<Item = KeyValue>) -> bool {
        let labels: LabelSet = labels.into_iter().collect();
        let mut definitions = registry::definitions();
        definitions.retain(|definition| definition.name == metric);
        let inner = self.inner();
        definitions.into_iter().any(|definition| inner.lifecycle.remove(inner, definition, &labels))
    }

    /// What is wrong with how metrics are defined or labelled in this store, each problem once, oldest first; at
    /// most 256 are kept.
    pub fn problems(&self) -> Vec<Problem> {
        self.inner().problems.list()
    }

    /// When the store began to count: the global one with the first recording, others when they are made.
    pub fn started(&self) -> SystemTime {
        self.inner().started()
    }

    /// Whether both are the same store.
    pub fn is(&self, other: &Store) -> bool {
        ptr::eq(self.inner(), other.inner())
    }

    /// Lets somebody else run the callbacks of observable instruments from now on, or again whoever reads. For the read side,
    /// not for use by hand.
    #[doc(hidden)]
    pub fn set_runner(&self, runner: Option<Runner>) {
        self.inner().observables.set_runner(runner);
    }

    /// What the callbacks and the gauge sets of this store say now.
    pub(crate) fn observed(&self) -> Arc<Observed> {
        self.inner().observables.run(self)
    }

    /// For as long as `self` lives; from the `Arc` itself, so that `Store::current` can find its way back to it.
    pub(crate) fn as_ptr(&self) -> *const Inner {
        match &self.0 {
            Handle::Global => &raw const GLOBAL,
            Handle::Own(inner) => Arc::as_ptr(inner),
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        match &self.0 {
            Handle::Global => &GLOBAL,
            Handle::Own(inner) => inner,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(self.0, Handle::Global) { "global" } else { "own" };
        f.debug_struct("Store").field("kind", &kind).finish_non_exhaustive()
    }
}

/// The stores, other than the global one, that handles are bound to; a store leaves when it is dropped.
static BOUND: Mutex<BTreeMap<u64, Weak<Inner>>> = Mutex::new(BTreeMap::new());

/// The number of the global store. Numbers are never used again.
const GLOBAL_ID: u64 = 0;

/// The store of the process.
pub(crate) static GLOBAL: Inner = Inner::new(GLOBAL_ID);

/// Recordings are not kept.
const OFF: u8 = 0;
/// They are.
const ON: u8 = 1;
/// They are, and those made in a sampled span may become exemplars.
const WITH_EXEMPLARS: u8 = 2;

/// What a store is made of.
pub(crate) struct Inner {
    id: u64,
    /// What becomes of recordings: one of the numbers below.
    mode: AtomicU8,
    pub(crate) regions: Regions,
    pub(crate) dictionary: Dictionary,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) windows: Windows,
    pub(crate) exemplars: Exemplars,
    pub(crate) deferred: Deferred,
    /// Gauges whose slots are the same in all stores: one cell each, not one per region.
    fixed_gauges: Directory,
    /// Gauges of dynamic series.
    series_gauges: Directory,
    /// Held while a chunk of gauges is mapped.
    mapping: Mutex<()>,
    /// Counts the readings, from 1. A gauge keeps the epoch in which it was last set.
    epoch: AtomicU64,
    /// Fixed series that were recorded with zero, which leaves no other trace.
    zeroes: RwLock<BTreeSet<u32>>,
    /// The buckets of each histogram in this store.
    layouts: Mutex<Option<Plan>>,
    /// Which definition has a name in this store: the first that a reading met.
    pub(crate) claims: Mutex<Option<HashMap<&'static str, Arc<Definition>>>>,
    pub(crate) problems: Problems,
    /// Callbacks that say a value when the store is read.
    pub(crate) observables: Observables,
    /// Gauges that are set all at once.
    pub(crate) gauge_sets: GaugeSets,
    started: OnceLock<SystemTime>,
}

impl Inner {
    const fn new(id: u64) -> Inner {
        Inner {
            id,
            mode: AtomicU8::new(ON),
            regions: Regions::new(),
            dictionary: Dictionary::new(),
            lifecycle: Lifecycle::new(),
            windows: Windows::new(),
            exemplars: Exemplars::new(),
            deferred: Deferred::new(),
            fixed_gauges: Directory::new(),
            series_gauges: Directory::new(),
            mapping: Mutex::new(()),
            epoch: AtomicU64::new(1),
            zeroes: RwLock::new(BTreeSet::new()),
            layouts: Mutex::new(None),
            claims: Mutex::new(None),
            problems: Problems::new(),
            observables: Observables::new(),
            gauge_sets: GaugeSets::new(),
            started: OnceLock::new(),
        }
    }

    /// Its number among all stores that there ever were.
    #[inline(always)]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether recordings are kept.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.mode.load(Relaxed) != OFF
    }

    /// Whether they are kept, and nothing else is to be done: then the hot path may.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.mode.load(Relaxed) == ON
    }

    /// Whether exemplars are taken.
    pub(crate) fn takes_exemplars(&self) -> bool {
        self.mode.load(Relaxed) == WITH_EXEMPLARS
    }

    pub(crate) fn started(&self) -> SystemTime {
        *self.started.get_or_init(SystemTime::now)
    }

    /// Begins a reading.
    pub(crate) fn next_epoch(&self) -> u64 {
        self.epoch.fetch_add(1, AcqRel)
    }

    /// Notes that a fixed series is there although it is zero.
    pub(crate) fn note_zero(&self, slot: u32) {
        // Mostly it is noted already.
        if lock::read(&self.zeroes).is_some_and(|zeroes| !zeroes.contains(&slot))
            && let Some(mut zeroes) = lock::write(&self.zeroes)
        {
            zeroes.insert(slot);
        }
    }

    pub(crate) fn zeroes(&self) -> BTreeSet<u32> {
        self.zeroes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does `write` at the series with these labels, which is made at its first use. If somebody else is just making a series,
    /// it is done later. What is odd about the labels is reported.
    pub(crate) fn at_series(
        &self,
        definition: &'static Definition,
        site: &'static Descriptor,
        pairs: &dyn Pairs,
        write: &dyn Write,
    ) {
        local::with_region(|region| {
            let at = |number: Option<u32>, cell| write.write_at(&Found { store: self, region, number, cell });
            let known = |find: &dyn Fn() -> Option<u32>| {
                let begun = region.begin();
                let found = find().and_then(|number| Some((number, self.dictionary.line(number)?.cell())));
                let done = found.map(|(number, cell)| (number, cell, at(Some(number), cell)));
                region.end(begun);
                done
            };
            // Once it is there, a second look finds it, unless it was removed in between.
            match known(&|| self.dictionary.find(definition, pairs)) {
                Some((number, _, true)) => return self.sample(definition, number, write),
                Some((_, cell, false)) => self.map(definition, region, cell),
                None => {}
            }
            let (labels, faults) = LabelSet::of(pairs);
            if faults.any() {
                self.report_faults(definition, &faults);
            }
            let shapes = definition.shapes();
            for _ in 0..MOST_LOOKS {
                match known(&|| self.dictionary.find_set(definition, &shapes, &labels)) {
                    Some((number, _, true)) => {
                        self.sample(definition, number, write);
                        return self.alias(definition, site, pairs, &labels, &faults);
                    }
                    Some((_, cell, false)) => {
                        self.map(definition, region, cell);
                        continue;
                    }
                    None => {}
                }
                let made = match self.dictionary.full(definition) {
                    Some(cell) => Made::Overflow { cell, first: false },
                    None => self.make(definition, site, pairs, &labels, &faults),
                };
                match made {
                    Made::There => {}
                    Made::Busy => match write.later() {
                        Some(what) => {
                            let waits = Recording { descriptor: site, labels, what };
                            if !self.deferred.push(waits) {
                                own::unable();
                            }
                            return;
                        }
                        None => std::thread::yield_now(),
                    },
                    Made::Overflow { cell, .. } => {
                        // The overflow series is never removed, so that it needs no operation.
                        if !at(None, cell) {
                            self.map(definition, region, cell);
                            at(None, cell);
                        }
                        return;
                    }
                }
            }
            own::unable();
        });
    }

    /// Takes what was just recorded as an exemplar, if that is wanted.
    fn sample(&self, definition: &Definition, number: u32, write: &dyn Write) {
        if !self.takes_exemplars() {
            return;
        }
        match (write.measured(), definition.kind) {
            (Some(value), Kind::Counter) => self.exemplars.offer(number, 0, value),
            (Some(value), Kind::Histogram) => self.sample_distribution(number, value),
            _ => {}
        }
    }

    /// Offers what was recorded into a distribution as an exemplar.
    pub(crate) fn sample_distribution(&self, number: u32, value: f64) {
        let Some(line) = self.dictionary.line(number) else { return };
        let bucket = match self.dictionary.layout(line.cell()) {
            Layout::Explicit(explicit) => explicit.bucket(value) as u32,
            Layout::Exponential(_) | Layout::Summary(_) => 0,
        };
        self.exemplars.offer(number, bucket, value);
    }

    /// Makes the recordings that wait. The store is the current one.
    pub(crate) fn catch_up(&self) {
        for Recording { descriptor, labels, what } in self.deferred.take() {
            if let Some(Ok(definition)) = registry::define(descriptor) {
                self.at_series(definition, descriptor, &labels, &what);
            }
        }
    }

    /// So that the next look by the same site finds the series by its own key.
    fn alias(
        &self,
        definition: &'static Definition,
        site: &'static Descriptor,
        pairs: &dyn Pairs,
        labels: &LabelSet,
        faults: &Faults<'_>,
    ) {
        if pairs.packed().is_some() && !faults.any() {
            self.make(definition, site, pairs, labels, faults);
        }
    }

    /// Makes a series, and then what others left to be done meanwhile.
    fn make(
        &self,
        definition: &'static Definition,
        site: &'static Descriptor,
        pairs: &dyn Pairs,
        labels: &LabelSet,
        faults: &Faults<'_>,
    ) -> Made {
        self.started();
        let made = self.dictionary.make(definition, self.layout(definition, site), pairs, labels, faults);
        match made {
            Made::Busy => return made,
            Made::Overflow { first: true, .. } => self.report_full(definition),
            Made::Overflow { .. } => {}
            Made::There => {
                if let Some((each, keys)) = definition.sets
                    && self.dictionary.is_first(definition)
                {
                    each(&mut |values| {
                        let labels = Spelled::new(keys, 0, values);
                        let (set, faults) = LabelSet::of(&labels);
                        let layout = self.layout(definition, site);
                        self.dictionary.make(definition, layout, &labels, &set, &faults);
                    });
                }
            }
        }
        if !self.deferred.is_empty() {
            self.catch_up();
        }
        made
    }

    /// Gives the region the chunk of a cell, or the store that of a gauge.
    fn map(&self, definition: &Definition, region: &Region, cell: CellWord) {
        match definition.kind {
            Kind::Gauge => self.map_gauge(GaugeSlot::Series(cell.slot())),
            _ => local::map_series(region, cell.slot()),
        }
    }

    #[cold]
    fn report_full(&self, definition: &Definition) {
        let (name, place) = (definition.name, definition.place);
        let count = self.dictionary.count_of(definition);
        let message = format!(
            "defined at {place} has reached its limit with {count} series; what is above is counted in one \
             series with {}=true: bound the values of its labels, or raise the limit",
            dictionary::OVERFLOW
        );
        self.problems.report(name, message);
        own::full(name);
    }

    /// Reports what had to be mended in labels.
    pub(crate) fn report_faults(&self, definition: &Definition, faults: &Faults<'_>) {
        let (name, place) = (definition.name, definition.place);
        if let Some(key) = faults.twice {
            let message =
                format!("defined at {place} is given the label {key:?} twice; the last value stays");
            self.problems.report(name, message);
        }
        if faults.empty_key {
            let message =
                format!("defined at {place} is given a label without a name; the label is left out");
            self.problems.report(name, message);
        }
        if faults.cut {
            let message = format!("defined at {place} is given a label value over 1 KiB; it is cut");
            self.problems.report(name, message);
        }
    }

    /// The buckets of a histogram in this store: those of the first site that recorded into it here.
    pub(crate) fn layout(&self, definition: &Definition, site: &Descriptor) -> Option<&'static Layout> {
        if !matches!(definition.kind, Kind::Histogram | Kind::Summary) {
            return None;
        }
        let buckets = match (definition.kind, site.buckets) {
            (Kind::Summary, Buckets::ByUnit) => {
                Buckets::Quantiles { quantiles: QUANTILES, window_seconds: WINDOW_SECONDS }
            }
            (_, buckets) => buckets,
        };
        let mut layouts = lock::patiently(&self.layouts)?;
        let layouts = layouts.get_or_insert_default();
        let wanted = layouts.wanted.get(definition.name).map_or(&[][..], Vec::as_slice);
        let first = *layouts.chosen.entry(definition.id).or_insert_with(|| {
            let layout = Layout::declared(buckets, definition.unit, wanted).unwrap_or_else(|fault| {
                let message = format!("defined at {} {fault}; the buckets of its unit are used", site.place);
                self.problems.report(definition.name, message);
                Layout::by_unit(definition.unit)
            });
            ChosenLayout { layout, buckets: site.buckets, place: site.place }
        });
        // A site that says nothing of buckets is content with any.
        if site.buckets != Buckets::ByUnit && first.buckets != site.buckets {
            let message = format!(
                "has other buckets at {} than at {}; the first are kept: make them equal",
                first.place, site.place
            );
            self.problems.report(definition.name, message);
        }
        Some(first.layout)
    }

    /// Keeps these bounds as well for the histogram of this name, if nothing was recorded into it here.
    fn want_bounds(&self, metric: &str, bounds: &[f64]) -> Result<bool, String> {
        Layout::of(bounds)?;
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        let layouts = layouts.get_or_insert_default();
        let of_metric: Vec<_> =
            registry::definitions().into_iter().filter(|definition| definition.name == metric).collect();
        let chosen = of_metric.iter().filter_map(|definition| layouts.chosen.get(&definition.id));
        let has_all = |chosen: &ChosenLayout| match chosen.layout {
            Layout::Explicit(explicit) => bounds.iter().all(|bound| explicit.bounds.contains(bound)),
            Layout::Exponential(_) | Layout::Summary(_) => false,
        };
        if chosen.clone().count() > 0 && chosen.into_iter().all(has_all) {
            return Ok(true);
        }
        if of_metric.iter().any(|definition| self.dictionary.count_of(definition) > 0) {
            return Ok(false);
        }
        for definition in of_metric {
            layouts.chosen.remove(&definition.id);
        }
        let wanted = layouts.wanted.entry(metric.to_owned()).or_default();
        wanted.extend(bounds);
        wanted.sort_by(f64::total_cmp);
        wanted.dedup();
        Ok(true)
    }

    /// The words of a gauge: its bits, and the epoch in which it was set, 0 if it never was.
    #[inline]
    pub(crate) fn gauge(&self, cell: GaugeSlot) -> Option<&[AtomicU64]> {
        let (directory, slot) = self.gauges(cell);
        directory.chunk(slot).map(|chunk| chunk.words(slot, 2))
    }

    #[inline]
    fn gauges(&self, cell: GaugeSlot) -> (&Directory, u32) {
        match cell {
            GaugeSlot::Fixed(slot) => (&self.fixed_gauges, slot),
            GaugeSlot::Series(slot) => (&self.series_gauges, slot),
        }
    }

    /// Makes room for a gauge.
    #[cold]
    pub(crate) fn map_gauge(&self, cell: GaugeSlot) {
        self.started();
        let (directory, slot) = self.gauges(cell);
        if let Some(_one_at_a_time) = lock::patiently(&self.mapping) {
            directory.map_alone(slot);
        }
    }

    /// Sets a gauge that is mapped; false if it is not.
    #[inline]
    pub(crate) fn set_gauge(&self, cell: GaugeSlot, bits: u64) -> bool {
        let Some(words) = self.gauge(cell) else { return false };
        words[0].store(bits, Relaxed);
        words[1].store(self.epoch.load(Relaxed), Release);
        true
    }

    /// Changes a gauge, which is mapped first if need be.
    pub(crate) fn change_mapped(&self, cell: GaugeSlot, change: impl Fn(u64) -> u64) {
        if !self.change_gauge(cell, &change) {
            self.map_gauge(cell);
            if !self.change_gauge(cell, change) {
                own::unable();
            }
        }
    }

    /// Changes a gauge that is mapped; false if it is not.
    #[inline]
    pub(crate) fn change_gauge(&self, cell: GaugeSlot, change: impl Fn(u64) -> u64) -> bool {
        let Some(words) = self.gauge(cell) else { return false };
        let mut bits = words[0].load(Acquire);
        while let Err(now) = words[0].compare_exchange_weak(bits, change(bits), AcqRel, Acquire) {
            bits = now;
        }
        words[1].store(self.epoch.load(Relaxed), Release);
        true
    }
}

/// How often a series that was just made is looked up. It would have to be removed each time in between.
const MOST_LOOKS: usize = 64;

/// A series at which something is about to be written.
pub(crate) struct Found<'a> {
    pub(crate) store: &'a Inner,
    /// Of this thread.
    pub(crate) region: &'a Region,
    pub(crate) cell: CellWord,
    /// Its line; none for the overflow series, which is never removed.
    pub(crate) number: Option<u32>,
}

/// Which buckets histograms have and are to have.
#[derive(Default)]
struct Plan {
    /// By the number of the metric.
    chosen: HashMap<u32, ChosenLayout>,
    /// Bounds that readers want, by the metric's name.
    wanted: HashMap<String, Vec<f64>>,
}

/// The buckets of a histogram, and the site that brought them.
#[derive(Clone, Copy)]
struct ChosenLayout {
    layout: &'static Layout,
    buckets: Buckets,
    place: Place,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Most stores have no handles; a look at an empty map costs little beside freeing a store.
        BOUND.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Where a gauge lives in its store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GaugeSlot {
    /// The same in all stores.
    Fixed(u32),
    /// Of a dynamic series.
    Series(u32),
}
