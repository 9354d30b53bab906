//! The words of a cell in all regions of a store, put together.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::view::{BucketsView, PointView, SummaryView, summed_down};
use crate::number::{Number, NumberType};
use crate::store::Inner;
use crate::store::directory::{CHUNK_WORDS, Chunk};
use crate::store::exponential::{Exponential, Shape};
use crate::store::layout::{Explicit, Layout};
use crate::store::line::CellWord;
use crate::store::past::{History, Stage};
use crate::store::region::Region;

/// Where the words of cells are in a region.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Fixed,
    Series,
}

/// The same words in all regions. Slots that follow each other lie in the same chunks, which are looked up once.
pub(super) struct Columns<'a> {
    regions: &'a [&'a Region],
    place: Place,
    /// Which chunks `chunks` are.
    at: Option<u32>,
    chunks: Vec<(&'a Region, &'a Chunk)>,
    /// The words of a cell in one of the regions.
    of_one: Vec<u64>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(regions: &'a [&'a Region], place: Place) -> Columns<'a> {
        Columns { regions, place, at: None, chunks: Vec::new(), of_one: Vec::new() }
    }

    #[inline]
    fn chunks(&mut self, slot: u32) -> &[(&'a Region, &'a Chunk)] {
        let at = slot / CHUNK_WORDS as u32;
        if self.at != Some(at) {
            self.look_up(slot);
            self.at = Some(at);
        }
        &self.chunks
    }

    fn look_up(&mut self, slot: u32) {
        self.chunks.clear();
        for region in self.regions {
            let chunk = match self.place {
                Place::Fixed => region.fixed(slot),
                Place::Series => region.series(slot),
            };
            self.chunks.extend(chunk.map(|chunk| (*region, chunk)));
        }
    }

    /// The total of a word over all regions; `None` if nothing was ever added to it.
    #[inline]
    pub(super) fn total<N: Number>(&mut self, slot: u32) -> Option<N> {
        let total = self
            .chunks(slot)
            .iter()
            .fold(N::ZERO, |total, (_, chunk)| total.plus(N::from_bits(chunk.word(slot).load(Acquire))));
        (total != N::ZERO).then_some(total)
    }

    #[inline]
    pub(super) fn sum(&mut self, slot: u32, number: NumberType) -> Option<u64> {
        match number {
            NumberType::F64 => self.total::<f64>(slot).map(f64::to_bits),
            NumberType::U64 | NumberType::I64 => self.total::<u64>(slot),
        }
    }

    pub(super) fn up_down(&mut self, slot: u32, number: NumberType) -> Option<u64> {
        match number {
            NumberType::F64 => self.ups_and_downs::<f64>(slot).map(f64::to_bits),
            NumberType::I64 | NumberType::U64 => self.ups_and_downs::<i64>(slot).map(|value| value as u64),
        }
    }

    /// What went up less what went down. Downs are read before the ups, so that something that goes up before it
    /// goes down never reads as less than nothing, and again after, to find a moment when the two fit together.
    fn ups_and_downs<N: Number>(&mut self, slot: u32) -> Option<N> {
        let mut read = |slot| self.total::<N>(slot).unwrap_or(N::ZERO);
        let mut best: Option<(f64, N)> = None;
        let mut there = false;
        for _ in 0..TRIES {
            let (downs, ups) = (read(slot + 1), read(slot));
            let gap = read(slot + 1).minus(downs).to_f64().abs();
            there |= ups != N::ZERO || downs != N::ZERO;
            if best.is_none_or(|(least, _)| gap < least) {
                best = Some((gap, ups.minus(downs)));
            }
            if gap == 0.0 {
                break;
            }
        }
        best.filter(|_| there).map(|(_, value)| value)
    }

    /// The words of a cell in each region, each as of one moment.
    fn each_at_once(&mut self, slot: u32, words: usize, mut f: impl FnMut(&[u64])) {
        let mut of_one = std::mem::take(&mut self.of_one);
        of_one.resize(words, 0);
        for (region, chunk) in self.chunks(slot) {
            let words = chunk.words(slot, words);
            region.read_at_once(|| {
                for (to, word) in of_one.iter_mut().zip(words) {
                    *to = word.load(Relaxed);
                }
            });
            f(&of_one);
        }
        self.of_one = of_one;
    }
}

/// Where distributions are put together, one after the other.
#[derive(Default)]
pub(super) struct Distribution {
    kept: Vec<u64>,
    shown: Vec<u64>,
    exponential: Exponential,
    /// What one region has of it.
    part: Exponential,
    quantiles: Vec<(f64, f64)>,
    /// Of a histogram that keeps more than is shown, or than it kept at first: so many of these, and the others are memory that
    /// is used again.
    stages: Vec<Stage>,
    count: usize,
    /// Its cells, each with the number of its stage.
    cells: Vec<(CellWord, usize)>,
}

/// A distribution in a store.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) store: &'a Inner,
    pub(super) line: u32,
    pub(super) cell: CellWord,
    /// When the series began to count.
    pub(super) started: u64,
}

