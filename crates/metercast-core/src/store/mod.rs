//! Everything that was measured in one place, from first use to the end of the store.
//!
//! A store outlives every exporter that reads it. There is one that is always there, [`Store::global`], and as
//! many more as anybody makes: one per test, one per tenant. Which one a recording lands in is decided by the
//! scope around it.

#[allow(unsafe_code, reason = "a system call that orders all threads")]
pub(crate) mod barrier;
#[allow(unsafe_code, reason = "a list of items that anybody reads while one appends")]
pub(crate) mod blocks;
#[allow(unsafe_code, reason = "a list that threads hand recordings over in")]
pub(crate) mod deferred;
pub(crate) mod dictionary;
#[allow(unsafe_code, reason = "cells are reached through atomic pointers, and live as long as the store")]
pub(crate) mod directory;
pub(crate) mod exemplars;
pub(crate) mod exponential;
#[allow(unsafe_code, reason = "cells are reached through atomic pointers, and live as long as the store")]
pub(crate) mod fixed_chunks;
pub(crate) mod fixed_gauges;
pub(crate) mod gauge_sets;
pub(crate) mod gauges;
mod guarded;
pub(crate) mod hint;
mod inner;
pub(crate) mod layout;
mod layouts;
#[allow(unsafe_code, reason = "memory is used again once nobody can reach it")]
pub(crate) mod lifecycle;
pub(crate) mod line;
#[allow(unsafe_code, reason = "memory that does not come from the program's allocator")]
mod memory;
pub(crate) mod observables;
pub(crate) mod observed;
pub(crate) mod past;
mod plan;
pub(crate) mod produced;
#[allow(unsafe_code, reason = "cells are reached through atomic pointers, and live as long as the store")]
pub(crate) mod region;
#[allow(
    unsafe_code,
    reason = "the list of regions is linked by atomic pointers, and lives as long as the store"
)]
pub(crate) mod regions;
mod replace;
mod search;
#[allow(unsafe_code, reason = "an index that anybody reads while one inserts")]
mod table;
#[allow(unsafe_code, reason = "a list that grows without a lock")]
pub(crate) mod unplanned;
pub(crate) mod watch;
#[allow(unsafe_code, reason = "label sets that anybody reads while one replaces them")]
mod wide;
pub(crate) mod windows;
mod wish;
pub(crate) mod witness;

use std::collections::BTreeMap;
use std::fmt;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Instant, SystemTime};

use crate::clock::MockClock;
use crate::definition::Definition;
use crate::label::{KeyValue, LabelSet};
use crate::local::Entered;
use crate::problem::Problem;
use crate::{local, lock, own, registry};
use exemplars::{ExemplarFilter, SpanContext};
use layout::Wanted;
use lifecycle::Expiry;
use observables::Runner;
use observed::Observed;

