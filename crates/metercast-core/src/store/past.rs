//! What histograms counted in cells that they had before: a cell is never resized, but replaced by one that has other buckets.
//!
//! What a series keeps only ever becomes more from *stage* to stage. A stage is everything since a cell was new, over the
//! buckets that this cell and all later ones have: so whoever asks for buckets sees the oldest stage that has them, whole,
//! and goes on seeing it through all changes that others ask for. Stages hold what was in cells that are gone; what is still in a
//! cell is added to the stages up to the one that began with it, always in the same order, so that sums of doubles stay what
//! they are when a cell goes.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::exponential::{Exponential, Shape};
use super::layout::{Layout, Wanted};
use super::line::CellWord;

/// All that a histogram counted since a moment, over the buckets that it has had since then.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stage {
    /// In nanoseconds since 1970.
    pub(crate) started: u64,
    /// Tells it from others that began then: each that was put before those has the next one.
    pub(crate) number: u32,
    /// Whether there are buckets with bounds.
    pub(crate) has_bounds: bool,
    pub(crate) bounds: Vec<f64>,
    /// One more than bounds.
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: f64,
    /// Whether there are exponential buckets.
    pub(crate) is_exponential: bool,
    pub(crate) exponential: Exponential,
}

/// The cells that a series had.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Oldest first, the last that of the cell that it has.
    pub(crate) stages: Vec<Stage>,
    /// Cells that somebody may still be writing to, oldest first, each with the number of its stage.
    pub(crate) cells: Vec<(CellWord, usize)>,
}

/// The histories of a store's series, by the number of their lines.
pub(crate) struct Past {
    /// How many there are.
    count: AtomicUsize,
    by_line: Mutex<Option<HashMap<u32, History>>>,
}

impl Past {
    pub(crate) const fn new() -> Past {
        Past { count: AtomicUsize::new(0), by_line: Mutex::new(None) }
    }

    /// Gives `f` the history of a series, if it has one.
    pub(crate) fn of<R>(&self, line: u32, f: impl FnOnce(&mut History) -> R) -> Option<R> {
        if self.count.load(Acquire) == 0 {
            return None;
        }
        self.lock().as_mut()?.get_mut(&line).map(f)
    }

    /// Gives `f` the history of a series, which begins with this stage if there is none.
    pub(crate) fn made<R>(
        &self,
        line: u32,
        first: impl FnOnce() -> Stage,
        f: impl FnOnce(&mut History) -> R,
    ) -> R {
        let guard = &mut *self.lock();
        let all = guard.get_or_insert_default();
        let new = || History { stages: vec![first()], cells: Vec::new() };
        let result = f(all.entry(line).or_insert_with(new));
        self.count.store(all.len(), Release);
        result
    }

    /// Forgets a series that ends.
    pub(crate) fn forget(&self, line: u32) {
        if self.count.load(Acquire) > 0
            && let Some(all) = self.lock().as_mut()
        {
            all.remove(&line);
            self.count.store(all.len(), Release);
        }
    }

