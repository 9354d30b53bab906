//! What a store is made of, and the slow path of a recording: what finds, makes and writes a series.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use super::deferred::{Deferred, Recording};
use super::dictionary::{self, Dictionary, Made, New};
use super::directory::Directory;
use super::exemplars::{Exemplars, Of};
use super::fixed_gauges::FixedGauges;
use super::gauge_sets::GaugeSets;
use super::gauges::GaugeSlot;
use super::layout::Layout;
use super::lifecycle::Lifecycle;
use super::line::CellWord;
use super::observables::Observables;
use super::past::Past;
use super::plan::Plan;
use super::region::Region;
use super::regions::Regions;
use super::unplanned::Unplanned;
use super::windows::Windows;
use super::witness::Witnesses;
use super::{BOUND, GLOBAL_ID};
use crate::clock::Clock;
use crate::definition::{Definition, Descriptor, Kind};
use crate::label::{Faults, LabelSet, Pairs, Spelled};
use crate::local::{self, Write};
use crate::problem::Problems;
use crate::{lock, own, registry};

/// Recordings are not kept.
pub(super) const OFF: u8 = 0;
/// They are.
pub(super) const ON: u8 = 1;
/// They are, and may become exemplars.
pub(super) const WITH_EXEMPLARS: u8 = 2;
/// Beside one of those: somebody notes who records.
const WATCHED: u8 = 4;

/// Which definitions have a name in a store, one for the program and one for each scope that is apart: the first that a
/// reading met.
pub(crate) type Claims = HashMap<&'static str, Vec<Arc<Definition>>>;

/// What a store is made of.
pub(crate) struct Inner {
    pub(super) id: u64,
    /// The number that handles know it by; none while it is watched, so that they take the slow path.
    id_for_handles: AtomicU64,
    /// What becomes of recordings: one of the numbers below.
    mode: AtomicU8,
    pub(crate) regions: Regions,
    pub(crate) dictionary: Dictionary,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) witnesses: Witnesses,
    pub(crate) windows: Windows,
    pub(crate) exemplars: Exemplars,
    pub(crate) deferred: Deferred,
    /// Whether somebody is making the recordings that wait.
    pub(super) catching_up: AtomicBool,
    /// Gauges whose slots are the same in all stores: one cell each, not one per region.
    pub(super) fixed_gauges: FixedGauges,
    /// Gauges of dynamic series.
    pub(super) series_gauges: Directory,
    /// Held while a chunk of gauges is mapped.
    pub(super) mapping: Mutex<()>,
    /// Counts the readings, from 1. A gauge keeps the epoch in which it was last set.
    pub(super) epoch: AtomicU64,
    /// Fixed series that were recorded with zero, which leaves no other trace.
    pub(super) zeroes: RwLock<BTreeSet<u32>>,
    /// The buckets of each histogram in this store.
    pub(super) layouts: Mutex<Option<Plan>>,
    /// Changes with them: a series is made with the newest.
    pub(super) version_of_plan: AtomicU64,
    /// Whether there may be series that do not have what is wanted yet.
    pub(super) plan_has_changed: AtomicBool,
    /// Whether histograms have buckets: not before somebody reads.
    pub(super) plan_is_begun: AtomicBool,
    /// What was recorded into them before.
    pub(crate) unplanned: Unplanned,
    /// What was recorded into cells that they had before.
    pub(crate) past: Past,
    pub(crate) claims: Mutex<Option<Claims>>,
    pub(crate) problems: Problems,
    /// Callbacks that say a value when the store is read.
    pub(crate) observables: Observables,
    /// Gauges that are set all at once.
    pub(crate) gauge_sets: GaugeSets,
    /// Metrics of a configuration that is gone: readings do not see what is left of them.
    pub(crate) withdrawn: RwLock<BTreeSet<u32>>,
    pub(super) started: OnceLock<SystemTime>,
}

