//! A place that records: what it defines, and the slot that it was given.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, OnceLock};

use crate::definition::{Definition, Descriptor};
use crate::label::{Buffer, Given, LabelSet, Packing, Pairs, Spelled, ValueRef};
use crate::local::{self, Write};
use crate::number::{Amount, Number};
use crate::own::{self, Reason};
use crate::registry::{self, BY_DICTIONARY, UNRESOLVED, words_each};
use crate::store::layout::Layout;
use crate::store::line::CellWord;
use crate::store::region::Region;
use crate::store::{Found, GaugeSlot, Inner};

/// Names every series of a site that the program text bounds, in the order of their slots.
#[doc(hidden)]
pub type EachSet = fn(&mut dyn FnMut(&[ValueRef<'_>]));

/// What a declared metric or a call site keeps: numbers that are the same in every store.
pub(crate) struct Site {
    descriptor: &'static Descriptor,
    /// The slot of the first fixed series, or one of the numbers in `registry` that are none.
    slot: AtomicU32,
    /// The number of the metric and the site's keys; 0 before the first use, `NO_SHAPE` if the keys cannot be packed.
    shape: AtomicU32,
    definition: OnceLock<Result<&'static Arc<Definition>, Box<str>>>,
}

/// The shape of keys that cannot be packed.
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
        }
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
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
        if local::with_store(|store| store.is_enabled() && self.defined(store).is_ok()) {
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
        match self.defined(store) {
            Ok(definition) => Some(definition),
            Err(fault) => {
                self.refuse(store, fault);
                None
            }
        }
    }

    #[inline]
    fn defined(&self, store: &Inner) -> &Result<&'static Arc<Definition>, Box<str>> {
        self.definition.get_or_init(|| self.define(store))
    }

    /// Every store hears of it, since each may be the one that somebody looks at.
    #[cold]
    fn refuse(&self, store: &Inner, fault: &str) {
        store.problems.report(self.descriptor.name, fault.to_owned());
        own::dropped(self.descriptor, Reason::Definition);
    }

    #[cold]
    fn define(&self, store: &Inner) -> Result<&'static Arc<Definition>, Box<str>> {
        let definition = registry::define(self.descriptor)?;
        // So that buckets that differ from another site's are noticed even if this one makes no series of its own.
        store.layout(definition, self.descriptor);
        let shape = registry::shape(definition, &self.descriptor.labels);
        self.shape.store(if shape == 0 { NO_SHAPE } else { shape }, Relaxed);
        Ok(definition)
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
            slot = registry::fixed_slots(definition, sets);
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
    pub(crate) fn add_slow<N: Number>(&self, series: FixedAt<'_>, word: u32, amount: N) {
        local::with_store(|store| {
            if !store.is_enabled() {
                return;
            }
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
                Resolved::ByDictionary => (series.spell)(&mut |labels| self.add(labels, word, amount)),
            }
        });
    }

    /// Adds to a dynamic series.
    #[inline(always)]
    pub(crate) fn add<N: Number>(&self, labels: impl Given, word: u32, amount: N) {
        self.write(labels, amount, Add { word, amount });
    }

    /// Records into a dynamic series.
    #[inline(always)]
    pub(crate) fn record<N: Number>(&self, labels: impl Given, value: N) {
        self.write(labels, value, Record(value.to_f64()));
    }

    /// Changes the gauge of a series.
    #[inline(always)]
    pub(crate) fn change_gauge<N: Number>(&self, labels: impl Given, value: N, change: impl Fn(u64) -> u64) {
        self.write(labels, value, Change(change));
    }

    #[inline(always)]
    fn write<N: Number>(&self, labels: impl Given, value: N, write: impl Write) {
        let shape = self.shape.load(Relaxed);
        if value.is_sound() && has_shape(shape) {
            let buffer = Buffer::new();
            let mut packing = Packing::new(&buffer, shape);
            labels.pack(&mut packing);
            if let Some(packed) = packing.done()
                && local::write_at(&packed, &write)
            {
                return;
            }
        }
        self.write_slow(labels, value.is_sound(), write);
    }

    #[cold]
    #[inline(never)]
    fn write_slow(&self, labels: impl Given, is_sound: bool, write: impl Write) {
        let mut shape = self.shape.load(Relaxed);
        if shape == 0 {
            shape = self.first_shape();
        }
        let shape = if has_shape(shape) { shape } else { 0 };
        labels.with_pairs(self.descriptor.labels.names, shape, |pairs| {
            self.at_any(pairs, is_sound, &mut |found| write.write(found.store, found.region, found.cell));
        });
    }

    /// Does `write` at the series with these labels, which is made if need be, unless recording is off or the value is not
    /// sound. `write` says whether the region had what it needs. Everything that the hot path leaves out is decided here.
    #[cold]
    #[inline(never)]
    fn at_any(&self, pairs: &dyn Pairs, is_sound: bool, write: &mut dyn FnMut(&Found<'_>) -> bool) {
        local::with_store(|store| {
            if !store.is_enabled() {
                return;
            }
            if !is_sound {
                return own::dropped(self.descriptor, Reason::NotFinite);
            }
            if let Some(definition) = self.definition(store) {
                store.at_series(definition, self.descriptor, pairs, write);
            }
        });
    }

    /// Finds a dynamic series, made if need be, and holds it: it is not removed until it is let go.
    fn held(&self, pairs: &dyn Pairs) -> Option<Hold> {
        let mut held = None;
        self.at_any(pairs, true, &mut |found| {
            if let Some(side) = found.number.and_then(|number| found.store.dictionary.side(number)) {
                side.hold();
            }
            held = Some(Hold { cell: found.cell, number: found.number });
            true
        });
        held
    }

    /// The up-down cell of a fixed series in the current store, for a guard.
    pub(crate) fn hold(&self, series: FixedAt<'_>) -> Held {
        local::with_store(|store| {
            if !store.is_enabled() {
                return Held::Nothing;
            }
            match self.resolve(store, series.each, series.index) {
                Resolved::Refused => Held::Nothing,
                Resolved::Slot(slot) => Held::Fixed(slot),
                Resolved::ByDictionary => {
                    let mut held = Held::Nothing;
                    (series.spell)(&mut |labels| held = self.hold_series(&self.spelled(labels)));
                    held
                }
            }
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
        local::with_store(|store| {
            if !store.is_enabled() {
                return None;
            }
            match self.resolve(store, no_labels, 0) {
                Resolved::Refused => None,
                Resolved::Slot(slot) => Some(GaugeSlot::Fixed(slot)),
                Resolved::ByDictionary => self.bind_series_gauge(&self.spelled(&[])),
            }
        })
    }

    /// The gauge of a series in the current store, for a handle.
    pub(crate) fn bind_series_gauge(&self, pairs: &dyn Pairs) -> Option<GaugeSlot> {
        self.held(pairs).map(|hold| GaugeSlot::Series(hold.cell.slot()))
    }

    /// The histogram of a series in the current store, for a handle or a timer.
    pub(crate) fn bind_histogram(&self, pairs: &dyn Pairs) -> Option<Distribution> {
        let hold = self.held(pairs)?;
        let layout = local::with_store(|store| store.dictionary.layout(hold.cell));
        Some(Distribution { slot: hold.cell.slot(), number: hold.number, layout })
    }

    /// The up-down cell of a dynamic series in the current store, for a guard.
    pub(crate) fn hold_series(&self, pairs: &dyn Pairs) -> Held {
        self.held(pairs).map_or(Held::Nothing, Held::Series)
    }

    /// Changes a gauge that has no labels.
    #[cold]
    #[inline(never)]
    pub(crate) fn change_fixed_gauge<N: Number>(&self, value: N, change: impl Fn(u64) -> u64) {
        local::with_store(|store| {
            if !store.is_enabled() {
                return;
            }
            if !value.is_sound() {
                return own::dropped(self.descriptor, Reason::NotFinite);
            }
            match self.resolve(store, no_labels, 0) {
                Resolved::Refused => {}
                Resolved::Slot(slot) => {
                    let gauge = GaugeSlot::Fixed(slot);
                    if !store.change_gauge(gauge, &change) {
                        store.map_gauge(gauge);
                        store.change_gauge(gauge, &change);
                    }
                }
                Resolved::ByDictionary => self.change_gauge([], value, change),
            }
        });
    }
}

/// Adds to one word of a cell.
struct Add<N> {
    word: u32,
    amount: N,
}

impl<N: Number> Write for Add<N> {
    #[inline(always)]
    fn write(&self, _: &Inner, region: &Region, cell: CellWord) -> bool {
        local::add_series(region, cell.slot() + self.word, self.amount)
    }
}

/// Records into a histogram.
struct Record(f64);

impl Write for Record {
    #[inline(always)]
    fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool {
        local::record_series(region, cell.slot(), store.dictionary.layout(cell), self.0)
    }
}

/// Changes a gauge.
struct Change<F>(F);

impl<F: Fn(u64) -> u64> Write for Change<F> {
    #[inline(always)]
    fn write(&self, store: &Inner, _: &Region, cell: CellWord) -> bool {
        store.change_gauge(GaugeSlot::Series(cell.slot()), &self.0)
    }
}

/// A dynamic series that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    cell: CellWord,
    /// Its line, unless it is the overflow series, which is never removed.
    number: Option<u32>,
}

/// A histogram that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distribution {
    slot: u32,
    number: Option<u32>,
    layout: &'static Layout,
}

