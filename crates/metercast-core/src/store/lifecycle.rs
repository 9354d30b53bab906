//! How series end: by hand, or because nobody recorded into them for long; and how their memory is used again.
//!
//! A series that ends is first taken out of the table, so that no new recording finds it. Then all recording threads are
//! asked what they are at (see `barrier`). When each operation that was under way has ended, nobody can be writing to its cell
//! any more, which is then cleared for another series. A series that was recorded into at the last moment comes back.

mod cells;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use cells::{Recorded, is_double};

use super::dictionary::{Dictionary, Writer};
use super::exponential::Exponential;
use super::line::{CellWord, Key};
use super::past::Stage;
use super::region::Moment;
use super::replace::Replaced;
use super::table::Retired;
use super::{GaugeSlot, Inner, barrier};
use crate::definition::{Definition, Kind};
use crate::label::LabelSet;
use crate::{local, lock};

/// When series that nobody records into end by themselves: see [`Store::set_expiry`](crate::Store::set_expiry).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// How long nothing must have been recorded.
    pub after: Duration,
    /// Whether gauges end too. A gauge that is set once and then stays true is better kept.
    pub gauges: bool,
}

impl Expiry {
    /// Counters, histograms and up-down counters at zero end when nothing was recorded for this long; gauges stay.
    pub const fn after(after: Duration) -> Expiry {
        Expiry { after, gauges: false }
    }

    /// Gauges as well.
    pub const fn with_gauges(mut self) -> Expiry {
        self.gauges = true;
        self
    }
}

/// The part of a store that sees series off.
pub(crate) struct Lifecycle {
    /// Held by readings, and alone by whoever uses memory again.
    readings: RwLock<()>,
    leaving: Mutex<Option<Departures>>,
}

#[derive(Default)]
pub(super) struct Departures {
    expiry: Option<Expiry>,
    /// Of each series, by line and start, the last known state, and since when it has been that.
    idle: HashMap<(u32, u64), (Recorded, Instant)>,
    looked: Option<Instant>,
    /// Out of the table, but not known yet to be out of every thread's hands.
    waiting: Vec<Leaving>,
    retired: Retired,
    grace: Option<Grace>,
    /// Cells of series that stay, but have other cells now.
    pub(super) replaced: Replaced,
}

/// Those who left when all threads were asked what they are at.
struct Grace {
    /// What the owner of each region was at.
    moments: Vec<Moment>,
    batch: Vec<Leaving>,
    retired: Retired,
}

/// A series that is out of the table.
struct Leaving {
    definition: &'static Arc<Definition>,
    labels: Arc<LabelSet>,
    /// Its own line, and those of other orders of its labels.
    lines: Vec<(u32, Key)>,
    cell: CellWord,
    /// What had been recorded when it was found idle; `None` if it was removed by hand, and leaves whatever happens.
    idle: Option<Idle>,
    /// Whether somebody held it after it left: what was recorded then belongs to the series that there is.
    was_held: bool,
}

/// What was recorded when a series was found idle.
struct Idle {
    recorded: Recorded,
    /// The words of its cell, over all regions: what readers have seen.
    words: Vec<u64>,
    /// The same of a cell whose words cannot be added up.
    exponential: Option<Exponential>,
}

impl Lifecycle {
    pub(crate) const fn new() -> Lifecycle {
        Lifecycle { readings: RwLock::new(()), leaving: Mutex::new(None) }
    }