pub(crate) use gauges::GaugeSlot;
pub(crate) use inner::{Found, Inner};
use inner::{OFF, ON, WITH_EXEMPLARS};
pub use wish::{WantedBounds, WantedExponential};

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
        Store::made(|_| {})
    }

    /// A new, empty store that goes by this clock, for tests of what depends on time.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use metercast_core::{MockClock, Store, u64_counter};
    ///
    /// let clock = MockClock::at(UNIX_EPOCH);
    /// let store = Store::with_clock(&clock);
    /// clock.advance(Duration::from_secs(5));
    /// let tenant = String::from("acme");
    /// store.scope(|| u64_counter!("requests.mocked", "Requests, by tenant", 1, "tenant" => tenant));
    /// assert_eq!(store.started(), UNIX_EPOCH);
    /// assert_eq!(store.collect()[0].series[0].started, UNIX_EPOCH + Duration::from_secs(5));
    /// ```
    pub fn with_clock(clock: &MockClock) -> Store {
        Store::made(|inner| inner.clock().set(clock))
    }

    fn made(prepare: impl FnOnce(&Inner)) -> Store {
        static NEXT: AtomicU64 = AtomicU64::new(GLOBAL_ID + 1);
        let id = NEXT.fetch_add(1, Relaxed);
        let inner = Arc::new(Inner::new(id));
        inner.dictionary.generation.renew();
        prepare(&inner);
        inner.started();
        Store(Handle::Own(inner))
    }

    /// The clock that it goes by, if that is not the system's.
    pub fn clock(&self) -> Option<&MockClock> {
        self.inner().clock().mocked()
    }

    /// The moment that it is, by its clock.
    pub fn now(&self) -> Instant {
        self.inner().clock().now()
    }

    /// The time that it is, by its clock.
    pub fn time(&self) -> SystemTime {
        self.inner().clock().time()
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
        let Some(bound) = lock::patiently(&BOUND) else {
            own::unable();
            return None;
        };
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

    /// Tells whether the current store is another than some time before: no two have the same number. For front ends, not for use
    /// by hand.
    #[doc(hidden)]
    #[inline]
    pub fn current_id() -> u64 {
        local::with_store(Inner::id)
    }

    /// Runs `f` with this store as the current one on this thread. Scopes nest, and end when `f` returns or
    /// panics. For futures see [`StoreFutureExt`](crate::StoreFutureExt).
    pub fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        local::within(self, f)
    }

    /// Makes this store the current one on this thread until what is returned is dropped: for where no closure can stand, as in
    /// the first line of a test. Prefer [`scope`](Self::scope). What is entered later ends earlier, as locals do; a store whose
    /// scope ends out of order stays in memory until the process ends, and is current again when the later scope ends. In a future it holds
    /// while the thread goes on, which is over each `.await` only where one thread runs the future and nothing else; otherwise use
    /// [`StoreFutureExt`](crate::StoreFutureExt).
    ///
    /// ```
    /// use metercast_core::{Store, u64_counter};
    ///
    /// let store = Store::new();
    /// let entered = store.enter();
    /// u64_counter!("orders", "Orders placed", 1);
    /// drop(entered);
    /// assert_eq!(store.collect().len(), 1);
    /// assert!(!Store::current().is(&store));
    /// ```
    #[must_use = "the scope ends when this is dropped"]
    pub fn enter(&self) -> Entered {
        Entered::into(self)
    }

    /// Switches recording on or off. Off, a call site costs a branch, and what it would record is not kept, except
    /// that a counter without labels or with literal ones, which a thread has used before, may go on counting there, and that
    /// what is bound goes on: handles, and guards, which must come down.
    /// What was recorded before stays.
    pub fn set_enabled(&self, enabled: bool) {
        let inner = self.inner();
        let on = if inner.exemplars.are_wanted() { WITH_EXEMPLARS } else { ON };
        inner.set_mode(|_| Some(if enabled { on } else { OFF }));
    }

    /// Says where spans come from, so that exemplars are taken from now on: `current` gives the span that is current on the thread that records, if it is sampled.
    /// Of each bucket of a histogram, and of each counter with labels that are known at run time, the newest measurement made in
    /// such a span is kept, or the newest of all ([`set_exemplars`](Self::set_exemplars)); at most 10,000. Not taken are those of bound handles, and of counters whose series the
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
        if inner.exemplars.are_wanted() {
            inner.set_mode(|mode| (mode == ON).then_some(WITH_EXEMPLARS));
        }
    }

    /// Which measurements become exemplars: unless it is said, those that are made in a sampled span. What was taken before and
    /// would not be now is forgotten.
    ///
    /// ```
    /// use metercast_core::{ExemplarFilter, Store, metrics};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers.of_all" { unit: "s" };
    /// }
    ///
    /// let store = Store::new();
    /// store.set_exemplars(ExemplarFilter::AlwaysOn);
    /// store.scope(|| ANSWERS.record(0.3));
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| assert_eq!(series.exemplars[0].span, None));
    ///     }
    /// });
    /// ```
    pub fn set_exemplars(&self, filter: ExemplarFilter) {
        let inner = self.inner();
        inner.exemplars.filter(filter);
        let (from, to) =
            if inner.exemplars.are_wanted() { (ON, WITH_EXEMPLARS) } else { (WITH_EXEMPLARS, ON) };
        inner.set_mode(|mode| (mode == from).then_some(to));
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

    /// Sets how many series the metric of this name may have, at least one, whether it was used already or not. Gauge sets and
    /// observable instruments have a limit of their own, of 2,000.
    pub fn set_limit(&self, metric: &str, limit: u32) {
        self.inner().dictionary.set_limit(metric, limit);
    }

    /// Keeps these bounds as well in the histograms of this name, used already or not, for as long as what is returned lives:
    /// so that a reader can have them exactly with [`SeriesView::at`](crate::reading::SeriesView::at). All others see what is
    /// declared, and nothing of what is wanted or not wanted any more.
    ///
    /// Asked before the store is read for the first time, the bounds hold for all that was recorded, unless that were more
    /// than 4,096 values. Later, series that do not have them get new cells, and whoever asked sees what
    /// is recorded from then on, and a later start. (Where the system has no `membarrier` these keep the cells that they have.) Together with what is
    /// declared and what others want there are at most 510 bounds; more are an error, and so are bounds that make no sense. If that
    /// shows later, because the metric was not used yet, what was wanted first is kept, and what was wanted last is left out,
    /// which is one of the [`problems`](Self::problems).
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::{PointView, interned_bounds}};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers" { unit: "s", buckets: [0.1, 1.0] };
    /// }
    ///
    /// let store = Store::new();
    /// store.scope(|| ANSWERS.record(0.3));
    /// let wanted = store.want_bounds("answers", &[0.5]).unwrap();
    /// assert!(!wanted.restarted());
    /// let (half, mut counts) = (interned_bounds(&[0.5]).unwrap(), Vec::new());
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| {
    ///             let PointView::Histogram(buckets) = series.value else { panic!() };
    ///             assert_eq!((buckets.bounds, buckets.counts), (&[0.1, 1.0][..], &[0, 1, 0][..]));
    ///             let PointView::Histogram(buckets) = series.at(half, &mut counts).unwrap().value else { panic!() };
    ///             assert_eq!(buckets.counts, [1, 0]);
    ///         });
    ///     }
    /// });
    /// assert!(store.want_bounds("answers", &[0.7]).unwrap().restarted(), "that was too late");
    /// ```
    pub fn want_bounds(&self, metric: &str, bounds: &[f64]) -> Result<WantedBounds, String> {
        let wanted = Wanted { bounds: bounds.to_vec(), exponential: false };
        self.want(Some(metric), &wanted).map(WantedBounds::new)
    }

    /// Keeps exponential buckets as well in the histograms of this name, or in all of which the program text says nothing, for
    /// as long as what is returned lives: a reader has them with
    /// [`SeriesView::exponential`](crate::reading::SeriesView::exponential). All others see what is declared. What holds for
    /// [`want_bounds`](Self::want_bounds) holds for this. Where there are more than 460 bounds already there is no room for
    /// exponential buckets beside them, which is one of the [`problems`](Self::problems).
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::PointView};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers.anyhow" { unit: "s" };
    /// }
    ///
    /// let store = Store::new();
    /// let _wanted = store.want_exponential(None);
    /// store.scope(|| ANSWERS.record(0.3));
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| {
    ///             assert!(matches!(series.value, PointView::Histogram(_)));
    ///             let PointView::Exponential(buckets) = series.exponential().unwrap().value else { panic!() };
    ///             assert_eq!((buckets.count(), buckets.sum), (1, 0.3));
    ///         });
    ///     }
    /// });
    /// ```
    pub fn want_exponential(&self, metric: Option<&str>) -> WantedExponential {
        let wanted = Wanted { bounds: Vec::new(), exponential: true };
        WantedExponential::new(self.want(metric, &wanted).expect("there are no bounds that could be wrong"))
    }

    /// Keeps the buckets that a rule asks for, for as long as what is returned lives: of a definition, and of whether the
    /// program text says anything of its buckets, it makes the bounds, and whether there are to be exponential buckets. So
    /// a reader can ask for histograms that it does not know yet. What holds for [`want_bounds`](Self::want_bounds) holds for
    /// this, but that bounds that make no sense are passed over, and what is too much is one of the
    /// [`problems`](Self::problems). The rule is asked while buckets are chosen, also by whoever records into a histogram
    /// for the first time: it must not take long, must not record,
    /// and must not ask the store for anything, which would wait for it. Of a histogram of which it panics it asks for nothing,
    /// which is one of the problems as well.
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::interned_bounds};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers.ruled" { unit: "s" };
    /// }
    ///
    /// let store = Store::new();
    /// let _wanted = store.want_buckets(|definition, is_declared| match definition.unit() {
    ///     "s" if !is_declared => (vec![0.5], false),
    ///     _ => (vec![], false),
    /// });
    /// store.scope(|| ANSWERS.record(0.3));
    /// let half = interned_bounds(&[0.5]).unwrap();
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| assert!(series.at(half, &mut Vec::new()).is_some()));
    ///     }
    /// });
    /// ```
    pub fn want_buckets(
        &self,
        rule: impl Fn(&Definition, bool) -> (Vec<f64>, bool) + Send + Sync + 'static,
    ) -> WantedBounds {
        WantedBounds::new(self.want_by(Box::new(move |definition, is_declared| {
            let (bounds, exponential) = rule(definition, is_declared);
            Wanted { bounds, exponential }
        })))
    }

    /// Whether the program text says something of the buckets of a histogram that was used here, rather than leave them to the
    /// unit or to who reads. Not for a rule of [`want_buckets`](Self::want_buckets), which is told: it would wait for itself for
    /// a second, and hear `false`.
    pub fn has_declared_buckets(&self, definition: &Definition) -> bool {
        self.inner().has_declared_buckets(definition)
    }

    /// Lets series end by themselves when nothing is recorded into them for long; `None`, the default, keeps them. It is
    /// looked after when the store is read. A series that is recorded into again begins at zero, with a new start. Never
    /// ended are series that the program text names, up-down counters that are not at zero, what a guard, a timer or a
    /// handle holds, and what a [`Witness`](crate::Witness) has not seen.
    pub fn set_expiry(&self, expiry: Option<Expiry>) {
        self.inner().lifecycle.set_expiry(expiry);
    }

    /// Removes a series; recorded into again it begins at zero, with a new start. False if there is no such series, if it is
    /// one that the program text names, an up-down counter that is not at zero, or held by a guard, a timer or a handle.
    /// The values of labels have types: a status that is recorded as the number 404 is another label than the text `404`.
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
        let (definitions, inner) = (registry::definitions(), self.inner());
        let of_metric = definitions.iter().filter(|definition| definition.name == metric);
        // Each scope may have one.
        of_metric.filter(|definition| inner.lifecycle.remove(inner, definition, &labels)).count() > 0
    }

    /// Takes a metric out that a [configuration](crate::InstrumentBuilder::configured) defined and that a new one has not got:
    /// its series are [removed](Self::remove), and what cannot be removed or is recorded later is not read, until it is
    /// [restored](Self::restore). Of other metrics nothing is taken out, nor of one that the program defines as well.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store};
    ///
    /// let calls = Instrument::builder(Kind::Counter, NumberType::U64, "acme.calls").configured().build()?;
    /// let store = Store::new();
    /// store.scope(|| calls.add(1u64, []));
    /// store.withdraw("acme.calls");
    /// assert!(store.collect().is_empty());
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn withdraw(&self, metric: &str) {
        let mut series: Vec<(&'static Arc<Definition>, LabelSet)> = Vec::new();
        self.read(|reading| {
            let of_metric =
                |definition: &Definition| definition.name() == metric && definition.is_only_configured();
            for family in reading.families().filter(|family| of_metric(family.definition())) {
                family.each(|view| series.push((family.definition(), view.labels.to_set())));
            }
        });
        let inner = self.inner();
        for (definition, labels) in &series {
            inner.lifecycle.remove(inner, definition, labels);
        }
        if let Some(mut withdrawn) = lock::write(&inner.withdrawn) {
            let definitions = registry::definitions();
            let of_metric = definitions.iter().filter(|of| of.name == metric && of.is_only_configured());
            withdrawn.extend(of_metric.map(|definition| definition.id));
        }
    }

    /// Lets readings see a metric again that was [withdrawn](Self::withdraw).
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, reading::Point};
    ///
    /// let calls = Instrument::builder(Kind::Counter, NumberType::U64, "acme.calls").configured().build()?;
    /// let store = Store::new();
    /// store.scope(|| calls.add(5u64, []));
    /// store.withdraw("acme.calls");
    /// store.restore("acme.calls");
    /// store.scope(|| calls.add(1u64, []));
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(1));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn restore(&self, metric: &str) {
        if let Some(mut withdrawn) = lock::write(&self.inner().withdrawn) {
            for definition in registry::definitions().iter().filter(|definition| definition.name == metric) {
                withdrawn.remove(&definition.id);
            }
        }
    }

    /// What is wrong with how metrics are defined or labelled in this store, each problem once, oldest first; at
    /// most 256 are kept.
    pub fn problems(&self) -> Vec<Problem> {
        self.inner().problems.list()
    }

    /// Adds a problem of a metric to those of this [store](Self::problems), unless it is there already: for front ends, which meet
    /// what the core cannot know, such as a name that had to be changed. The message goes on where the name ends, and says what is
    /// wrong and how to mend it.
    ///
    /// ```
    /// use metercast_core::Store;
    ///
    /// let store = Store::new();
    /// store.report("orders", "is also called \"Orders\"; spell both alike");
    /// store.report("orders", "is also called \"Orders\"; spell both alike");
    /// assert_eq!(store.problems().len(), 1);
    /// assert_eq!(store.problems()[0].to_string(), "metric \"orders\" is also called \"Orders\"; spell both alike");
    /// ```
    pub fn report(&self, metric: &str, message: impl Into<String>) {
        self.inner().problems.report(metric, message.into());
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

    /// What is registered to be asked at readings, by name, oldest first: the metrics of callbacks, which may have said nothing yet, and
    /// producers. For the read side, not for use by hand.
    #[doc(hidden)]
    pub fn registered(&self) -> Vec<&'static str> {
        let registrations = self.inner().observables.registrations();
        registrations.iter().map(|registration| registration.name()).collect()
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

/// Clones are equal, and no others: whatever is in them.
impl PartialEq for Store {
    fn eq(&self, other: &Store) -> bool {
        match (&self.0, &other.0) {
            (Handle::Global, Handle::Global) => true,
            (Handle::Own(one), Handle::Own(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Store {}

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