impl Distribution {
    /// Records a value in the current store.
    #[inline(always)]
    pub(crate) fn record(self, value: f64) {
        local::record_held(self.slot, self.layout, value);
    }

    /// Lets the series be removed again, in the current store.
    pub(crate) fn let_go(self) {
        let_go(self.number);
    }
}

fn let_go(number: Option<u32>) {
    local::with_store(|store| {
        if let Some(side) = number.and_then(|number| store.dictionary.side(number)) {
            side.let_go();
        }
    });
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

/// The counter or up-down cell that a guard or a handle goes back to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    Fixed(u32),
    Series(Hold),
    /// Recording was off, or the definition is not valid.
    Nothing,
}

impl Held {
    /// Itself, unless it is nothing.
    pub(crate) fn there(self) -> Option<Held> {
        match self {
            Held::Nothing => None,
            held => Some(held),
        }
    }

    /// Adds to the ups (word 0) or downs (word 1) in the current store.
    pub(crate) fn add<N: Number>(self, word: u32, size: N) {
        match self {
            Held::Fixed(slot) => {
                if !local::add_fixed(slot + word, size) {
                    local::map_and_add_fixed(slot + word, size);
                }
            }
            Held::Series(hold) => local::add_held(hold.cell.slot() + word, size),
            Held::Nothing => {}
        }
    }

