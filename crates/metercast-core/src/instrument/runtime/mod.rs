//! An instrument that is made while the program runs: its name, its unit and the keys of its labels are not in the program text.

mod bound;
mod builder;
mod front_end;
mod observer;
mod orders;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;

pub use bound::BoundInstrument;
pub use builder::{InstrumentBuilder, InstrumentError};
pub use front_end::PreparedLabels;
pub use observer::RuntimeObserver;

use super::guard::Guard;
use super::observation::Observation;
use crate::definition::{Descriptor, Kind};
use crate::held::Held;
use crate::label::{Buffer, LabelRef, Packed};
use crate::local::{self, Write};
use crate::number::{Number, NumberType};
use crate::own::{self, Reason};
use crate::site::{FixedAt, Site};
use crate::write::{Add, Change, Record, up_or_down};
use orders::{Listed, Orders, with_list};

/// An instrument that is made while the program runs: for front ends that learn the names of metrics from their callers, and
/// for metrics out of a configuration. What the program text knows is better declared with [`metrics!`](crate::metrics).
///
/// It is `Copy` and holds for the whole process: two builds of the same content give the same instrument, and nothing is
/// ever taken back. So there is a bound of 16,384 instruments, beyond which [`build`](InstrumentBuilder::build) is an error. As
/// with declared metrics each recording goes into the store that is current.
///
/// Labels are given with each recording, as pairs of a key and a [`ValueRef`](crate::ValueRef), in any order; their number and
/// their keys may be others each time. Up to 16 labels, with texts up to 249 bytes and 300 bytes in all, are found about as fast as
/// those of a call site, once the instrument has met their keys in that order. It learns up to four orders of the same keys, and 64 in all
/// for a metric; what comes beyond is found more slowly, and also without a lock or memory for a series that is there. Of a key
/// that is given twice the last value stays, and labels without a key are left out, both of which are
/// [problems](crate::Store::problems).
///
/// What a counter or an up-down counter counts without labels has a fixed slot: it is as fast as with a declared one, and as there it
/// stays, and makes no exemplars.
///
/// Kind and number are looked at when something is recorded: what does not fit is dropped and counted in
/// `metercast.recordings.dropped`, and so are NaN, infinity, and negative amounts for a counter.
///
/// ```
/// use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef, reading::Point};
///
/// let name = String::from("http.requests");
/// let requests = Instrument::builder(Kind::Counter, NumberType::U64, name)
///     .unit("{request}")
///     .description("Requests answered")
///     .build()?;
///
/// let store = Store::new();
/// store.scope(|| {
///     requests.add(1u64, [("method", ValueRef::from("GET")), ("status", ValueRef::from(200))]);
///     requests.add(2u64, [("status", ValueRef::from(200)), ("method", ValueRef::from("GET"))]);
/// });
/// let family = &store.collect()[0];
/// assert_eq!(family.definition.name(), "http.requests");
/// assert_eq!(family.series[0].labels.to_string(), "{method=\"GET\",status=200}");
/// assert_eq!(family.series[0].point, Point::U64(3));
/// # Ok::<(), metercast_core::InstrumentError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Instrument(&'static Runtime);

/// What an instrument is, kept for as long as the process lives.
pub(crate) struct Runtime {
    site: Site,
    orders: Orders,
    /// A name that came before and differs in nothing but case.
    alike: Option<&'static str>,
}

impl Runtime {
    pub(crate) fn new(descriptor: &'static Descriptor, alike: Option<&'static str>) -> Runtime {
        Runtime { site: Site::new(descriptor), orders: Orders::new(), alike }
    }
}

impl Instrument {
    /// An instrument of this kind, number and name, still to be described.
    ///
    /// Counters hold `u64` or `f64`, up-down counters `i64` or `f64`; gauges, histograms and summaries any number.
    pub fn builder(kind: Kind, number: NumberType, name: impl Into<Cow<'static, str>>) -> InstrumentBuilder {
        InstrumentBuilder::new(kind, number, name.into())
    }

    pub(crate) fn new(runtime: &'static Runtime) -> Instrument {
        Instrument(runtime)
    }

