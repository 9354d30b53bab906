//! A place that records: what it defines, and the slot that it was given.

use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, OnceLock};

use crate::definition::{Definition, Descriptor, Kind};
use crate::early;
use crate::held::{Distribution, Held, Hold};
use crate::label::{Buffer, Given, LabelSet, MOST_LABELS, Packing, Pairs, Spelled, ValueRef};
use crate::local::{self, Write};
use crate::number::Number;
use crate::own::{self, Reason};
use crate::registry::{self, BY_DICTIONARY, UNRESOLVED, words_each};
use crate::store::{GaugeSlot, Inner};
use crate::write::{Add, Change, Record, Take};

/// Names every series of a site that the program text bounds, in the order of their slots.
#[doc(hidden)]
pub type EachSet = fn(&mut dyn FnMut(&[ValueRef<'_>]));

/// What a declared metric or a call site keeps: numbers that are the same in every store.
pub(crate) struct Site {
    descriptor: &'static Descriptor,
    /// The slot of the first fixed series, or one of the numbers in `registry` that are none.
    slot: AtomicU32,
    /// The number of the metric and the site's keys; 0 before the first use, `NO_SHAPE` if the keys make none.
    shape: AtomicU32,
    definition: OnceLock<Result<&'static Arc<Definition>, Box<str>>>,
    /// Whether it is where the program records, rather than where it declares.
    is_call: bool,
}

/// The shape of keys that make none.
const NO_SHAPE: u32 = u32::MAX;

/// Whether it is neither that nor 0.
#[inline(always)]
fn has_shape(shape: u32) -> bool {
    shape.wrapping_sub(1) < NO_SHAPE - 1
}

impl Site {
    pub(crate) const fn new(descriptor: &'static Descriptor) -> Site {
        Site {
            descriptor,
            slot: AtomicU32::new(UNRESOLVED),
            shape: AtomicU32::new(0),
            definition: OnceLock::new(),
            is_call: false,
        }
    }

    /// The same of a call site.
    pub(crate) const fn of_call(descriptor: &'static Descriptor) -> Site {
        let mut site = Site::new(descriptor);
        site.is_call = true;
        site
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    /// Notes a recording into this store that `caller` makes, if somebody watches. Runs where locks and memory may be taken.
    fn note(&self, store: &Inner, caller: &'static Location<'static>) {
        store.note(self.descriptor, || if self.is_call { self.descriptor.place } else { caller.into() });
    }

    /// Notes a recording into the current store with the place of the definition, if nothing else is known. Runs where locks and
    /// memory may be taken.
    pub(crate) fn note_from_definition(&self) {
        local::with_store(|store| store.note(self.descriptor, || self.descriptor.place));
    }

    /// Notes the beginning of what will be recorded in the current store.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn note_beginning(&self) {
        if !local::with_store(Inner::is_plain) {
            self.note_slow(Location::caller());
        }
    }

    #[cold]
    #[inline(never)]
    fn note_slow(&self, caller: &'static Location<'static>) {
        if local::is_enabled() {
            local::slowly(|| local::with_store(|store| self.note(store, caller)));
        }
    }

    /// The labels of a recording, in the order of the site's keys.
    pub(crate) fn spelled<'a>(&self, values: &'a [ValueRef<'a>]) -> Spelled<'a> {
        let mut shape = self.shape.load(Relaxed);
        if shape == 0 {
            shape = self.first_shape();
        }
        Spelled::new(self.descriptor.labels.names, if shape == NO_SHAPE { 0 } else { shape }, values)
    }

    #[cold]
    #[inline(never)]
    fn first_shape(&self) -> u32 {
        // What is wrong with the definition is counted by the recording.
        if local::with_store(|store| store.is_enabled() && matches!(self.defined(store), Some(Ok(_)))) {
            self.shape.load(Relaxed)
        } else {
            NO_SHAPE
        }
    }

    /// The slot, which the hot path tries without asking what it is: one that is none is never mapped.
    #[inline(always)]
    pub(crate) fn slot(&self) -> u32 {
        self.slot.load(Relaxed)
    }

    /// The definition, made at the first use; `None` if it is not valid, which is reported and counted.
    #[inline]
    pub(crate) fn definition(&self, store: &Inner) -> Option<&'static Arc<Definition>> {
        match self.defined(store)? {
            Ok(definition) => Some(definition),
            Err(fault) => {
                self.refuse(store, fault);
                None
            }
        }
    }

    /// `None` if it is not known yet, and the registry is out of reach.
    #[inline]
    fn defined(&self, store: &Inner) -> Option<&Result<&'static Arc<Definition>, Box<str>>> {
        match self.definition.get() {
            Some(defined) => Some(defined),
            None => self.define(store),
        }
    }

    /// Every store hears of it, since each may be the one that somebody looks at.
    #[cold]
    fn refuse(&self, store: &Inner, fault: &str) {
        store.problems.report(self.descriptor.name, fault.to_owned());
        own::dropped(self.descriptor, Reason::Definition);
    }

    #[cold]
    fn define(&self, store: &Inner) -> Option<&Result<&'static Arc<Definition>, Box<str>>> {
        let Some(defined) = registry::define(self.descriptor) else {
            own::unable();
            return None;
        };
        if let Ok(definition) = &defined {
            // So that buckets that differ from another site's are noticed even if this one makes no series of its own.
            store.layout(definition, self.descriptor);
            let shape = registry::shape(definition, &self.descriptor.labels)?;
            self.shape.store(if shape == 0 { NO_SHAPE } else { shape }, Relaxed);
        }
        // Another thread may have been first, with the same.
        let _ = self.definition.set(defined);
        self.definition.get()
    }

    /// The slot of the series at `index` among those that `each` names.
    fn resolve(&self, store: &Inner, each: EachSet, index: usize) -> Resolved {
        let Some(definition) = self.definition(store) else { return Resolved::Refused };
        let mut slot = self.slot.load(Acquire);
        if slot == UNRESOLVED {
            let mut sets = Vec::new();
            each(&mut |values| {
                let labels = Spelled::new(self.descriptor.labels.names, 0, values);
                let (set, faults) = LabelSet::of(&labels);
                store.report_faults(definition, &faults);
                sets.push(set);
            });
            let Some(found) = registry::fixed_slots(definition, sets) else {
                own::unable();
                return Resolved::Refused;
            };
            slot = found;
            self.slot.store(slot, Release);
        }
        match slot {
            BY_DICTIONARY => Resolved::ByDictionary,
            first => Resolved::Slot(first + (index * words_each(definition.kind)) as u32),
        }
    }

    /// Adds to a fixed series: a counter's, or one word of an up-down counter's. Everything that the hot path
    /// leaves out is decided here.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn add_slow<N: Number>(&self, series: FixedAt<'_>, word: u32, amount: N) {
        if !local::is_enabled() {
            return;
        }
        let caller = Location::caller();
        let done = local::slowly(|| {
            local::with_store(|store| {
                self.note(store, caller);
                if !amount.is_sound() {
                    return own::dropped(self.descriptor, Reason::NotFinite);
                }
                match self.resolve(store, series.each, series.index) {
                    Resolved::Refused => {}
                    Resolved::Slot(slot) => {
                        if amount == N::ZERO {
                            store.note_zero(slot);
                        }
                        local::map_and_add_fixed(slot + word, amount);
                    }
                    Resolved::ByDictionary => (series.spell)(&mut |labels| {
                        self.at_any(&self.spelled(labels), true, &Add { word, amount });
                    }),
                }
            });
        });
        if done.is_none() {
            self.add_in_passing(series.index, word, amount);
        }
    }

    /// Adds where no lock can be taken, because this thread holds some already.
    fn add_in_passing<N: Number>(&self, index: usize, word: u32, amount: N) {
        let slot = self.slot.load(Acquire);
        if !amount.is_sound() {
            return;
        }
        if slot > BY_DICTIONARY {
            local::map_and_add_fixed(slot + (index * words_each(self.descriptor.kind)) as u32 + word, amount);
        } else if !early::add(self.descriptor, word, amount) {
            own::unable();
        }
    }

    /// Adds to a dynamic series.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn add<N: Number>(&self, labels: impl Given, word: u32, amount: N) {
        self.write(labels, amount, Add { word, amount });
    }

    /// Records into a dynamic series.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn record<N: Number>(&self, labels: impl Given, value: N) {
        self.write(labels, value, Record(value.to_f64()));
    }

    /// Changes the gauge of a series. The series without labels is a fixed one.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn change_gauge<N: Number>(&self, labels: impl Given, change: Change<N>) {
        if self.descriptor.labels.names.is_empty() && labels.is_empty() {
            return self.change_fixed_gauge(change);
        }
        self.write(labels, change.value(), change);
    }

    #[inline(always)]
    #[track_caller]
    fn write<N: Number>(&self, labels: impl Given, value: N, write: impl Write + Copy) {
        let shape = self.shape.load(Relaxed);
        if value.is_sound() && has_shape(shape) {
            // Known beforehand, but for lists.
            if labels.count() > MOST_LABELS {
                return self.write_unpacked(shape, labels, write);
            }
            let buffer = Buffer::new();
            let mut packing = Packing::new(&buffer, shape);
            labels.pack(&mut packing);
            match packing.done() {
                Some(packed) if local::write_at(&packed, &write) => return,
                Some(_) => {}
                None => return self.write_unpacked(shape, labels, write),
            }
        }
        self.write_slow(labels, value.is_sound(), write);
    }

    /// Not inlined, so that those whose labels are packed do not pay for it.
    #[inline(never)]
    fn write_unpacked(&self, shape: u32, labels: impl Given, write: impl Write + Copy) {
        if !labels.with_values(|values| write_long(shape, values, &write)) {
            self.write_slow(labels, true, write);
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn write_slow(&self, labels: impl Given, is_sound: bool, write: impl Write + Copy) {
        if !local::is_enabled() {
            return;
        }
        let caller = Location::caller();
        let done = local::slowly(|| {
            local::with_store(|store| self.note(store, caller));
            let mut shape = self.shape.load(Relaxed);
            if shape == 0 {
                shape = self.first_shape();
            }
            let shape = if has_shape(shape) { shape } else { 0 };
            labels.with_pairs(self.descriptor.labels.names, shape, |pairs| {
                self.at_any(pairs, is_sound, &write);
            });
        });
        if done.is_none() {
            own::unable();
        }
    }

    /// Does `write` at the series with these labels, which is made if need be, unless recording is off or the value is not
    /// sound. Everything that the hot path leaves out is decided here.
    #[cold]
    #[inline(never)]
    pub(crate) fn at_any(&self, pairs: &dyn Pairs, is_sound: bool, write: &dyn Write) {
        local::with_store(|store| {
            if !store.is_enabled() {
                return;
            }
            if !is_sound {
                return own::dropped(self.descriptor, Reason::NotFinite);
            }
            let Some(definition) = self.definition(store) else { return };
            if definition.kind == Kind::Gauge && is_bare(pairs) && !self.descriptor.configured {
                return self.at_bare(store, definition, pairs, write);
            }
            store.at_series(definition, self.descriptor, pairs, write);
        });
    }

    /// Does `write` at the gauge without labels, given as none or as such that fall away: it has one cell, since of two nobody
    /// could say which is the newer.
    fn at_bare(
        &self,
        store: &Inner,
        definition: &'static Arc<Definition>,
        pairs: &dyn Pairs,
        write: &dyn Write,
    ) {
        let faults = LabelSet::of(pairs).1;
        if faults.any() {
            store.report_faults(definition, &faults);
        }
        match self.resolve(store, no_labels, 0) {
            Resolved::Refused => {}
            Resolved::Slot(slot) => write.write_fixed_gauge(store, slot),
            Resolved::ByDictionary => store.at_series(definition, self.descriptor, pairs, write),
        }
    }

    /// Finds a dynamic series, made if need be, and holds it: it is not removed until it is let go.
    fn held(&self, pairs: &dyn Pairs) -> Option<Hold> {
        let take = Take(Cell::new(None));
        if local::slowly(|| self.at_any(pairs, true, &take)).is_none() {
            own::unable();
        }
        take.0.into_inner()
    }

    /// The up-down cell of a fixed series in the current store, for a guard.
    pub(crate) fn hold(&self, series: FixedAt<'_>) -> Held {
        // Mostly it is known; so is the definition then.
        let first = self.slot.load(Acquire);
        if first > BY_DICTIONARY && local::with_store(Inner::is_plain) {
            return Held::Fixed(first + (series.index * words_each(self.descriptor.kind)) as u32);
        }
        match self.resolved(series.each, series.index) {
            Resolved::Refused => Held::Nothing,
            Resolved::Slot(slot) => Held::Fixed(slot),
            Resolved::ByDictionary => {
                let mut held = Held::Nothing;
                (series.spell)(&mut |labels| held = self.hold_series(&self.spelled(labels)));
                held
            }
        }
    }

    /// What a series resolves to in the current store, unless that is off.
    fn resolved(&self, each: EachSet, index: usize) -> Resolved {
        let resolved = local::slowly(|| {
            local::with_store(|store| {
                if store.is_enabled() { self.resolve(store, each, index) } else { Resolved::Refused }
            })
        });
        resolved.unwrap_or_else(|| {
            own::unable();
            Resolved::Refused
        })
    }

    /// The cell of a fixed series in the current store, for a handle: the series is there from now on.
    pub(crate) fn bind(&self, series: FixedAt<'_>) -> Option<Held> {
        let held = self.hold(series);
        if let Held::Fixed(slot) = held {
            local::with_store(|store| store.note_zero(slot));
        }
        held.there()
    }

    /// The gauge without labels in the current store, for a handle.
    pub(crate) fn bind_gauge(&self) -> Option<GaugeSlot> {
        match self.resolved(no_labels, 0) {
            Resolved::Refused => None,
            Resolved::Slot(slot) => Some(GaugeSlot::Fixed(slot)),
            Resolved::ByDictionary => self.bind_line_gauge(&self.spelled(&[])),
        }
    }

    /// The gauge of a series in the current store, for a handle.
    pub(crate) fn bind_series_gauge(&self, pairs: &dyn Pairs) -> Option<GaugeSlot> {
        if is_bare(pairs) { self.bind_gauge() } else { self.bind_line_gauge(pairs) }
    }

    fn bind_line_gauge(&self, pairs: &dyn Pairs) -> Option<GaugeSlot> {
        self.held(pairs).map(|hold| GaugeSlot::Series(hold.cell.slot()))
    }

    /// The histogram of a series in the current store, for a handle or a timer.
    pub(crate) fn bind_histogram(&self, pairs: &dyn Pairs) -> Option<Distribution> {
        let hold = self.held(pairs)?;
        let definition = local::with_store(|store| self.definition(store))?;
        Some(Distribution { number: hold.number, definition })
    }

    /// The up-down cell of a dynamic series in the current store, for a guard.
    pub(crate) fn hold_series(&self, pairs: &dyn Pairs) -> Held {
        self.held(pairs).map_or(Held::Nothing, Held::Series)
    }

    /// Changes a gauge that has no labels.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn change_fixed_gauge<N: Number>(&self, change: Change<N>) {
        if !local::is_enabled() {
            return;
        }
        let caller = Location::caller();
        let done = local::slowly(|| {
            local::with_store(|store| self.note(store, caller));
            self.at_any(&self.spelled(&[]), change.value().is_sound(), &change);
        });
        if done.is_none() {
            own::unable();
        }
    }
}