    /// Lets the series be removed again, in the current store.
    pub(crate) fn let_go(self) {
        if let Held::Series(hold) = self {
            let_go(hold.number);
        }
    }
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

/// Word 0 of an up-down cell takes the ups, word 1 the downs: both only grow, so a reading that takes the downs
/// first never sees less than there is.
#[inline(always)]
pub(crate) fn up_or_down<N: Number>(amount: N) -> (u32, N) {
    (u32::from(amount.is_negative()), amount.magnitude())
}

/// A call site with its labels in the program text. Made by the call-site macros.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "only the macros see it")]
pub struct Fixed {
    site: Site,
    each: EachSet,
}

impl Fixed {
    pub const fn new(descriptor: &'static Descriptor, each: EachSet) -> Fixed {
        Fixed { site: Site::new(descriptor), each }
    }

    /// Adds to a counter.
    #[inline(always)]
    pub fn add<N: Number>(&self, amount: impl Amount<N>) {
        let Some(amount) = amount.amount(self.unit()) else { return self.impossible() };
        if amount.is_negative() {
            return self.impossible();
        }
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(self.site.slot(), amount) {
            self.add_slow(0, amount);
        }
    }

    /// Adds to an up-down counter.
    #[inline(always)]
    pub fn change<N: Number>(&self, amount: impl Amount<N>) {
        let Some(amount) = amount.amount(self.unit()) else { return self.impossible() };
        let (word, size) = up_or_down(amount);
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(self.site.slot() + word, size) {
            self.add_slow(word, size);
        }
    }