impl Inner {
    pub(super) const fn new(id: u64) -> Inner {
        Inner {
            id,
            id_for_handles: AtomicU64::new(id),
            mode: AtomicU8::new(ON),
            regions: Regions::new(),
            dictionary: Dictionary::new(),
            lifecycle: Lifecycle::new(),
            witnesses: Witnesses::new(),
            windows: Windows::new(),
            exemplars: Exemplars::new(),
            deferred: Deferred::new(),
            catching_up: AtomicBool::new(false),
            fixed_gauges: FixedGauges::new(),
            series_gauges: Directory::new(),
            mapping: Mutex::new(()),
            epoch: AtomicU64::new(1),
            zeroes: RwLock::new(BTreeSet::new()),
            layouts: Mutex::new(None),
            version_of_plan: AtomicU64::new(0),
            plan_has_changed: AtomicBool::new(false),
            plan_is_begun: AtomicBool::new(false),
            unplanned: Unplanned::new(),
            past: Past::new(),
            claims: Mutex::new(None),
            problems: Problems::new(),
            observables: Observables::new(),
            gauge_sets: GaugeSets::new(),
            withdrawn: RwLock::new(BTreeSet::new()),
            started: OnceLock::new(),
        }
    }

    /// Its number among all stores that there ever were.
    #[inline(always)]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it is the store of the process.
    pub(crate) fn is_global(&self) -> bool {
        self.id == GLOBAL_ID
    }

    /// The number to compare with that of a handle.
    #[inline(always)]
    pub(crate) fn id_for_handles(&self) -> u64 {
        self.id_for_handles.load(Relaxed)
    }

