//! What came of histograms: the difference of all buckets that are kept of each part, summed down to those that are shown.
//!
//! What a histogram keeps may become more while it is recorded into, since somebody wants other buckets. Then a part has
//! several *stages*: each is all that was recorded since a moment, over the buckets that are kept since then. The first has
//! everything that came; the last has it in the most buckets, but perhaps not all of it. All are told, so that each can be shown.

use std::sync::Arc;

use metercast_core::reading::{Exponential, Part, SeriesView, StageView, interned_bounds};

use super::bank::OfStage;
use super::cursors::Cursors;
use super::format::{Histogram, Number, may_have_sum};
use super::since::Came;
use super::thread::Thread;
use super::told::{Buckets, Place, Stage, Told};
use crate::view::{Stream, scaled};

/// What came of one histogram after the other.
#[derive(Debug, Default)]
pub(super) struct Distributions {
    start: u64,
    parts: Vec<OfPart>,
    stages: Vec<Diff>,
    /// What came into each of their buckets, one stage after the other.
    came: Vec<u64>,
    /// What they are at now: as it will be told.
    words: Vec<u64>,
    /// What is shown of it.
    counts: Vec<u64>,
    exponential: Exponential,
    /// How the stream shows its series.
    shown: Shown,
    /// Whether the point that was asked for last is of the parts that cannot be shown so.
    is_rest: bool,
    bounds: Vec<Arc<[f64]>>,
}

/// How histograms are shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    /// In buckets with these bounds, in the unit of the stream.
    Buckets(&'static [f64]),
    /// In buckets that follow the values.
    Exponential,
}

/// A part of which something came.
#[derive(Clone, Copy, Debug)]
struct OfPart {
    /// Where its stages begin, and how many there are.
    stages: (usize, usize),
    /// The stage that is shown: it has all that came, in the most buckets.
    picked: usize,
    /// Whether it is shown as the stream has it.
    fits: bool,
}

/// What came since a stage was delivered.
#[derive(Debug)]
struct Diff {
    stage: Stage,
    count: u64,
    buckets: Option<DiffOfBuckets>,
    /// What came, if it is asked for, and what it is at.
    exponential: Option<Box<(Exponential, Exponential)>>,
}

#[derive(Clone, Debug)]
struct DiffOfBuckets {
    bounds: Arc<[f64]>,
    /// Where the counts of what came begin.
    came: usize,
    /// Where its words begin.
    words: usize,
    /// The sum that the receiver has.
    has: f64,
    /// The sum of what came; `None` if it shrank.
    sum: Option<f64>,
}

/// More different buckets than a program has at a time.
const MOST_BOUNDS: usize = 256;

impl Default for Shown {
    fn default() -> Shown {
        Shown::Buckets(&[])
    }
}