impl Distribution {
    /// What a distribution holds, and its stages if it has more than it shows; `None` if it has no buckets yet.
    pub(super) fn read<'a>(
        &'a mut self,
        columns: &mut Columns<'_>,
        at: At<'_>,
    ) -> Option<(PointView<'a>, &'a [Stage])> {
        let (slot, layout) = (at.cell.slot(), at.store.dictionary.layout(at.cell));
        // After the cell: what was there before is noted before the cell is.
        if at.store.past.of(at.line, |history| self.recall(history, at.cell)) == Some(()) {
            return self.read_stages(columns, at.store, layout);
        }
        let value = match layout {
            Layout::Explicit(explicit) => self.read_explicit(columns, slot, explicit),
            Layout::Exponential(shape) => {
                self.read_exponential(columns, slot, *shape);
                PointView::Exponential(&self.exponential)
            }
            Layout::Summary(summary) => {
                self.read_exponential(columns, slot, Shape::SUMMARY);
                let windows = &at.store.windows;
                let now = at.store.clock().now();
                let within = windows.advance(at.line, at.started, summary.window, &self.exponential, now);
                self.quantiles.clear();
                for quantile in &summary.quantiles {
                    self.quantiles.extend(within.quantile(*quantile).map(|value| (*quantile, value)));
                }
                let (count, sum) = (self.exponential.count(), self.exponential.sum);
                PointView::Summary(SummaryView::of(count, sum, &self.quantiles, &summary.quantiles))
            }
            Layout::Both(_) => {
                self.make_room(1);
                self.stages[0].begin(layout, at.started);
                self.cells.clear();
                self.cells.push((at.cell, 0));
                return self.read_stages(columns, at.store, layout);
            }
            Layout::Unplanned => return None,
        };
        Some((value, &[]))
    }

    fn read_explicit<'a>(
        &'a mut self,
        columns: &mut Columns<'_>,
        slot: u32,
        explicit: &'static Explicit,
    ) -> PointView<'a> {
        let mut sum = 0.0;
        self.kept.clear();
        self.kept.resize(explicit.bounds.len() + 1, 0);
        columns.each_at_once(slot, explicit.words(), |words| {
            sum += f64::from_bits(words[0]);
            for (to, count) in self.kept.iter_mut().zip(&words[1..]) {
                *to = to.wrapping_add(*count);
            }
        });
        let kept = (&explicit.bounds[..], &self.kept[..]);
        if explicit.shown.len() == explicit.bounds.len() {
            return PointView::Histogram(BucketsView::new(&explicit.shown, &self.kept, kept, sum));
        }
        summed_down(&explicit.bounds, &self.kept, &explicit.shown, &mut self.shown);
        PointView::Histogram(BucketsView::new(&explicit.shown, &self.shown, kept, sum))
    }

    fn read_exponential(&mut self, columns: &mut Columns<'_>, slot: u32, shape: Shape) {
        self.exponential.clear();
        columns.each_at_once(slot, shape.words(), |words| {
            if shape.read_into(words, &mut self.part) {
                self.exponential.merge(&self.part, shape);
            }
        });
    }

    /// Takes the stages of a histogram over, and the cells that are to be added.
    fn recall(&mut self, history: &History, cell: CellWord) {
        self.make_room(history.stages.len());
        self.stages.iter_mut().zip(&history.stages).for_each(|(to, stage)| to.become_like(stage));
        self.cells.clone_from(&history.cells);
        // If it is just being replaced it is among them already.
        if self.cells.iter().all(|(there, _)| *there != cell) {
            self.cells.push((cell, self.count - 1));
        }
    }

    fn make_room(&mut self, count: usize) {
        self.count = count;
        if self.stages.len() < count {
            self.stages.resize_with(count, Stage::default);
        }
    }

    fn read_stages<'a>(
        &'a mut self,
        columns: &mut Columns<'_>,
        store: &Inner,
        layout: &'static Layout,
    ) -> Option<(PointView<'a>, &'a [Stage])> {
        for (cell, stage) in &self.cells {
            let layout = store.dictionary.layout(*cell);
            let stages = &mut self.stages[..=*stage];
            columns.each_at_once(cell.slot(), layout.words(), |words| {
                stages.iter_mut().for_each(|stage| stage.add_words(layout, words, &mut self.part));
            });
        }
        let stages = &self.stages[..self.count];
        let oldest = stages.first()?;
        if layout.shows_exponential() {
            return Some((PointView::Exponential(&oldest.exponential), stages));
        }
        let shown = &layout.explicit()?.shown;
        summed_down(&oldest.bounds, &oldest.counts, shown, &mut self.shown);
        let kept = (&oldest.bounds[..], &oldest.counts[..]);
        let view = BucketsView::new(shown, &self.shown, kept, oldest.sum);
        Some((PointView::Histogram(view), stages))
    }
}

/// How often an up-down counter is read at most to find a quiet moment.
const TRIES: usize = 8;