    /// Whether recordings are kept.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.mode.load(Relaxed) & !WATCHED != OFF
    }

    /// Says what becomes of recordings from now on, if `change` of what became of them before says so.
    pub(super) fn set_mode(&self, change: impl Fn(u8) -> Option<u8>) {
        let changed = |mode: u8| change(mode & !WATCHED).map(|now| now | mode & WATCHED);
        let _ = self.mode.fetch_update(Relaxed, Relaxed, changed);
    }

    /// Makes everything that records here take the slow path.
    pub(super) fn begin_watch(&self) {
        self.mode.fetch_or(WATCHED, Relaxed);
        self.id_for_handles.store(u64::MAX, Relaxed);
        // Who maps a chunk has one as well: either they see the watch, or what they mapped is seen here.
        fence(SeqCst);
        for region in self.regions.iter() {
            region.hide_fixed();
        }
        let _alone = self.mapping.lock().unwrap_or_else(PoisonError::into_inner);
        self.fixed_gauges.hide_alone();
    }

    /// Lets what records here take the fast path again, from its next recording on.
    pub(super) fn end_watch(&self) {
        self.mode.fetch_and(!WATCHED, Relaxed);
        self.id_for_handles.store(self.id, Relaxed);
    }

    /// Whether somebody notes who records.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.mode.load(Relaxed) & WATCHED != 0
    }

    /// Whether they are kept, and nothing else is to be done: then the hot path may.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.mode.load(Relaxed) == ON
    }

    /// Whether exemplars are taken.
    pub(crate) fn takes_exemplars(&self) -> bool {
        self.mode.load(Relaxed) & !WATCHED == WITH_EXEMPLARS
    }

    pub(crate) fn started(&self) -> SystemTime {
        *self.started.get_or_init(|| self.clock().time())
    }

    /// What time it is here.
    #[inline]
    pub(crate) fn clock(&self) -> &Clock {
        &self.dictionary.clock
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
            let at = |number: u32, cell| write.write_at(&Found { store: self, region, number, cell });
            let known = |find: &dyn Fn() -> Option<u32>| {
                let begun = region.begin();
                let found = find().and_then(|number| {
                    let (line, side) = (self.dictionary.line(number)?, self.dictionary.side(number)?);
                    Some((number, line.cell(), side.started()))
                });
                let done = found.map(|(number, cell, started)| ((number, cell), started, at(number, cell)));
                region.end(begun);
                done
            };
            // Once it is there, a second look finds it, unless it was removed in between.
            match known(&|| self.dictionary.find(definition, pairs)) {
                Some(((_, cell), started, true)) => return self.sample(definition, cell, started, write),
                Some((series, _, false)) => {
                    self.map(definition, region, series);
                }
                None => {}
            }
            let (labels, faults) = LabelSet::of(pairs);
            if faults.any() {
                self.report_faults(definition, &faults);
            }
            let mut looks = 0;
            while looks < MOST_LOOKS {
                looks += 1;
                // Each time, since another site's may have come.
                let shapes = definition.shapes();
                match known(&|| self.dictionary.find_set(definition, &shapes, &labels)) {
                    Some(((_, cell), started, true)) => {
                        self.sample(definition, cell, started, write);
                        return self.alias(definition, pairs, &labels, &faults);
                    }
                    Some((series, _, false)) if self.map(definition, region, series) => continue,
                    // Its values are just being put into buckets.
                    Some(_) if definition.kind == Kind::Histogram => {}
                    // There is no getting at it.
                    Some(_) => break,
                    None => {
                        let made = match self.dictionary.full(definition) {
                            Some(number) => Made::Overflow { number: Some(number), first: false },
                            None => self.make(definition, site, pairs, &labels, &faults),
                        };
                        match made {
                            Made::There | Made::Outdated => continue,
                            Made::Busy => {}
                            Made::Overflow { number, .. } => match known(&|| number) {
                                Some((_, _, true)) => return,
                                Some((series, _, false)) if self.map(definition, region, series) => continue,
                                Some(_) if definition.kind == Kind::Histogram => {}
                                _ => break,
                            },
                        }
                    }
                }
                // A gauge, or a total that goes both ways, must not be overtaken by what the same thread does next.
                let may_wait = !matches!(definition.kind, Kind::Gauge | Kind::UpDownCounter);
                let left = |what| Recording { descriptor: site, labels: labels.clone(), what };
                if may_wait
                    && let Some(what) = write.later()
                    && self.deferred.push(|| left(what))
                {
                    return;
                }
                // What cannot be left to others has to wait, if that is not known to be in vain.
                if self.deferred.are_stuck() || !self.will_be_free() {
                    self.deferred.set_stuck(true);
                    break;
                }
                // Waiting is not looking.
                looks -= 1;
            }
            own::unable();
        });
    }

    /// Takes what was just recorded as an exemplar, if that is wanted.
    fn sample(&self, definition: &Definition, cell: CellWord, started: u64, write: &dyn Write) {
        if !self.takes_exemplars() {
            return;
        }
        let of = Of { slot: cell.slot(), started };
        match (write.measured(), definition.kind) {
            (Some(value), Kind::Counter) => self.exemplars.offer(of, 0, value, self.clock()),
            (Some(value), Kind::Histogram) => {
                self.sample_distribution(of, self.dictionary.layout(cell), value);
            }
            _ => {}
        }
    }

    /// Offers what was recorded into a distribution as an exemplar.
    pub(crate) fn sample_distribution(&self, of: Of, layout: &Layout, value: f64) {
        let bucket = match layout {
            // Until it has buckets, one for nearly each value.
            Layout::Unplanned => (value.to_bits() >> 32) as u32,
            _ => layout.explicit().map_or(0, |explicit| explicit.bucket(value) as u32),
        };
        self.exemplars.offer(of, bucket, value, self.clock());
    }

    /// Waits until nobody is making a series; false if whoever does comes to no end.
    pub(crate) fn will_be_free(&self) -> bool {
        // Before the first reading, without room to keep values as they are, somebody has to give histograms their buckets.
        let may_begin = || {
            self.plan_is_begun.load(Acquire)
                || !self.unplanned.is_full()
                || self.lifecycle.departures_in(true).is_some()
        };
        self.dictionary.will_be_free() && lock::patiently(&self.layouts).is_some() && may_begin()
    }

    /// Makes the recordings that wait. The store is the current one.
    pub(crate) fn catch_up(&self) {
        // What is made here may find others waiting; they are left to the loop.
        if self.catching_up.swap(true, Acquire) {
            return;
        }
        while !self.deferred.is_empty() {
            let waiting = self.deferred.take();
            let count = waiting.len();
            for Recording { descriptor, labels, what } in waiting {
                match registry::define(descriptor) {
                    Some(Ok(definition)) => self.at_series(definition, descriptor, &labels, &what),
                    _ => own::unable(),
                }
            }
            self.deferred.made(count);
            if !self.will_be_free() {
                self.deferred.set_stuck(true);
                break;
            }
        }
        self.catching_up.store(false, Release);
    }

    /// Waits until everything that was recorded before is where a reading finds it. The store is the current one.
    pub(crate) fn settle(&self) {
        let since = Instant::now();
        while self.deferred.wait() && !self.deferred.are_stuck() && since.elapsed() < Duration::from_secs(1) {
            local::slowly(|| self.catch_up());
            std::thread::yield_now();
        }
        if self.deferred.wait() {
            // Whoever has them comes to no end; the next reading does not wait again.
            self.deferred.set_stuck(true);
        }
    }

    /// So that the next look by the same site finds the series by its own key.
    fn alias(&self, definition: &Definition, pairs: &dyn Pairs, labels: &LabelSet, faults: &Faults<'_>) {
        if !faults.any() {
            self.dictionary.alias(definition, pairs, labels);
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
        let made = self.make_alone(definition, site, pairs, labels, faults);
        if matches!(made, Made::Busy) {
            return made;
        }
        if self.deferred.are_stuck() {
            self.deferred.set_stuck(false);
        }
        match made {
            Made::Busy | Made::Outdated => {}
            Made::Overflow { first: true, .. } => self.report_full(definition),
            Made::Overflow { .. } => {}
            Made::There => {
                if let Some((each, keys)) = definition.sets
                    && self.dictionary.is_first(definition)
                {
                    each(&mut |values| {
                        let labels = Spelled::new(keys, 0, values);
                        let (set, faults) = LabelSet::of(&labels);
                        // Nobody comes here again, so it waits.
                        let make = || self.make_alone(definition, site, &labels, &set, &faults);
                        while matches!(make(), Made::Busy) && self.will_be_free() {}
                    });
                }
            }
        }
        if !self.deferred.is_empty() {
            self.catch_up();
        }
        made
    }

    /// Makes one series.
    fn make_alone(
        &self,
        definition: &Definition,
        site: &Descriptor,
        pairs: &dyn Pairs,
        labels: &LabelSet,
        faults: &Faults<'_>,
    ) -> Made {
        loop {
            let layout = self.layout(definition, site);
            if layout.is_none() && matches!(definition.kind, Kind::Histogram | Kind::Summary) {
                // Out of reach: without it nobody knows what the cell is to be.
                return Made::Busy;
            }
            let (layout, version) = layout.unzip();
            let is_current = || version.is_none_or(|version| self.plan_is(version));
            let new = New { definition, layout, is_closed: site.closed, is_current: &is_current };
            let made = self.dictionary.make(new, pairs, labels, faults);
            if !matches!(made, Made::Outdated) {
                return made;
            }
        }
    }

    /// Keeps a value as it is, if the series has no buckets yet and there is room.
    pub(crate) fn keep(&self, found: &Found<'_>, value: f64) -> bool {
        let has_none = matches!(self.dictionary.layout(found.cell), Layout::Unplanned);
        has_none && self.unplanned.push(found.number, value)
    }

    /// Gives the region the chunk of a cell, or the store that of a gauge; and a histogram without buckets its buckets. False
    /// if that is out of reach.
    fn map(&self, definition: &Definition, region: &Region, (line, cell): (u32, CellWord)) -> bool {
        if definition.kind == Kind::Gauge {
            return self.map_gauge(GaugeSlot::Series(cell.slot()));
        }
        if definition.kind == Kind::Histogram && matches!(self.dictionary.layout(cell), Layout::Unplanned) {
            return self.give_buckets(definition, line, cell);
        }
        local::map_series(region, cell.slot());
        true
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
            let message =
                format!("defined at {place} is given a label whose key or value is over 1 KiB; it is cut");
            self.problems.report(name, message);
        }
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
    /// Its line.
    pub(crate) number: u32,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Most stores have no handles; a look at an empty map costs little beside freeing a store.
        BOUND.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
