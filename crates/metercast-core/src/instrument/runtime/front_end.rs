//! What front ends need of an instrument beside what all instruments do: totals that are kept elsewhere, one value many times,
//! descriptions that come late.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Acquire;

use super::Instrument;
use super::orders::with_list;
use crate::definition::Kind;
use crate::interned;
use crate::label::{LabelRef, Packed};
use crate::local;
use crate::lock;
use crate::number::Number;
use crate::own::{self, Reason};
use crate::registry;
use crate::site::is_bare;
use crate::store::Inner;
use crate::store::dictionary::{Dictionary, Sought};
use crate::store::hint::Hint;
use crate::store::line::CellWord;
use crate::write::{Add, Change, Raise, Record, RecordMany};

/// Labels that were brought into the form in which a recording compares them; made by [`Instrument::prepare`], and for its
/// instrument alone. They are the same in every store, and hold no series: it can end and come back. Until one ends, recording
/// with them looks nothing up in the youngest store that they were recorded into.
#[derive(Debug)]
pub struct PreparedLabels {
    packed: Packed,
    hint: Hint,
}

impl Sought for PreparedLabels {
    #[inline(always)]
    fn cell_in(&self, dictionary: &Dictionary) -> Option<CellWord> {
        dictionary.find_again(&self.packed, &self.hint)
    }
}

/// Runs what is seldom come to where it does not burden what is done mostly.
#[inline(never)]
fn apart(f: impl FnOnce()) {
    f();
}

/// Held by whoever raises a counter, since two that look at the total at once would both add what it lacks.
static RAISING: Mutex<()> = Mutex::new(());