    /// Begins a reading, and tidies up before, if no other is under way.
    pub(crate) fn begin_reading(&self, store: &Inner) -> RwLockReadGuard<'_, ()> {
        self.tidy(store, || store.clock().now());
        self.readings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn departures(&self) -> MutexGuard<'_, Option<Departures>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same where it must not be waited for long.
    pub(super) fn departures_in(&self, patiently: bool) -> Option<MutexGuard<'_, Option<Departures>>> {
        if patiently { lock::patiently(&self.leaving) } else { lock::soon(&self.leaving) }
    }

    pub(crate) fn set_expiry(&self, expiry: Option<Expiry>) {
        let guard = &mut *self.departures();
        let departures = guard.get_or_insert_default();
        departures.expiry = expiry;
        departures.idle.clear();
    }

    /// Removes a series, unless it is held or an up-down counter that is not at zero. Whether it was removed.
    pub(crate) fn remove(
        &self,
        store: &Inner,
        definition: &'static Arc<Definition>,
        labels: &LabelSet,
    ) -> bool {
        if !barrier::works() {
            return false;
        }
        let guard = &mut *self.departures();
        {
            let mut writer = store.dictionary.writer();
            let Some(mut leaving) = Leaving::of(store, definition, labels) else { return false };
            if definition.kind == Kind::UpDownCounter {
                // What goes up at the last moment comes down again, maybe in its successor.
                // One look, so that what is handed over is what it is up, whenever that was.
                let recorded = store.recorded(definition, leaving.cell);
                if recorded.0 != recorded.1 {
                    return false;
                }
                let words = vec![recorded.0, recorded.1];
                leaving.idle = Some(Idle { recorded, words, exponential: None });
            }
            if leaving.is_held(store) || leaving.is_up(store) {
                return false;
            }
            leaving.leave(&store.dictionary, writer.get_or_insert_default());
            guard.get_or_insert_default().waiting.push(leaving);
        }
        store.dictionary.look_for_room(Some(definition));
        true
    }

    /// Lets idle series leave, and uses again what nobody can reach any more. Does nothing while a reading is under way.
    pub(crate) fn tidy(&self, store: &Inner, now: impl Fn() -> Instant) {
        let Ok(_alone) = self.readings.try_write() else { return };
        let guard = &mut *self.departures();
        let retired = store.dictionary.table.take_retired();
        let plan_has_changed = store.plan_has_changed.swap(false, AcqRel);
        if guard.is_none() && retired.is_empty() && !plan_has_changed {
            return;
        }
        let departures = guard.get_or_insert_default();
        departures.retired.append(retired);
        if plan_has_changed && !store.carry_out(&mut departures.replaced) {
            store.plan_has_changed.store(true, Relaxed);
        }
        departures.expire(store, &now);
        departures.finish(store);
        departures.replaced.finish(store);
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        let departures = self.leaving.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(departures) = departures {
            // SAFETY: the store goes, and whoever looked into its table has finished: they held it.
            unsafe {
                departures.retired.free();
                if let Some(grace) = &mut departures.grace {
                    grace.retired.free();
                }
            }
        }
    }
}

impl Departures {
    /// Takes out what has been idle for long enough.
    fn expire(&mut self, store: &Inner, now: &impl Fn() -> Instant) {
        let Some(expiry) = self.expiry.filter(|_| barrier::works()) else { return };
        let now = now();
        // Often enough to be late by an eighth at most.
        if self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < expiry.after / 8) {
            return;
        }
        self.looked = Some(now);
        let is_seen = store.witnesses.have_seen();
        let mut gone = Vec::new();
        let mut idle = HashMap::new();
        for definition in crate::registry::definitions().iter().copied() {
            if definition.kind == Kind::Gauge && !expiry.gauges {
                continue;
            }
            for (number, line, side) in store.dictionary.lines_of(definition) {
                if side.is_removed() || side.is_held() || store.past.is_in_flux(number) {
                    continue;
                }
                let recorded = store.recorded(definition, line.cell());
                let series = (number, side.started());
                let known = self.idle.get(&series).filter(|(before, _)| *before == recorded);
                match known {
                    // Only what a reading has seen already ends.
                    Some((_, since))
                        if now.saturating_duration_since(*since) >= expiry.after && is_seen(*since) =>
                    {
                        let cell = line.cell();
                        let words = store.totals(definition, cell);
                        let exponential = store.exponential(definition, cell);
                        if store.recorded(definition, cell) == recorded {
                            gone.push((definition, number, Idle { recorded, words, exponential }));
                        }
                    }
                    Some(known) => drop(idle.insert(series, *known)),
                    None => drop(idle.insert(series, (recorded, now))),
                }
            }
        }
        self.idle = idle;
        // A few at a time, so that nobody who makes a series waits for all of them.
        let mut gone = gone.into_iter().peekable();
        while gone.peek().is_some() {
            let mut writer = store.dictionary.writer();
            for (definition, number, idle) in gone.by_ref().take(64) {
                let Some(mut leaving) = Leaving::at(store, definition, number) else { continue };
                if !leaving.is_up(store) && !leaving.is_held(store) {
                    leaving.idle = Some(idle);
                    leaving.leave(&store.dictionary, writer.get_or_insert_default());
                    self.waiting.push(leaving);
                }
            }
        }
    }

    /// Asks all threads what they are at, and lets those go who left before, once every operation of then has ended.
    fn finish(&mut self, store: &Inner) {
        if self.grace.is_none() && !(self.waiting.is_empty() && self.retired.is_empty()) {
            // Nothing is taken out of the table after this, so that those who look now do not find it.
            if !barrier::all_threads() {
                return;
            }
            self.grace = Some(Grace {
                moments: store.regions.iter().map(|region| region.moment()).collect(),
                batch: std::mem::take(&mut self.waiting),
                retired: std::mem::take(&mut self.retired),
            });
        }
        let Some(grace) = self.grace.take_if(|grace| grace.is_over(store)) else { return };
        let Grace { batch, mut retired, .. } = grace;
        {
            let _writer = store.dictionary.writer();
            // SAFETY: they were replaced before the barrier, and the operations that were under way then have ended. Those
            // who look without an operation hold the lock of the writer, or are readings, of which there is none.
            unsafe { retired.free() };
        }
        let mut gone: BTreeMap<u32, (&Definition, Vec<Leaving>)> = BTreeMap::new();
        for mut leaving in batch {
            let mut writer = store.dictionary.writer();
            match leaving.next_step(store) {
                Step::Wait => self.waiting.push(leaving),
                Step::Return => leaving.come_back(&store.dictionary, writer.get_or_insert_default()),
                Step::Go => {
                    gone.entry(leaving.definition.id)
                        .or_insert((leaving.definition, Vec::new()))
                        .1
                        .push(leaving);
                }
            }
        }
        for (definition, gone) in gone.into_values() {
            let numbers: HashSet<u32> = gone.iter().filter_map(Leaving::own_line).collect();
            store.dictionary.unlist(definition, &numbers);
            store.forget_exemplars(definition, &gone);
            // A few at a time, so that nobody who makes a series waits for all of them.
            for some in gone.chunks(64) {
                let mut writer = store.dictionary.writer();
                some.iter().for_each(|leaving| leaving.free(store, writer.get_or_insert_default()));
            }
        }
        store.dictionary.look_for_room(None);
    }
}