    /// Whether somebody may be writing to a cell that the series had before.
    pub(crate) fn is_in_flux(&self, line: u32) -> bool {
        self.of(line, |history| !history.cells.is_empty()) == Some(true)
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u32, History>>> {
        self.by_line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// The cell is replaced by one with this layout, which is new at this moment.
    pub(crate) fn replace(&mut self, cell: CellWord, layout: &Layout, now: u64) {
        self.coarsen(layout);
        if let Some(last) = self.stages.last_mut() {
            last.coarsen(layout);
        }
        self.merge();
        self.cells.push((cell, self.stages.len() - 1));
        let started = self.stages.last().map_or(now, |last| now.max(last.started + 1));
        self.stages.push(Stage::of(layout, started));
    }

    /// Leaves out of all stages but the last what a layout does not have.
    pub(crate) fn coarsen(&mut self, layout: &Layout) {
        let older = self.stages.len().saturating_sub(1);
        self.stages[..older].iter_mut().for_each(|stage| stage.coarsen(layout));
        self.merge();
    }

    /// Of stages that have the same the oldest is enough.
    fn merge(&mut self) {
        let mut at = 1;
        while at < self.stages.len() {
            if self.stages[at].is_like(&self.stages[at - 1]) {
                self.stages.remove(at);
                for (_, stage) in &mut self.cells {
                    *stage -= usize::from(*stage >= at);
                }
            } else {
                at += 1;
            }
        }
    }

    /// Adds to the stages of which this is a part what has at least the buckets of the first, with its labels' own start; if it
    /// has not, there is a stage before it, which began with it and goes on from it: so it has a number of its own, or a reader
    /// that knows what it has been told of each would take the one for the other.
    pub(crate) fn add(&mut self, came: &Stage) {
        let Some(first) = self.stages.first() else { return };
        let mut least = first.empty();
        least.keep(came);
        if !least.is_like(first) {
            let mut all = first.clone();
            all.keep(came);
            all.number += 1;
            self.stages.insert(0, all);
            self.cells.iter_mut().for_each(|(_, stage)| *stage += 1);
        }
        for stage in &mut self.stages {
            let mut kept = stage.empty();
            kept.keep(came);
            if !kept.is_like(stage) {
                break;
            }
            stage.add(came);
        }
    }
}

impl Stage {
    /// Nothing yet, over the buckets of a layout.
    pub(crate) fn of(layout: &Layout, started: u64) -> Stage {
        let mut stage = Stage::default();
        stage.begin(layout, started);
        stage
    }

    /// The same in the place of another, whose memory is used again.
    pub(crate) fn begin(&mut self, layout: &Layout, started: u64) {
        let bounds = layout.explicit().map(|explicit| &explicit.bounds[..]);
        (self.started, self.number, self.sum) = (started, 0, 0.0);
        self.has_bounds = bounds.is_some();
        self.bounds.clear();
        self.bounds.extend_from_slice(bounds.unwrap_or_default());
        self.counts.clear();
        self.counts.resize(bounds.map_or(0, |bounds| bounds.len() + 1), 0);
        self.is_exponential = layout.exponential().is_some();
        self.exponential.clear();
    }

    /// Becomes like another. Its memory is used again.
    pub(crate) fn become_like(&mut self, other: &Stage) {
        let &Stage { started, number, has_bounds, sum, is_exponential, .. } = other;
        (self.started, self.number, self.sum) = (started, number, sum);
        (self.has_bounds, self.is_exponential) = (has_bounds, is_exponential);
        self.bounds.clone_from(&other.bounds);
        self.counts.clone_from(&other.counts);
        self.exponential.become_like(&other.exponential);
    }

    /// Whether there are others that are wanted.
    pub(crate) fn lacks(&self, wanted: &Wanted) -> bool {
        let has_bounds = self.has_bounds && wanted.bounds.iter().all(|bound| self.bounds.contains(bound));
        !(has_bounds || wanted.bounds.is_empty()) || (wanted.exponential && !self.is_exponential)
    }

    /// The same buckets with nothing in them.
    fn empty(&self) -> Stage {
        Stage {
            started: self.started,
            has_bounds: self.has_bounds,
            bounds: self.bounds.clone(),
            counts: vec![0; self.counts.len()],
            is_exponential: self.is_exponential,
            ..Stage::default()
        }
    }

    /// Whether it has the same buckets.
    fn is_like(&self, other: &Stage) -> bool {
        (self.has_bounds, self.is_exponential) == (other.has_bounds, other.is_exponential)
            && self.bounds == other.bounds
    }

    fn coarsen(&mut self, layout: &Layout) {
        match layout.explicit() {
            Some(explicit) => self.keep_bounds(&explicit.bounds),
            None => self.has_bounds = false,
        }
        self.is_exponential &= layout.exponential().is_some();
        self.clear_what_is_not_kept();
    }

    /// Leaves out what another does not have.
    fn keep(&mut self, other: &Stage) {
        self.has_bounds &= other.has_bounds;
        self.keep_bounds(&other.bounds);
        self.is_exponential &= other.is_exponential;
        self.clear_what_is_not_kept();
    }

    fn keep_bounds(&mut self, others: &[f64]) {
        if !self.has_bounds || self.bounds.iter().all(|bound| others.contains(bound)) {
            return;
        }
        let bounds: Vec<f64> = self.bounds.iter().copied().filter(|bound| others.contains(bound)).collect();
        let mut counts = vec![0; bounds.len() + 1];
        add_down(&self.bounds, &self.counts, &bounds, &mut counts);
        (self.bounds, self.counts) = (bounds, counts);
    }

    fn clear_what_is_not_kept(&mut self) {
        if !self.has_bounds {
            (self.bounds, self.counts, self.sum) = (Vec::new(), Vec::new(), 0.0);
        }
        if !self.is_exponential {
            self.exponential = Exponential::default();
        }
    }

    /// Adds the words of a cell in one region, which has all buckets of this stage. `part` is where they are read.
    pub(crate) fn add_words(&mut self, layout: &Layout, words: &[u64], part: &mut Exponential) {
        if self.has_bounds
            && let (Some(explicit), Some((sum, counts))) = (layout.explicit(), words.split_first())
        {
            self.sum += f64::from_bits(*sum);
            add_down(&explicit.bounds, counts, &self.bounds, &mut self.counts);
        }
        if self.is_exponential
            && let Some((at, shape)) = layout.exponential()
            && let Some(words) = words.get(at as usize..)
            && shape.read_into(words, part)
        {
            self.exponential.merge(part, Shape::DEFAULT);
        }
    }

    /// With the words of a cell that add up, and what its exponential buckets hold.
    pub(crate) fn with(mut self, layout: &Layout, words: &[u64], exponential: Option<Exponential>) -> Stage {
        self.is_exponential = false;
        self.add_words(layout, words, &mut Exponential::default());
        self.is_exponential = exponential.is_some();
        self.exponential = exponential.unwrap_or_default();
        self
    }

    /// Adds what was counted elsewhere over buckets of which this stage has no others.
    fn add(&mut self, other: &Stage) {
        if self.has_bounds {
            self.sum += other.sum;
            add_down(&other.bounds, &other.counts, &self.bounds, &mut self.counts);
        }
        if self.is_exponential {
            self.exponential.merge(&other.exponential, Shape::DEFAULT);
        }
    }
}

/// Adds counts to those of buckets with fewer bounds, which are all among theirs. Counts beyond the last bucket are left out.
fn add_down(from: &[f64], counts: &[u64], to: &[f64], out: &mut [u64]) {
    let mut at = 0;
    for (bound, count) in from.iter().map(Some).chain([None]).zip(counts) {
        out[at] = out[at].wrapping_add(*count);
        at += usize::from(bound.is_some() && bound == to.get(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Buckets;

    fn layout(bounds: &[f64], exponential: bool) -> &'static Layout {
        let wanted = Wanted { bounds: bounds.to_vec(), exponential };
        Layout::planned(Buckets::Bounds(&[1.0]), "", &wanted).unwrap()
    }

    fn cell(slot: u32) -> CellWord {
        CellWord::new(slot, 0, true)
    }

    fn bounds(history: &History) -> Vec<&[f64]> {
        history.stages.iter().map(|stage| &stage.bounds[..]).collect()
    }

    #[test]
    fn what_is_kept_only_becomes_more_from_stage_to_stage() {
        let mut history = History { stages: vec![Stage::of(layout(&[2.0], false), 5)], cells: Vec::new() };
        // Nobody wants 2 any more: that it was there once is of no use to who wants it later.
        history.replace(cell(1), layout(&[3.0], false), 10);
        assert_eq!(bounds(&history), [&[1.0][..], &[1.0, 3.0]]);
        history.replace(cell(2), layout(&[2.0, 3.0], true), 11);
        assert_eq!(bounds(&history), [&[1.0][..], &[1.0, 3.0], &[1.0, 2.0, 3.0]]);
        assert_eq!(history.cells, [(cell(1), 0), (cell(2), 1)]);
        // The last stays what its cell is.
        history.coarsen(layout(&[], false));
        assert_eq!(bounds(&history), [&[1.0][..], &[1.0, 2.0, 3.0]]);
        assert_eq!(history.cells, [(cell(1), 0), (cell(2), 0)]);
        let started: Vec<_> = history.stages.iter().map(|stage| stage.started).collect();
        assert_eq!(started, [5, 11]);
    }

    #[test]
    fn what_comes_late_is_added_to_all_stages_that_have_no_other_buckets() {
        let mut came = Stage::of(layout(&[2.0], false), 1);
        (came.counts, came.sum) = (vec![1, 2, 4], 13.0);
        let mut history = History { stages: vec![Stage::of(layout(&[], false), 5)], cells: Vec::new() };
        history.replace(cell(1), layout(&[3.0], false), 10);
        history.add(&came);
        assert_eq!((&history.stages[0].counts[..], history.stages[0].sum), (&[1, 6][..], 13.0));
        assert_eq!(history.stages[1], Stage::of(layout(&[3.0], false), 10));
        // A series that has had more from the start has a stage that has less.
        let mut history = History { stages: vec![Stage::of(layout(&[3.0], true), 5)], cells: Vec::new() };
        history.add(&came);
        assert_eq!(bounds(&history), [&[1.0][..], &[1.0, 3.0]]);
        assert_eq!((&history.stages[0].counts[..], history.stages[0].started), (&[1, 6][..], 5));
        assert_eq!(history.stages[1], Stage::of(layout(&[3.0], true), 5));
        // The two began at once, but are not the same, and so it goes on.
        came.keep_bounds(&[]);
        history.add(&came);
        let known: Vec<_> = history.stages.iter().map(|stage| (stage.started, stage.number)).collect();
        assert_eq!(
            (bounds(&history), known),
            (vec![&[][..], &[1.0], &[1.0, 3.0]], vec![(5, 2), (5, 1), (5, 0)])
        );
        // Whichever of them go, no number comes again.
        history.coarsen(layout(&[], false));
        history.stages.iter_mut().for_each(|stage| stage.keep_bounds(&[]));
        history.merge();
        assert_eq!(history.stages[0].number, 2);
    }
}