    /// Its name, as it was given.
    pub fn name(self) -> &'static str {
        self.descriptor().name
    }

    /// What its values mean.
    pub fn kind(self) -> Kind {
        self.descriptor().kind
    }

    /// Which number it holds.
    pub fn number(self) -> NumberType {
        self.descriptor().number
    }

    /// Whether callbacks say its values, rather than recordings.
    pub fn is_observable(self) -> bool {
        self.descriptor().observable
    }

    /// Adds `amount`, in the metric's unit, to the series with these labels: of a counter, an up-down counter or a gauge. A gauge
    /// that was never set counts from zero, and takes no two changes for one.
    #[inline]
    pub fn add<'a, N: Number>(self, amount: N, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        with_list(labels.into_iter(), |labels| self.add_to(amount, labels));
    }

    // Not inlined, nor are the other two: front ends have each in one place, and programs in many.
    #[inline(never)]
    fn add_to<N: Number>(self, amount: N, labels: &mut [LabelRef<'_>]) {
        if self.takes::<N>(Kind::Counter) {
            if amount.is_negative() {
                return self.dropped(Reason::Negative);
            }
            self.add_word(labels, 0, amount);
        } else if self.takes::<N>(Kind::UpDownCounter) {
            let (word, amount) = up_or_down(amount);
            self.add_word(labels, word, amount);
        } else if self.takes::<N>(Kind::Gauge) {
            self.change_gauge(labels, Change::By(amount));
        } else {
            self.dropped(Reason::Definition);
        }
    }

    /// Without labels the series has a fixed slot, as that of a declared metric.
    #[inline(always)]
    fn add_word<N: Number>(self, labels: &mut [LabelRef<'_>], word: u32, amount: N) {
        let site = &self.0.site;
        if !labels.is_empty() || site.descriptor().configured {
            return self.write(labels, amount, Add { word, amount });
        }
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(site.slot() + word, amount) {
            site.add_slow(FixedAt::BARE, word, amount);
        }
    }

    /// Sets the value, in the metric's unit, of the series with these labels: of a gauge.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef, reading::Point};
    ///
    /// let depth = Instrument::builder(Kind::Gauge, NumberType::I64, "queue.depth").build()?;
    /// let store = Store::new();
    /// store.scope(|| {
    ///     depth.set(7i64, [("queue", ValueRef::from("mail"))]);
    ///     depth.add(-2i64, [("queue", ValueRef::from("mail"))]);
    /// });
    /// assert_eq!(store.collect()[0].series[0].point, Point::I64(5));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    #[inline]
    pub fn set<'a, N: Number>(self, value: N, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        with_list(labels.into_iter(), |labels| self.set_in(value, labels));
    }

    #[inline(never)]
    fn set_in<N: Number>(self, value: N, labels: &mut [LabelRef<'_>]) {
        if !self.takes::<N>(Kind::Gauge) {
            return self.dropped(Reason::Definition);
        }
        self.change_gauge(labels, Change::To(value));
    }

    /// Records one value, in the metric's unit, in the series with these labels: of a histogram or a summary.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, reading::Point};
    ///
    /// let sizes = Instrument::builder(Kind::Histogram, NumberType::U64, "body.size")
    ///     .unit("By")
    ///     .bounds(&[100.0, 1000.0])
    ///     .build()?;
    /// let store = Store::new();
    /// store.scope(|| sizes.record(512u64, []));
    /// let Point::Histogram(sizes) = &store.collect()[0].series[0].point else { panic!() };
    /// assert_eq!((sizes.counts.as_slice(), sizes.sum), (&[0, 1, 0][..], 512.0));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    #[inline]
    pub fn record<'a, N: Number>(self, value: N, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        with_list(labels.into_iter(), |labels| self.record_in(value, labels));
    }

    #[inline(never)]
    fn record_in<N: Number>(self, value: N, labels: &mut [LabelRef<'_>]) {
        if !self.takes::<N>(Kind::Histogram) && !self.takes::<N>(Kind::Summary) {
            return self.dropped(Reason::Definition);
        }
        self.write(labels, value, Record(value.to_f64()));
    }

    /// A handle to the series with these labels in the current store, which is there from now on, but for that of a gauge.
    /// Recording through it needs no labels and no lookup.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef, reading::Point};
    ///
    /// let requests = Instrument::builder(Kind::Counter, NumberType::U64, "requests.bound").build()?;
    /// let store = Store::new();
    /// let of_a = store.scope(|| requests.bind([("tenant", ValueRef::from("a"))]));
    /// of_a.add(2u64);
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(2));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn bind<'a>(self, labels: impl IntoIterator<Item = LabelRef<'a>>) -> BoundInstrument {
        with_list(labels.into_iter(), |labels| BoundInstrument::new(self, labels))
    }

    /// Adds one now to the series with these labels, and takes it away when the guard is dropped: of an up-down counter. What holds
    /// for guards of [declared counters](crate::UpDownCounter::guard) holds for it. With an instrument of another kind nothing is
    /// added, which is counted in `metercast.recordings.dropped`.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef, reading::Point};
    ///
    /// let active = Instrument::builder(Kind::UpDownCounter, NumberType::I64, "jobs.active.guarded").build()?;
    /// let store = Store::new();
    /// let job = store.scope(|| active.guard([("queue", ValueRef::from("mail"))]));
    /// assert_eq!(store.collect()[0].series[0].point, Point::I64(1));
    /// drop(job);
    /// assert_eq!(store.collect()[0].series[0].point, Point::I64(0));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    #[must_use = "dropping the guard takes the one away again at once"]
    #[track_caller]
    pub fn guard<'a>(self, labels: impl IntoIterator<Item = LabelRef<'a>>) -> Guard {
        if self.descriptor().kind != Kind::UpDownCounter || self.is_observable() {
            self.dropped(Reason::Definition);
            return Guard::up(Held::Nothing, self.number());
        }
        self.0.site.note_beginning();
        with_list(labels.into_iter(), |labels| {
            Guard::up(self.0.site.hold_series(&self.listed(labels)), self.number())
        })
    }

    /// Registers a callback in the current store, until the handle is dropped: of an instrument that is
    /// [observable](InstrumentBuilder::observable). What holds for callbacks of
    /// [declared instruments](crate::ObservableCounter::observe) holds for it. With an instrument that is recorded into nothing
    /// is registered, which is counted in `metercast.recordings.dropped`.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef, reading::Point};
    ///
    /// let hits = Instrument::builder(Kind::Counter, NumberType::U64, "cache.hits.observed").observable().build()?;
    /// let store = Store::new();
    /// let observation = store.scope(|| hits.observe(|o| o.set(40u64, [("cache", ValueRef::from("users"))])));
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(40));
    /// drop(observation);
    /// assert!(store.collect().is_empty());
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    #[track_caller]
    pub fn observe(self, callback: impl FnMut(&mut RuntimeObserver<'_>) + Send + 'static) -> Observation {
        if !self.is_observable() {
            self.dropped(Reason::Definition);
            return Observation::of_nothing(self.name());
        }
        observer::observe(&self.0.site, callback)
    }

    /// Counts that a value was dropped which is no number of the instrument, for front ends that are given one of another type.
    #[doc(hidden)]
    pub fn out_of_range(self) {
        self.dropped(Reason::Negative);
    }

    /// Tells the current store if there is a name that can be taken for this one.
    fn report_alike(self) {
        if let Some(first) = self.0.alike {
            let message = format!(
                "differs from {first:?} in nothing but case, and is another metric: write both alike"
            );
            local::with_store(|store| store.problems.report(self.name(), message));
        }
    }

    /// The labels with their shape, unless recording is off.
    fn listed<'a>(self, labels: &'a mut [LabelRef<'_>]) -> Listed<'a> {
        let Runtime { site, orders, .. } = self.0;
        let definition =
            local::with_store(|store| if store.is_enabled() { site.definition(store) } else { None });
        orders.listed(definition, labels)
    }

    pub(super) fn descriptor(self) -> &'static Descriptor {
        self.0.site.descriptor()
    }

    /// Whether it is of this kind and number, and recorded into.
    #[inline(always)]
    fn takes<N: Number>(self, kind: Kind) -> bool {
        let descriptor = self.descriptor();
        descriptor.kind == kind && descriptor.number == N::TYPE && !descriptor.observable
    }

    #[cold]
    #[inline(never)]
    fn dropped(self, reason: Reason) {
        own::dropped_if_enabled(self.descriptor(), reason);
    }

    #[inline(always)]
    fn change_gauge<N: Number>(self, labels: &mut [LabelRef<'_>], change: Change<N>) {
        if labels.is_empty()
            && !self.descriptor().configured
            && let Change::To(value) = change
            && value.is_sound()
            && local::set_fixed_gauge(self.0.site.slot(), value.bits())
        {
            return;
        }
        self.write(labels, change.value(), change);
    }

    #[inline(always)]
    fn write<N: Number>(self, labels: &mut [LabelRef<'_>], value: N, write: impl Write + Copy) {
        if value.is_sound()
            && let Some(shape) = self.0.orders.find(labels)
        {
            match Packed::of_list(&Buffer::new(), shape, labels) {
                Some(packed) if local::write_at(&packed, &write) => return,
                Some(_) => {}
                None => return self.write_unpacked(shape, labels, &write),
            }
        }
        self.write_slow(labels, value.is_sound(), &write);
    }

    /// Cold only so that those whose labels are packed do not pay for it.
    #[cold]
    #[inline(never)]
    fn write_unpacked(self, shape: u32, labels: &mut [LabelRef<'_>], write: &dyn Write) {
        let values = labels.iter().map(|(_, value)| value);
        if !local::write_at_long(shape, values, write) {
            self.write_slow(labels, true, write);
        }
    }

    /// Writes at the series with labels in an order that is known, but none of the first, if it is there.
    fn write_in_other_order(self, labels: &[LabelRef<'_>], write: &dyn Write) -> bool {
        let Some(shape) = self.0.orders.find_other(labels) else { return false };
        match Packed::of_list(&Buffer::new(), shape, labels) {
            Some(packed) => local::write_at(&packed, write),
            None => local::write_at_long(shape, labels.iter().map(|(_, value)| value), write),
        }
    }

    #[cold]
    #[inline(never)]
    fn write_slow(self, labels: &mut [LabelRef<'_>], is_sound: bool, write: &dyn Write) {
        if is_sound && self.write_in_other_order(labels, write) || !local::is_enabled() {
            return;
        }
        let done = local::slowly(|| {
            self.0.site.note_from_definition();
            self.0.site.at_any(&self.listed(labels), is_sound, write);
        });
        if done.is_none() {
            own::unable();
        }
    }
}

impl PartialEq for Instrument {
    /// Whether both were built of the same content.
    fn eq(&self, other: &Instrument) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl Eq for Instrument {}

impl Hash for Instrument {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::from_ref(self.0).hash(state);
    }
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Descriptor { name, kind, number, .. } = self.descriptor();
        let mut debug = f.debug_struct("Instrument");
        debug.field("name", name).field("kind", kind).field("number", number).finish_non_exhaustive()
    }
}