/// Writes at the series with labels that are not packed, if it is there. Not inlined: all sites share it.
#[inline(never)]
fn write_long(shape: u32, values: &[ValueRef<'_>], write: &dyn Write) -> bool {
    local::write_at_long(shape, values.iter(), write)
}

/// Gives the values of a site's labels to whoever asks.
pub(crate) type Spell<'a> = dyn Fn(&mut dyn FnMut(&[ValueRef<'_>])) + 'a;

/// One fixed series of a site.
#[derive(Clone, Copy)]
pub(crate) struct FixedAt<'a> {
    /// Names all fixed series of the site.
    pub(crate) each: EachSet,
    /// Which of them this is.
    pub(crate) index: usize,
    /// Gives the labels of this one.
    pub(crate) spell: &'a Spell<'a>,
}

impl FixedAt<'_> {
    /// The series without labels.
    pub(crate) const BARE: FixedAt<'static> = FixedAt { each: no_labels, index: 0, spell: &|f| f(&[]) };
}

/// Whether none of these labels stays.
pub(crate) fn is_bare(pairs: &dyn Pairs) -> bool {
    (0..pairs.count()).all(|at| {
        let (key, value) = pairs.pair(at);
        key.is_empty() || value.is_absent()
    })
}

enum Resolved {
    Slot(u32),
    ByDictionary,
    Refused,
}

/// Names the one series without labels.
#[doc(hidden)]
pub const NO_LABELS: EachSet = no_labels;

fn no_labels(f: &mut dyn FnMut(&[ValueRef<'_>])) {
    f(&[]);
}