    /// Sets a gauge.
    #[inline(always)]
    pub fn set<N: Number>(&self, value: impl Amount<N>) {
        let Some(value) = value.amount(self.unit()) else { return self.impossible() };
        (self.each)(&mut |labels| set_gauge(&self.site, labels, value));
    }

    /// Records into a histogram.
    #[inline(always)]
    pub fn record<N: Number>(&self, value: impl Amount<N>) {
        let Some(value) = value.amount(self.unit()) else { return self.impossible() };
        (self.each)(&mut |labels| self.site.record(labels, value));
    }

    #[cold]
    fn add_slow<N: Number>(&self, word: u32, amount: N) {
        let spell = |f: &mut dyn FnMut(&[ValueRef<'_>])| (self.each)(f);
        self.site.add_slow(FixedAt { each: self.each, index: 0, spell: &spell }, word, amount);
    }

    fn unit(&self) -> &'static str {
        self.site.descriptor.unit
    }

    #[cold]
    fn impossible(&self) {
        own::dropped_if_enabled(self.site.descriptor, Reason::Negative);
    }
}

/// A call site whose labels are known when it runs. Made by the call-site macros.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "only the macros see it")]
pub struct Adhoc(Site);

impl Adhoc {
    pub const fn new(descriptor: &'static Descriptor) -> Adhoc {
        Adhoc(Site::new(descriptor))
    }

    fn unit(&self) -> &'static str {
        self.0.descriptor.unit
    }

    /// Adds to a counter.
    #[inline(always)]
    pub fn add<N: Number>(&self, amount: impl Amount<N>, labels: impl Given) {
        match amount.amount(self.unit()) {
            Some(amount) if !amount.is_negative() => self.0.add(labels, 0, amount),
            _ => own::dropped_if_enabled(self.0.descriptor, Reason::Negative),
        }
    }

    /// Adds to an up-down counter.
    #[inline(always)]
    pub fn change<N: Number>(&self, amount: impl Amount<N>, labels: impl Given) {
        match amount.amount(self.unit()) {
            Some(amount) => {
                let (word, size) = up_or_down(amount);
                self.0.add(labels, word, size);
            }
            None => own::dropped_if_enabled(self.0.descriptor, Reason::Negative),
        }
    }

    /// Sets a gauge.
    #[inline(always)]
    pub fn set<N: Number>(&self, value: impl Amount<N>, labels: impl Given) {
        match value.amount(self.unit()) {
            Some(value) => set_gauge(&self.0, labels, value),
            None => own::dropped_if_enabled(self.0.descriptor, Reason::Negative),
        }
    }

    /// Records into a histogram.
    #[inline(always)]
    pub fn record<N: Number>(&self, value: impl Amount<N>, labels: impl Given) {
        match value.amount(self.unit()) {
            Some(value) => self.0.record(labels, value),
            None => own::dropped_if_enabled(self.0.descriptor, Reason::Negative),
        }
    }
}

/// Sets the gauge of a series.
#[inline(always)]
pub(crate) fn set_gauge<N: Number>(site: &Site, labels: impl Given, value: N) {
    change_gauge(site, labels, value, |_| value.bits());
}

/// Changes the gauge of a series. The series without labels is a fixed one.
#[inline(always)]
pub(crate) fn change_gauge<N: Number>(
    site: &Site,
    labels: impl Given,
    value: N,
    change: impl Fn(u64) -> u64,
) {
    if site.descriptor.labels.names.is_empty() && labels.is_empty() {
        return site.change_fixed_gauge(value, change);
    }
    site.change_gauge(labels, value, change);
}
