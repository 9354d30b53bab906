//! How histograms get other buckets while they are recorded into: each gets a new cell, and what is in the one before stays.
//!
//! The line of a series names its cell in one word, which says the buckets too. Whoever records finds one or the other, and
//! writes what fits. Readings add up both. When each operation has ended that was under way when the word changed, nobody can be
//! writing to the old cell any more; then what is in it is carried over (see `past`), and the cell is used again. Handles look at
//! the line each time they record, so that they are no exception.

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::dictionary::Writer;
use super::exponential::Exponential;
use super::layout::{Layout, Wanted};
use super::lifecycle::have_moved_on;
use super::line::CellWord;
use super::past::Stage;
use super::region::Moment;
use super::{Inner, barrier};
use crate::definition::{Definition, Kind};
use crate::{local, lock, registry};

/// Cells that were replaced.
#[derive(Default)]
pub(super) struct Replaced {
    /// Not known yet to be out of every thread's hands.
    waiting: Vec<Old>,
    grace: Option<Grace>,
}

/// Those that had been replaced when all threads were asked what they are at.
struct Grace {
    moments: Vec<Moment>,
    batch: Vec<Old>,
}

/// A cell that was replaced.
struct Old {
    line: u32,
    cell: CellWord,
    by: CellWord,
}

impl Replaced {
    /// Carries over what is in cells that nobody can be writing to any more. No reading is under way.
    pub(super) fn finish(&mut self, store: &Inner) {
        if self.grace.is_none() && !self.waiting.is_empty() && barrier::all_threads() {
            let moments = store.regions.iter().map(|region| region.moment()).collect();
            self.grace = Some(Grace { moments, batch: std::mem::take(&mut self.waiting) });
        }
        let Some(Grace { batch, .. }) = self.grace.take_if(|grace| have_moved_on(&grace.moments, store))
        else {
            return;
        };
        for some in batch.chunks(64) {
            let mut writer = store.dictionary.writer();
            let writer = writer.get_or_insert_default();
            some.iter().for_each(|old| store.carry_over(old, writer));
        }
        store.exemplars.forget(&batch.iter().map(|old| old.cell.slot()).collect());
    }
}

impl Inner {
    /// Adds what is in a cell that was replaced to the stages that it is part of, unless the series has ended, and gives
    /// the cell back.
    fn carry_over(&self, old: &Old, writer: &mut Writer) {
        let (slot, layout) = (old.cell.slot(), self.dictionary.layout(old.cell));
        let words = layout.words();
        self.past.of(old.line, |history| {
            // The oldest first, as they were replaced.
            if history.cells.first().is_some_and(|(cell, _)| *cell == old.cell) {
                let (_, stage) = history.cells.remove(0);
                let (mut copy, mut part) = (vec![0; words], Exponential::default());
                for chunk in self.regions.iter().filter_map(|region| region.series(slot)) {
                    for (to, word) in copy.iter_mut().zip(chunk.words(slot, words)) {
                        *to = word.load(Acquire);
                    }
                    history.stages[..=stage]
                        .iter_mut()
                        .for_each(|stage| stage.add_words(layout, &copy, &mut part));
                }
            }
        });
        for chunk in self.regions.iter().filter_map(|region| region.series(slot)) {
            chunk.words(slot, words).iter().for_each(|word| word.store(0, Relaxed));
        }
        writer.free.cells.entry(words).or_default().push(slot);
    }

    /// Gives all histograms the buckets that are wanted, and puts the values into them that were kept as they are.
    /// `replaced` is only had by one at a time. False if it is out of reach.
    pub(super) fn carry_out(&self, replaced: &mut Replaced) -> bool {
        // Whoever is making a series with the buckets of before is done then; the next one knows of the change.
        if lock::patiently(self.dictionary.lock_of_writer()).is_none() {
            return false;
        }
        // What has buckets already had them when these values came.
        self.put_into_buckets();
        for definition in registry::definitions().iter().copied() {
            if definition.kind == Kind::Histogram
                && !self.dictionary.ends_of(definition).is_empty()
                && !self.replace_cells(definition, replaced)
            {
                return false;
            }
        }
        self.put_into_buckets();
        true
    }

    /// Puts the values that were kept as they are into the buckets of those series that have some.
    fn put_into_buckets(&self) {
        if self.unplanned.is_empty() {
            return;
        }
        self.unplanned.take(|line, value| {
            let cell = self.dictionary.line(line).map(|line| line.cell());
            let has_buckets =
                cell.is_some_and(|cell| !matches!(self.dictionary.layout(cell), Layout::Unplanned));
            if has_buckets {
                local::record_in(self, line, value);
            }
            has_buckets
        });
    }