impl Instrument {
    /// These labels prepared, so that recording with them does not look at each. `None` if they have no such form: more than four,
    /// a text over 32 bytes, an order of keys too many, or recording is off.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef, reading::Point};
    ///
    /// let requests = Instrument::builder(Kind::Counter, NumberType::U64, "requests.prepared").build()?;
    /// let labels = [("tenant", ValueRef::from("a"))];
    /// let prepared = requests.prepare(labels).unwrap();
    /// let store = Store::new();
    /// store.scope(|| {
    ///     requests.add_at(2u64, Some(&prepared), || labels);
    ///     requests.add(1u64, labels);
    /// });
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(3));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn prepare<'a>(self, labels: impl IntoIterator<Item = LabelRef<'a>>) -> Option<PreparedLabels> {
        with_list(labels.into_iter(), |labels| {
            let packed = local::slowly(|| Packed::of_pairs(&self.listed(labels))).flatten()?;
            Some(PreparedLabels { packed, hint: Hint::new() })
        })
    }

    /// [`add`](Self::add) with labels that may have been prepared; `labels` gives the same, if they are needed.
    #[inline]
    pub fn add_at<'a, N: Number, L: IntoIterator<Item = LabelRef<'a>>>(
        self,
        amount: N,
        prepared: Option<&PreparedLabels>,
        labels: impl FnOnce() -> L,
    ) {
        let done = prepared.is_some_and(|prepared| {
            amount.is_sound()
                && if self.takes::<N>(Kind::Counter) {
                    !amount.is_negative() && local::write_at(prepared, &Add { word: 0, amount })
                } else if self.takes::<N>(Kind::Gauge) {
                    local::write_at(prepared, &Change::By(amount))
                } else {
                    false
                }
        });
        if !done {
            apart(|| self.add(amount, labels()));
        }
    }

    /// [`set`](Self::set) with labels that may have been prepared; `labels` gives the same, if they are needed.
    #[inline]
    pub fn set_at<'a, N: Number, L: IntoIterator<Item = LabelRef<'a>>>(
        self,
        value: N,
        prepared: Option<&PreparedLabels>,
        labels: impl FnOnce() -> L,
    ) {
        let done = prepared.is_some_and(|prepared| {
            value.is_sound() && self.takes::<N>(Kind::Gauge) && local::write_at(prepared, &Change::To(value))
        });
        if !done {
            apart(|| self.set(value, labels()));
        }
    }

    /// [`record`](Self::record) with labels that may have been prepared; `labels` gives the same, if they are needed.
    #[inline]
    pub fn record_at<'a, N: Number, L: IntoIterator<Item = LabelRef<'a>>>(
        self,
        value: N,
        prepared: Option<&PreparedLabels>,
        labels: impl FnOnce() -> L,
    ) {
        let done = prepared.is_some_and(|prepared| {
            value.is_sound()
                && (self.takes::<N>(Kind::Histogram) || self.takes::<N>(Kind::Summary))
                && local::write_at(prepared, &Record(value.to_f64()))
        });
        if !done {
            apart(|| self.record(value, labels()));
        }
    }

    /// Brings the series with these labels to at least this total: of a counter of `u64`. It adds what is lacking, and nothing if
    /// there is more already. For totals that somebody else keeps; it takes a lock and looks at all regions, which is too slow for
    /// what is counted here. Beyond the limit of series the overflow series is brought to it.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, reading::Point};
    ///
    /// let pages = Instrument::builder(Kind::Counter, NumberType::U64, "pages.swapped").build()?;
    /// let store = Store::new();
    /// store.scope(|| {
    ///     pages.raise(40, []);
    ///     pages.add(2u64, []);
    ///     pages.raise(41, []);
    /// });
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(42));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn raise<'a>(self, to: u64, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        if !self.takes::<u64>(Kind::Counter) {
            return self.dropped(Reason::Definition);
        }
        // An allocator that raises while its thread records would wait for itself.
        if local::is_slow() {
            return own::unable();
        }
        with_list(labels.into_iter(), |labels| self.raise_in(to, labels));
    }

    fn raise_in(self, to: u64, labels: &mut [LabelRef<'_>]) {
        // What was left to others counts.
        local::with_store(|store| {
            if !store.deferred.is_empty() {
                store.settle();
            }
        });
        let alone = lock::patiently(&RAISING);
        if alone.is_none() {
            return own::unable();
        }
        // What is counted without labels has a fixed slot, beside which this goes.
        let elsewhere =
            if is_bare(&&*labels) { local::with_store(|store| self.fixed_total(store)) } else { 0 };
        self.write_slow(labels, true, &Raise(to.saturating_sub(elsewhere)));
    }

    /// What was counted without labels in the fixed slot.
    fn fixed_total(self, store: &Inner) -> u64 {
        let slot = self.0.site.slot();
        let cells = store.regions.iter().filter_map(|region| region.fixed(slot));
        cells.fold(0, |total, chunk| total.wrapping_add(chunk.word(slot).load(Acquire)))
    }

    /// Records one value so many times in the series with these labels: of a histogram or a summary. It costs the same however
    /// often, and the sum grows by the product. Zero times makes the series appear.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store, reading::Point};
    ///
    /// let sizes = Instrument::builder(Kind::Histogram, NumberType::F64, "chunk.size").bounds(&[100.0]).build()?;
    /// let store = Store::new();
    /// store.scope(|| sizes.record_many(2.5, 1_000_000_000, []));
    /// let Point::Histogram(sizes) = &store.collect()[0].series[0].point else { panic!() };
    /// assert_eq!((sizes.count(), sizes.sum), (1_000_000_000, 2.5e9));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn record_many<'a, N: Number>(
        self,
        value: N,
        times: u64,
        labels: impl IntoIterator<Item = LabelRef<'a>>,
    ) {
        if times == 1 {
            return self.record(value, labels);
        }
        if !self.takes::<N>(Kind::Histogram) && !self.takes::<N>(Kind::Summary) {
            return self.dropped(Reason::Definition);
        }
        let write = RecordMany { value: value.to_f64(), times };
        with_list(labels.into_iter(), |labels| self.write_slow(labels, value.is_sound(), &write));
    }

    /// Says a unit and a description where the metric has none yet, also if it was recorded into and read: for front ends whose
    /// callers describe metrics when they like. Both may be empty, which says nothing. What is there already stays, in all stores;
    /// if it is something else, that is one of their [`problems`](crate::Store::problems), and so it is if there is no more room
    /// for texts in the process.
    ///
    /// ```
    /// use metercast_core::{Instrument, Kind, NumberType, Store};
    ///
    /// let reads = Instrument::builder(Kind::Counter, NumberType::U64, "disk.read").build()?;
    /// let store = Store::new();
    /// store.scope(|| {
    ///     reads.add(512u64, []);
    ///     reads.describe("By", "What was read from disks");
    /// });
    /// let definition = &store.collect()[0].definition;
    /// assert_eq!((definition.unit(), definition.description()), ("By", "What was read from disks"));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// ```
    pub fn describe(self, unit: &str, description: &str) {
        let described = local::slowly(|| {
            let definition = local::with_store(|store| self.0.site.definition(store))?;
            let differs = |message| registry::differs(definition, message);
            let place = self.descriptor().place;
            let texts = [unit, description.trim_ascii()].map(interned::text);
            let [Some(unit), Some(description)] = texts else {
                differs(format!("at {place}: there is no more room for its description"));
                return Some(());
            };
            registry::describe(definition, description.into(), place);
            if unit.is_empty() || unit == definition.unit() {
                return Some(());
            }
            let first = definition.unit();
            if !first.is_empty() {
                differs(format!(
                    "has two units, {first:?} and {unit:?} at {place}; the first is kept: make them equal"
                ));
            } else if !registry::give_unit(definition, unit)? {
                differs(format!(
                    "is described at {place} to be in {unit:?}, and is another metric in that unit already: describe it before it \
                     is recorded into"
                ));
            }
            Some(())
        });
        if described.flatten().is_none() {
            own::unable();
        }
    }

    /// How many series it may have in the current store: what [`set_limits`](crate::Store::set_limits) and
    /// [`set_limit`](crate::Store::set_limit) say. That of its own counts once it has a series.
    pub fn limit(self) -> u32 {
        local::with_store(|store| {
            let definition = self.0.site.definition(store);
            definition.map_or(0, |definition| store.dictionary.limit_of(definition))
        })
    }
}