impl Grace {
    fn is_over(&self, store: &Inner) -> bool {
        have_moved_on(&self.moments, store)
    }
}

/// Whether every operation has ended that was under way at these moments.
pub(crate) fn have_moved_on(moments: &[Moment], store: &Inner) -> bool {
    // An operation takes nanoseconds, unless its thread is not running.
    const PATIENCE: usize = 1_000;
    (0..PATIENCE).any(|_| {
        std::hint::spin_loop();
        // Regions that came later began after the barrier.
        store.regions.iter().zip(moments).all(|(region, moment)| region.has_moved_on(*moment))
    })
}

/// What becomes of a series that left.
enum Step {
    /// Somebody holds it still.
    Wait,
    /// It was recorded into after it was found idle.
    Return,
    Go,
}

impl Leaving {
    /// The series with these labels. The caller holds the lock of the writer.
    fn of(store: &Inner, definition: &'static Arc<Definition>, labels: &LabelSet) -> Option<Leaving> {
        let dictionary = &store.dictionary;
        let found = dictionary.find_set(definition, &definition.shapes(), labels)?;
        Leaving::at(store, definition, dictionary.own_line(definition, found)?)
    }

    /// The series with this line of its own; `None` for one whose labels the program text names as well, which does not end.
    /// The caller holds the lock of the writer.
    fn at(store: &Inner, definition: &'static Arc<Definition>, own: u32) -> Option<Leaving> {
        let dictionary = &store.dictionary;
        let (labels, line) = (store.labels_of(own)?, dictionary.line(own)?);
        let is_named = |at| definition.fixed.get(at).is_some_and(|fixed| *fixed.labels == *labels);
        if (0..definition.fixed.len()).any(is_named) {
            return None;
        }
        let lines = dictionary.lines_to(definition, own, &labels);
        Some(Leaving { definition, labels, lines, cell: line.cell(), idle: None, was_held: false })
    }

    fn own_line(&self) -> Option<u32> {
        self.lines.first().map(|(number, _)| *number)
    }

    /// Takes it out of the table. Those who look at this moment may still find it.
    fn leave(&self, dictionary: &Dictionary, writer: &mut Writer) {
        for (number, key) in &self.lines {
            dictionary.take_out_of_table(*number, key);
            if let Some(side) = dictionary.side(*number) {
                side.set_removed(true);
            }
        }
        dictionary.generation.renew();
        dictionary.count(writer, self.definition.id, false);
    }

    fn come_back(&self, dictionary: &Dictionary, writer: &mut Writer) {
        for (number, key) in &self.lines {
            if let Some(side) = dictionary.side(*number) {
                side.set_removed(false);
            }
            dictionary.put_in_table(*number, key);
        }
        dictionary.count(writer, self.definition.id, true);
    }

    fn is_held(&self, store: &Inner) -> bool {
        let sides = self.lines.iter().filter_map(|(number, _)| store.dictionary.side(*number));
        sides.into_iter().any(|side| side.is_held())
    }

    /// Whether it is an up-down counter that is not at zero.
    fn is_up(&self, store: &Inner) -> bool {
        let (ups, downs) = store.recorded(self.definition, self.cell);
        self.definition.kind == Kind::UpDownCounter && ups != downs
    }