    /// Gives the histograms of this definition new cells where theirs do not have all that is wanted.
    fn replace_cells(&self, definition: &'static Arc<Definition>, replaced: &mut Replaced) -> bool {
        let Some(layout) = self.layout_now(definition) else { return true };
        // Where threads cannot be asked what they are at, a cell could never be used again.
        let may_leave = |before: &Layout| barrier::works() || matches!(before, Layout::Unplanned);
        let lacks = |cell| {
            let before = self.dictionary.layout(cell);
            !before.has_all_of(layout) && may_leave(before)
        };
        let (mut lines, before) = (Vec::new(), replaced.waiting.len());
        for (number, line, side) in self.dictionary.lines_of(definition) {
            if lacks(line.cell()) && !side.is_removed() {
                lines.push(number);
            } else {
                self.past.of(number, |history| history.coarsen(layout));
            }
        }
        // A few at a time, so that nobody who makes a series waits for all of them.
        for some in lines.chunks(64) {
            let Some(mut writer) = lock::patiently(self.dictionary.lock_of_writer()) else { return false };
            let writer = writer.get_or_insert_default();
            for number in some {
                let old = self.replace_cell(definition, *number, layout, writer);
                replaced.waiting.extend(old);
            }
        }
        self.move_exemplars(&replaced.waiting[before..]);
        true
    }

    fn replace_cell(
        &self,
        definition: &Definition,
        number: u32,
        layout: &'static Layout,
        writer: &mut Writer,
    ) -> Option<Old> {
        let (line, side) = (self.dictionary.line(number)?, self.dictionary.side(number)?);
        let cell = line.cell();
        let before = self.dictionary.layout(cell);
        if side.is_removed() || before.has_all_of(layout) {
            return None;
        }
        let by = self.dictionary.cell_instead(writer, (definition, layout), cell)?;
        if !matches!(before, Layout::Unplanned) {
            let now = self.clock().unix_nanos();
            // Before anybody can find the new cell: who sees that adds up both.
            let first = || Stage::of(before, side.started());
            self.past.made(number, first, |history| history.replace(cell, layout, now));
        }
        let labels = self.labels_of(number)?;
        for (number, _) in self.dictionary.lines_to(definition, number, &labels) {
            if let Some(line) = self.dictionary.line(number) {
                line.set_cell(by);
            }
        }
        Some(Old { line: number, cell, by })
    }

    /// Sees to it that histograms have the buckets that are wanted.
    pub(super) fn carry_out_plan(&self) {
        let mut departures = self.lifecycle.departures();
        if self.plan_has_changed.swap(false, AcqRel)
            && !self.carry_out(&mut departures.get_or_insert_default().replaced)
        {
            self.plan_has_changed.store(true, Relaxed);
        }
    }

    /// Begins to carry the plan out before the first reading, and goes on before each: everything that was recorded before is
    /// then in its bucket.
    pub(crate) fn settle_plan(&self) {
        if !self.plan_is_begun.load(Acquire) {
            self.begin();
        } else if !self.unplanned.is_empty() {
            // They came while it was begun.
            self.plan_has_changed.store(true, Relaxed);
            self.carry_out_plan();
        }
    }

    /// Begins to carry the plan out. False if it is out of reach.
    fn begin(&self) -> bool {
        let Some(mut departures) = self.lifecycle.departures_in(true) else { return false };
        if !self.begin_plan(true) {
            return false;
        }
        // Before it is carried out: what changes meanwhile is carried out once more.
        self.plan_has_changed.store(false, Release);
        let is_done = self.carry_out(&mut departures.get_or_insert_default().replaced);
        if !is_done {
            self.plan_has_changed.store(true, Relaxed);
        }
        self.plan_is_begun.store(true, Release);
        is_done
    }

    /// Gives one histogram the buckets that are wanted, because there is no room to keep its values as they are; the others
    /// follow when they are recorded into, or read. False if somebody else is at it.
    pub(crate) fn give_buckets(&self, definition: &Definition, line: u32, cell: CellWord) -> bool {
        let Some(mut departures) = self.lifecycle.departures_in(false) else { return false };
        if !self.begin_plan(false) {
            return false;
        }
        let Some(layout) = self.layout_now(definition) else { return false };
        let Some(mut writer) = lock::soon(self.dictionary.lock_of_writer()) else { return false };
        if self.dictionary.line(line).is_none_or(|line| line.cell() != cell) {
            // Somebody else was at it.
            return true;
        }
        let Some(own) = self.dictionary.own_line(definition, line) else { return false };
        let replaced = &mut departures.get_or_insert_default().replaced;
        let before = replaced.waiting.len();
        replaced.waiting.extend(self.replace_cell(definition, own, layout, writer.get_or_insert_default()));
        self.move_exemplars(&replaced.waiting[before..]);
        true
    }

    /// Those of a metric, which have the same buckets now.
    fn move_exemplars(&self, replaced: &[Old]) {
        let Some(first) = replaced.first() else { return };
        if self.exemplars.are_wanted() {
            let layout = self.dictionary.layout(first.by);
            let moves = replaced.iter().map(|old| (old.cell.slot(), old.by.slot())).collect();
            let bucket = |value| layout.explicit().map_or(0, |explicit| explicit.bucket(value) as u32);
            self.exemplars.move_to(&moves, bucket);
        }
    }

    /// Whether a series of these metrics has not had these buckets from its start on.
    pub(super) fn began_anew(&self, metrics: &[&'static Arc<Definition>], wanted: &Wanted) -> bool {
        let _departures = self.lifecycle.departures();
        metrics.iter().any(|definition| {
            let lacks =
                |number| self.past.of(number, |history| history.stages[0].lacks(wanted)) == Some(true);
            self.dictionary.lines_of(definition).any(|(number, _, side)| !side.is_removed() && lacks(number))
        })
    }
}

#[cfg(test)]
mod tests;
