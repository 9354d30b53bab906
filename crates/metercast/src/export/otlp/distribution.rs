//! What came of histograms: the difference of all buckets that are kept of each part, summed down to those that are shown.

use std::sync::Arc;

use metercast_core::reading::{
    BucketsView, Exponential, Part, PartId, PointView, SeriesView, interned_bounds,
};

use super::bank;
use super::cursors::Cursors;
use super::format::{Histogram, Number, may_have_sum};
use super::since::Came;
use super::thread::Thread;
use super::told::{Buckets, Line, Told};

/// What came of one histogram after the other.
#[derive(Debug, Default)]
pub(super) struct Distributions {
    start: u64,
    /// The parts of which something came.
    parts: Vec<OfPart>,
    /// What came into each of their buckets, part after part.
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
#[derive(Debug)]
struct OfPart {
    line: Line,
    started: u64,
    buckets: Option<OfBuckets>,
    /// What came, and what it is at.
    exponential: Option<(Exponential, Exponential)>,
}

/// The buckets of a part.
#[derive(Clone, Debug)]
struct OfBuckets {
    bounds: Arc<[f64]>,
    /// Where the counts of what came begin.
    came: usize,
    /// Where its words begin.
    words: usize,
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
    /// What came of a series, as it is shown; `None` if nothing did.
    pub(super) fn of(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        shown: Shown,
        scale: Option<f64>,
    ) -> Option<Came<'_>> {
        (self.start, self.shown) = (thread.since, shown);
        self.parts.clear();
        self.came.clear();
        self.words.clear();
        for part in series.parts() {
            self.read(cursors, thread, &part);
        }
        self.is_rest = !self.parts.iter().any(|part| part.is(shown));
        self.point(scale)
    }