impl Distributions {
    /// What came of a series, as the stream shows it; `None` if nothing did.
    pub(super) fn of(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        shown: Shown,
        stream: &Stream,
    ) -> Option<Came<'_>> {
        (self.start, self.shown) = (thread.since, shown);
        self.parts.clear();
        self.stages.clear();
        self.came.clear();
        self.words.clear();
        for part in series.parts() {
            self.read(cursors, thread, &part);
        }
        self.is_rest = !self.parts.iter().any(|part| part.fits);
        self.point(stream)
    }

    /// What could not be put into that point: what was recorded before buckets of its kind were kept.
    pub(super) fn rest(&mut self, stream: &Stream) -> Option<Came<'_>> {
        if std::mem::replace(&mut self.is_rest, true) {
            return None;
        }
        self.point(stream)
    }

    /// Tells what the parts are at that the last point was of.
    pub(super) fn tell(&mut self, told: &mut Told) {
        for part in self.parts.iter().filter(|part| part.fits != self.is_rest) {
            let (first, count) = part.stages;
            for Diff { stage, buckets, exponential, .. } in &mut self.stages[first..first + count] {
                let stage = *stage;
                if let Some(DiffOfBuckets { bounds, words, .. }) = buckets.take() {
                    let count = bounds.len() + 3;
                    told.words.extend_from_slice(&self.words[words..words + count]);
                    told.histograms.push(Buckets { stage, bounds, words: count });
                }
                told.exponentials.extend(exponential.take().map(|exponential| (stage, exponential.1)));
            }
        }
    }

    /// Tells what a part is at, if that is to be, by when it was told last.
    pub(super) fn take(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        part: &Part<'_>,
        told: &mut Told,
        is_taken: impl Fn(u64) -> bool,
    ) {
        let Some((place, started)) = cursors.place_of(thread, part) else { return };
        if !is_taken(cursors.distribution(thread, place, started).map_or(0, |known| known.at)) {
            return;
        }
        for StageView { started_unix_nanos: since, number, buckets, sum, exponential, .. } in part.stages() {
            let stage = Stage { place, started, since, number };
            if let Some((bounds, counts)) = buckets {
                told.words.extend([sum.to_bits(); 2]);
                told.words.extend_from_slice(counts);
                let (bounds, words) = (self.kept(bounds), 2 + counts.len());
                told.histograms.push(Buckets { stage, bounds, words });
            }
            told.exponentials.extend(exponential.map(|now| (stage, now.clone())));
        }
    }

    /// Reads what came of a part.
    fn read(&mut self, cursors: &mut Cursors, thread: Thread, part: &Part<'_>) {
        let Some((place, started)) = cursors.place_of(thread, part) else { return };
        let known = cursors.distribution(thread, place, started);
        self.start = self.start.max(known.map_or(0, |known| known.at));
        let first = self.stages.len();
        for now in part.stages() {
            let (since, number) = (now.started_unix_nanos, now.number);
            let before = known.and_then(|known| known.stage(since, number));
            self.read_stage(Stage { place, started, since, number }, &now, before);
        }
        let stages = &self.stages[first..];
        let Some(all) = stages.first().map(|stage| stage.count).filter(|all| *all > 0) else {
            self.stages.truncate(first);
            return;
        };
        // What came before a stage is missing in it. Later ones have more buckets.
        let last = |fits: bool| {
            stages.iter().rposition(|stage| stage.count == all && (!fits || stage.is(self.shown)))
        };
        let fitting = last(true);
        if let Some(picked) = fitting.or_else(|| last(false)) {
            let stages = (first, stages.len());
            self.parts.push(OfPart { stages, picked: first + picked, fits: fitting.is_some() });
        }
    }

    fn read_stage(&mut self, stage: Stage, now: &StageView<'_>, before: Option<&OfStage>) {
        let sum = now.sum;
        let buckets = now.buckets.map(|(bounds, counts)| {
            // It may keep fewer than it did, but never others.
            let has_all = |known: &[f64]| bounds.iter().all(|bound| known.contains(bound));
            let (came, words) = (self.came.len(), self.words.len());
            let before = before.and_then(OfStage::counts).map(|before| (before, are_equal(before.0, bounds)));
            let before = before.filter(|((known, ..), is_same)| *is_same || has_all(known));
            // Who counts elsewhere may have begun anew; ours never count down.
            let is_ours = matches!(stage.place, Place::Line(_));
            let counts_up = |known: &[u64]| counts.iter().zip(known).all(|(now, before)| now >= before);
            let before = before.filter(|((_, _, known), is_same)| is_ours || (*is_same && counts_up(known)));
            match before {
                Some(((.., before), true)) => {
                    let came = counts.iter().zip(before).map(|(now, before)| now.wrapping_sub(*before));
                    self.came.extend(came);
                }
                Some(((known, _, before), false)) => {
                    self.came.extend_from_slice(counts);
                    sum_down(known, before, bounds, &mut self.came[came..], |to, count| {
                        *to = to.wrapping_sub(count);
                    });
                }
                None => self.came.extend_from_slice(counts),
            }
            // The sum that was read, and the one that the receiver has when it adds up what it was told.
            let [seen, has] = before.map_or([0.0; 2], |((_, sums, _), _)| sums.map(f64::from_bits));
            let came_by = (sum >= seen).then(|| (sum - has).max(0.0));
            // A receiver that gets no sum, or that of another stage, has none of this one to go on from.
            self.words.extend([sum.to_bits(); 2]);
            self.words.extend_from_slice(counts);
            let bounds = match before {
                Some(((known, ..), true)) => Arc::clone(known),
                _ => self.kept(bounds),
            };
            DiffOfBuckets { bounds, came, words, has, sum: came_by }
        });
        let exponential = now.exponential.map(|now| {
            // Who has other buckets is not asked what came, but what it is at.
            let is_asked = buckets.is_none() || matches!(self.shown, Shown::Exponential);
            let before = before.and_then(|before| before.exponential.as_deref());
            let came = match before {
                Some(before) if is_asked => now.since(before),
                None if is_asked => now.clone(),
                _ => Exponential::default(),
            };
            Box::new((came, now.clone()))
        });
        let count = match (&buckets, &exponential) {
            (Some(DiffOfBuckets { bounds, came, .. }), _) => {
                let came = &self.came[*came..=came + bounds.len()];
                came.iter().fold(0u64, |all, count| all.wrapping_add(*count))
            }
            (None, Some(exponential)) => exponential.0.count(),
            (None, None) => 0,
        };
        self.stages.push(Diff { stage, count, buckets, exponential });
    }

    /// Bounds to keep, once for all series that have them.
    fn kept(&mut self, bounds: &[f64]) -> Arc<[f64]> {
        if let Some(known) = self.bounds.iter().find(|known| are_equal(known, bounds)) {
            return Arc::clone(known);
        }
        if self.bounds.len() >= MOST_BOUNDS {
            self.bounds.retain(|known| Arc::strong_count(known) > 1);
        }
        let bounds: Arc<[f64]> = bounds.into();
        self.bounds.push(Arc::clone(&bounds));
        bounds
    }

    fn point(&mut self, stream: &Stream) -> Option<Came<'_>> {
        if !self.parts.iter().any(|part| part.fits != self.is_rest) {
            return None;
        }
        match (self.shown, self.is_rest) {
            (Shown::Buckets(bounds), false) => self.point_of_buckets(Some(bounds), stream),
            (Shown::Exponential, true) => self.point_of_buckets(None, stream),
            _ => self.point_of_exponential(stream),
        }
    }

    /// In buckets with these bounds. Of what was recorded before they were kept there are fewer, and then the point has these
    /// alone: nothing is lost but detail.
    fn point_of_buckets(&mut self, wanted: Option<&'static [f64]>, stream: &Stream) -> Option<Came<'_>> {
        let scale = stream.scale();
        let bounds = match wanted {
            Some(wanted) if self.sum_down_to(wanted, scale) => wanted,
            _ => {
                let common = interned_bounds(&self.common(wanted, scale)).ok()?;
                self.sum_down_to(common, scale);
                common
            }
        };
        let count = self.counts.iter().fold(0u64, |sum, count| sum.wrapping_add(*count));
        let sum = self.picked().try_fold(0.0, |sum, part| Some(sum + part.sum?));
        let sum = sum.filter(|_| may_have_sum(bounds));
        if sum.is_some() {
            for part in self.parts.iter().filter(|part| part.fits != self.is_rest) {
                if let Some(DiffOfBuckets { words, has, sum: Some(came), .. }) =
                    &self.stages[part.picked].buckets
                {
                    self.words[words + 1] = (has + came).to_bits();
                }
            }
        }
        let sum = sum.map(|sum| scale.map_or(sum, |scale| scaled(sum, scale)));
        let value = Number::Histogram(Histogram { bounds, counts: &self.counts, count, sum });
        Some(Came { value, start: self.start })
    }

    /// The buckets that are shown of the parts that the point is of.
    fn picked(&self) -> impl Iterator<Item = &DiffOfBuckets> {
        let parts = self.parts.iter().filter(|part| part.fits != self.is_rest);
        parts.filter_map(|part| self.stages[part.picked].buckets.as_ref())
    }

    /// Sums what came down to these bounds; false if a part does not have all of them.
    fn sum_down_to(&mut self, bounds: &[f64], scale: Option<f64>) -> bool {
        let mut counts = std::mem::take(&mut self.counts);
        counts.clear();
        counts.resize(bounds.len() + 1, 0);
        let has_all = self.picked().all(|part| {
            let came = &self.came[part.came..=part.came + part.bounds.len()];
            if scale.is_none() && are_equal(&part.bounds, bounds) {
                counts.iter_mut().zip(came).for_each(|(to, count)| *to = to.wrapping_add(*count));
                return true;
            }
            let mut at = 0;
            for (bound, count) in part.bounds.iter().map(Some).chain([None]).zip(came) {
                counts[at] = counts[at].wrapping_add(*count);
                at += usize::from(bound.zip(bounds.get(at)).is_some_and(|(a, b)| is_same(*a, scale, *b)));
            }
            at == bounds.len()
        });
        self.counts = counts;
        has_all
    }

    /// Those of the wanted bounds, or else of any, that all parts have.
    fn common(&self, wanted: Option<&[f64]>, scale: Option<f64>) -> Vec<f64> {
        let mut common = match wanted {
            Some(wanted) => wanted.to_vec(),
            None => {
                let first = self.picked().next().map_or(&[][..], |part| &part.bounds);
                first.iter().map(|bound| scale.map_or(*bound, |scale| scaled(*bound, scale))).collect()
            }
        };
        common.retain(|wanted| {
            self.picked().all(|part| part.bounds.iter().any(|bound| is_same(*bound, scale, *wanted)))
        });
        common
    }

    fn point_of_exponential(&mut self, stream: &Stream) -> Option<Came<'_>> {
        let parts = self.parts.iter().filter(|part| part.fits != self.is_rest);
        let stages = &mut self.stages;
        let came =
            parts.filter_map(|part| Some(std::mem::take(&mut stages[part.picked].exponential.as_mut()?.0)));
        self.exponential = stream.exponential(came);
        Some(Came { value: Number::Exponential(&self.exponential), start: self.start })
    }
}