    /// What is to become of it now that its cell does not change any more, unless it is held.
    fn next_step(&mut self, store: &Inner) -> Step {
        let step = self.step(store);
        if matches!(step, Step::Return) {
            // Other buckets may be wanted than when it left.
            store.plan_has_changed.store(true, Relaxed);
        }
        step
    }

    fn step(&mut self, store: &Inner) -> Step {
        if self.is_held(store) {
            self.was_held = true;
            // If a new one has its labels meanwhile, the two cannot be one again until nobody holds this.
            return if self.successor(store).is_none() { Step::Return } else { Step::Wait };
        }
        let recorded = store.recorded(self.definition, self.cell);
        let changed = self.was_held
            || self.idle.as_ref().is_some_and(|idle| idle.recorded != recorded)
            || self.is_up(store);
        match (changed, self.successor(store)) {
            (false, _) => Step::Go,
            (true, None) => Step::Return,
            (true, Some(successor)) => {
                self.hand_over(store, successor);
                Step::Go
            }
        }
    }

    /// The line of a series that was made with the same labels since this one left, and its cell.
    fn successor(&self, store: &Inner) -> Option<(u32, CellWord)> {
        let number = store.dictionary.find_set(self.definition, &self.definition.shapes(), &self.labels)?;
        let own = store.dictionary.own_line(self.definition, number)?;
        store.dictionary.line(own).map(|line| (own, line.cell()))
    }

    /// Adds what was recorded here, and what readers have not seen, to its successor.
    fn hand_over(&self, store: &Inner, (number, successor): (u32, CellWord)) {
        // Nothing of a series that was removed by hand; and of a gauge the newer value is there already.
        let Some(idle) = &self.idle else { return };
        if self.definition.kind == Kind::Gauge {
            return;
        }
        let late = store.exponential(self.definition, self.cell).zip(idle.exponential.as_ref());
        let late = late.map(|(now, before)| now.since(before));
        let now = store.totals(self.definition, self.cell);
        let words = idle.words.iter().zip(now).enumerate().map(|(at, (before, now))| {
            let is_double = is_double(self.definition, at);
            let difference = || f64::from_bits(now) - f64::from_bits(*before);
            (is_double, if is_double { difference().to_bits() } else { now.wrapping_sub(*before) })
        });
        if let Some(layout) = store.buckets_of(self.definition, self.cell) {
            let to = store.dictionary.layout(successor);
            if !std::ptr::eq(layout, to) {
                let words: Vec<u64> = words.map(|(_, bits)| bits).collect();
                let Some(side) = store.dictionary.side(number) else { return };
                let came = Stage::of(layout, 0).with(layout, &words, late);
                let first = || Stage::of(to, side.started());
                return store.past.made(number, first, |history| history.add(&came));
            }
            if let (Some((at, shape)), Some(late)) = (layout.exponential(), &late) {
                local::merge_in(store, successor.slot() + at, shape, late);
            }
        }
        for (at, (is_double, bits)) in words.enumerate() {
            let to = successor.slot() + at as u32;
            if is_double {
                local::add_in(store, to, f64::from_bits(bits));
            } else {
                local::add_in(store, to, bits);
            }
        }
    }

    /// Gives back what it had. Nobody can reach it any more.
    fn free(&self, store: &Inner, writer: &mut Writer) {
        let words = store.words_of(self.definition, self.cell);
        let slot = self.cell.slot();
        if self.definition.kind == Kind::Gauge {
            for word in store.gauge(GaugeSlot::Series(slot)).into_iter().flatten() {
                word.store(0, Relaxed);
            }
            writer.free.gauges.push(slot);
        } else {
            for chunk in store.regions.iter().filter_map(|region| region.series(slot)) {
                for word in chunk.words(slot, words) {
                    word.store(0, Relaxed);
                }
            }
            writer.free.cells.entry(words).or_default().push(slot);
        }
        if !store.unplanned.is_empty() {
            store.unplanned.take(|line, _| self.lines.iter().any(|(number, _)| *number == line));
        }
        for (number, key) in &self.lines {
            store.windows.forget(*number);
            store.past.forget(*number);
            match *key {
                Key::Packed(_) => {}
                Key::Wide { labels, .. } => {
                    // SAFETY: the grace is over, no reading is under way, and its line is out of the table.
                    unsafe { store.dictionary.wide.take(labels) };
                    writer.free.wide.push(labels);
                }
                Key::Long { words, count, .. } => writer.free.long.entry(count).or_default().push(words),
            }
            writer.free.lines.push(*number);
        }
    }
}

#[cfg(test)]
mod tests;