    /// What could not be put into that point: what was recorded into buckets of the other kind, before this one was wanted.
    pub(super) fn rest(&mut self, scale: Option<f64>) -> Option<Came<'_>> {
        if std::mem::replace(&mut self.is_rest, true) {
            return None;
        }
        self.point(scale)
    }

    /// Tells what the parts are at that the last point was of.
    pub(super) fn tell(&mut self, told: &mut Told) {
        let (shown, is_rest) = (self.shown, self.is_rest);
        for part in self.parts.extract_if(.., |part| part.is(shown) != is_rest) {
            if let Some(OfBuckets { bounds, words, .. }) = part.buckets {
                let count = bounds.len() + 3;
                told.words.extend_from_slice(&self.words[words..words + count]);
                told.histograms.push(Buckets {
                    line: part.line,
                    started: part.started,
                    bounds,
                    words: count,
                });
            }
            if let Some((_, now)) = part.exponential {
                told.exponentials.push((part.line, part.started, now));
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
        let Some(line) = line_of(part, thread) else { return };
        let known = cursors.distribution(thread, line, part.started_unix_nanos);
        if !is_taken(known.map_or(0, |known| known.at)) {
            return;
        }
        match part.value {
            PointView::Histogram(now) => {
                let (bounds, counts) = now.kept();
                let bounds = self.kept(bounds);
                told.words.extend([now.sum.to_bits(); 2]);
                told.words.extend_from_slice(counts);
                let words = 2 + counts.len();
                told.histograms.push(Buckets { line, started: part.started_unix_nanos, bounds, words });
            }
            PointView::Exponential(now) => {
                told.exponentials.push((line, part.started_unix_nanos, now.clone()));
            }
            _ => {}
        }
    }

    /// Reads what came of a part.
    fn read(&mut self, cursors: &mut Cursors, thread: Thread, part: &Part<'_>) {
        // Parts without a line are over, and were delivered.
        let Some(line) = line_of(part, thread) else { return };
        let started = part.started_unix_nanos;
        let known = cursors.distribution(thread, line, started);
        self.start = self.start.max(known.map_or(0, |known| known.at));
        let (buckets, now) = match part.value {
            PointView::Histogram(now) => (self.buckets(now, known), None),
            PointView::Exponential(now) => (None, Some(now)),
            _ => return,
        };
        let exponential = now.and_then(|now| {
            let before = known.and_then(|known| known.exponential.as_ref());
            let came = before.map_or_else(|| now.clone(), |before| now.since(before));
            (!came.is_empty()).then(|| (came, now.clone()))
        });
        if buckets.is_some() || exponential.is_some() {
            self.parts.push(OfPart { line, started, buckets, exponential });
        }
    }

    /// What came into all buckets that are kept; `None` if nothing did.
    fn buckets(&mut self, now: BucketsView<'_>, known: Option<&bank::Distribution>) -> Option<OfBuckets> {
        let (bounds, counts) = now.kept();
        let before = known.and_then(|known| known.counts(bounds));
        let (came, words) = (self.came.len(), self.words.len());
        match before {
            Some((_, _, before)) => {
                let came = counts.iter().zip(before).map(|(now, before)| now.wrapping_sub(*before));
                self.came.extend(came);
            }
            None => self.came.extend_from_slice(counts),
        }
        if self.came[came..].iter().all(|count| *count == 0) {
            self.came.truncate(came);
            return None;
        }
        // The sum that was read, and the one that the receiver has when it adds up what it was told.
        let [seen, has] = before.map_or([0.0; 2], |(_, sums, _)| sums.map(f64::from_bits));
        let sum = (now.sum >= seen).then(|| (now.sum - has).max(0.0));
        self.words.extend([now.sum.to_bits(), has.to_bits()]);
        self.words.extend_from_slice(counts);
        let bounds = match before {
            Some((bounds, ..)) => Arc::clone(bounds),
            None => self.kept(bounds),
        };
        Some(OfBuckets { bounds, came, words, sum })
    }

    /// Bounds to keep, once for all series that have them.
    fn kept(&mut self, bounds: &[f64]) -> Arc<[f64]> {
        if let Some(known) = self.bounds.iter().find(|known| ***known == *bounds) {
            return Arc::clone(known);
        }
        if self.bounds.len() >= MOST_BOUNDS {
            self.bounds.retain(|known| Arc::strong_count(known) > 1);
        }
        let bounds: Arc<[f64]> = bounds.into();
        self.bounds.push(Arc::clone(&bounds));
        bounds
    }

    /// The parts that the point is of.
    fn each(&self) -> impl Iterator<Item = &OfPart> {
        self.parts.iter().filter(|part| part.is(self.shown) != self.is_rest)
    }

    fn point(&mut self, scale: Option<f64>) -> Option<Came<'_>> {
        self.each().next()?;
        match (self.shown, self.is_rest) {
            (Shown::Buckets(bounds), false) => self.point_of_buckets(Some(bounds), scale),
            (Shown::Exponential, true) => self.point_of_buckets(None, scale),
            _ => self.point_of_exponential(scale),
        }
    }

    /// In buckets with these bounds. Of what was recorded before they were wanted those are shown that its buckets have: nothing is
    /// lost but detail.
    fn point_of_buckets(&mut self, wanted: Option<&'static [f64]>, scale: Option<f64>) -> Option<Came<'_>> {
        let bounds = match wanted {
            Some(wanted) if self.sum_down(wanted, scale) => wanted,
            _ => {
                let common = interned_bounds(&self.common(wanted, scale)).ok()?;
                self.sum_down(common, scale);
                common
            }
        };
        let count = self.counts.iter().fold(0u64, |sum, count| sum.wrapping_add(*count));
        let each = self.parts.iter().filter(|part| part.is(self.shown) != self.is_rest);
        let buckets = each.filter_map(|part| part.buckets.as_ref());
        let sum = buckets.clone().try_fold(0.0, |sum, part| Some(sum + part.sum?));
        let sum = sum.filter(|_| may_have_sum(bounds));
        for part in buckets {
            let [now, has] = [part.words, part.words + 1];
            // A receiver that gets no sum has none to go on from.
            self.words[has] = match part.sum.filter(|_| sum.is_some()) {
                Some(came) => (f64::from_bits(self.words[has]) + came).to_bits(),
                None => self.words[now],
            };
        }
        let sum = sum.map(|sum| sum * scale.unwrap_or(1.0));
        let value = Number::Histogram(Histogram { bounds, counts: &self.counts, count, sum });
        Some(Came { value, start: self.start })
    }

    /// Sums what came down to these bounds; false if a part does not have all of them.
    fn sum_down(&mut self, bounds: &[f64], scale: Option<f64>) -> bool {
        self.counts.clear();
        self.counts.resize(bounds.len() + 1, 0);
        let (shown, is_rest) = (self.shown, self.is_rest);
        let each = self.parts.iter().filter(|part| part.is(shown) != is_rest);
        each.filter_map(|part| part.buckets.as_ref()).all(|part| {
            let came = &self.came[part.came..=part.came + part.bounds.len()];
            let mut at = 0;
            for (bound, count) in part.bounds.iter().map(Some).chain([None]).zip(came) {
                self.counts[at] = self.counts[at].wrapping_add(*count);
                at += usize::from(bound.zip(bounds.get(at)).is_some_and(|(a, b)| is_same(*a, scale, *b)));
            }
            at == bounds.len()
        })
    }

    /// Those of the wanted bounds, or else of any, that all parts have.
    fn common(&self, wanted: Option<&[f64]>, scale: Option<f64>) -> Vec<f64> {
        let parts = || self.each().filter_map(|part| part.buckets.as_ref());
        let mut common = match wanted {
            Some(wanted) => wanted.to_vec(),
            None => {
                let first = parts().next().map_or(&[][..], |part| &part.bounds);
                first.iter().map(|bound| bound * scale.unwrap_or(1.0)).collect()
            }
        };
        common.retain(|wanted| {
            parts().all(|part| part.bounds.iter().any(|bound| is_same(*bound, scale, *wanted)))
        });
        common
    }

    fn point_of_exponential(&mut self, scale: Option<f64>) -> Option<Came<'_>> {
        let (shown, is_rest) = (self.shown, self.is_rest);
        let each = self.parts.iter_mut().filter(|part| part.is(shown) != is_rest);
        let mut each = each.filter_map(|part| part.exponential.as_mut());
        self.exponential = std::mem::take(&mut each.next()?.0);
        let _ = scale;
        Some(Came { value: Number::Exponential(&self.exponential), start: self.start })
    }
}

impl OfPart {
    fn is(&self, shown: Shown) -> bool {
        match shown {
            Shown::Buckets(_) => self.buckets.is_some(),
            Shown::Exponential => self.exponential.is_some(),
        }
    }
}

/// Whether a bound is this one in the unit of a stream, in which it may have been rounded.
fn is_same(bound: f64, scale: Option<f64>, shown: f64) -> bool {
    match scale {
        None => bound == shown,
        Some(scale) => (bound * scale - shown).abs() <= shown.abs() * 1e-9,
    }
}

fn line_of(part: &Part<'_>, thread: Thread) -> Option<Line> {
    match part.id {
        PartId::Line(number) => Some(Line { bank: thread.bank, number }),
        _ => None,
    }
}