impl Diff {
    fn is(&self, shown: Shown) -> bool {
        match shown {
            Shown::Buckets(_) => self.buckets.is_some(),
            Shown::Exponential => self.exponential.is_some(),
        }
    }
}

/// Whether bounds are the same, without a branch for each, since mostly they are.
fn are_equal(some: &[f64], others: &[f64]) -> bool {
    let differ = |(a, b): (&f64, &f64)| a.to_bits() ^ b.to_bits();
    some.len() == others.len() && some.iter().zip(others).map(differ).fold(0, |all, one| all | one) == 0
}

/// Sums counts down to bounds that are among theirs, and does this with each.
fn sum_down(from: &[f64], counts: &[u64], to: &[f64], out: &mut [u64], f: impl Fn(&mut u64, u64)) {
    let mut at = 0;
    for (bound, count) in from.iter().map(Some).chain([None]).zip(counts) {
        if let Some(out) = out.get_mut(at) {
            f(out, *count);
        }
        at += usize::from(bound.is_some() && bound == to.get(at));
    }
}

/// Whether a bound is this one in the unit of a stream, in which it may have been rounded.
fn is_same(bound: f64, scale: Option<f64>, shown: f64) -> bool {
    match scale {
        None => bound == shown,
        Some(scale) => (bound * scale - shown).abs() <= shown.abs() * 1e-9,
    }
}
