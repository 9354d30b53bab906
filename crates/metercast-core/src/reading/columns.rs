//! The words of a cell in all regions of a store, put together.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::view::{BucketsView, PointView, SummaryView, summed_down};
use crate::number::{Number, NumberType};
use crate::store::directory::{CHUNK_WORDS, Chunk};
use crate::store::exponential::Exponential;
use crate::store::layout::Layout;
use crate::store::region::Region;
use crate::store::windows::Advance;

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
    quantiles: Vec<(f64, f64)>,
}

impl Distribution {
    pub(super) fn read<'a>(
        &'a mut self,
        columns: &mut Columns<'_>,
        slot: u32,
        layout: &'static Layout,
        window: impl FnOnce() -> Advance<'a>,
    ) -> PointView<'a> {
        let explicit = match layout {
            Layout::Explicit(explicit) => explicit,
            Layout::Exponential(_) => {
                self.read_exponential(columns, slot, layout);
                return PointView::Exponential(&self.exponential);
            }
            Layout::Summary(summary) => {
                self.read_exponential(columns, slot, layout);
                let within = window()(summary.window, &self.exponential);
                self.quantiles.clear();
                for quantile in &summary.quantiles {
                    self.quantiles.extend(within.quantile(*quantile).map(|value| (*quantile, value)));
                }
                let (count, sum) = (self.exponential.count(), self.exponential.sum);
                return PointView::Summary(SummaryView::of(count, sum, &self.quantiles, &summary.quantiles));
            }
        };
        let mut sum = 0.0;
        self.kept.clear();
        self.kept.resize(explicit.bounds.len() + 1, 0);
        columns.each_at_once(slot, layout.words(), |words| {
            sum += f64::from_bits(words[0]);
            for (to, count) in self.kept.iter_mut().zip(&words[1..]) {
                *to = to.wrapping_add(*count);
            }
        });
        if explicit.shown.len() == explicit.bounds.len() {
            return PointView::Histogram(BucketsView::new(explicit, &self.kept, &self.kept, sum));
        }
        summed_down(&explicit.bounds, &self.kept, &explicit.shown, &mut self.shown);
        PointView::Histogram(BucketsView::new(explicit, &self.shown, &self.kept, sum))
    }

    fn read_exponential(&mut self, columns: &mut Columns<'_>, slot: u32, layout: &Layout) {
        let shape = layout.shape();
        self.exponential = Exponential::default();
        columns.each_at_once(slot, shape.words(), |words| {
            if let Some(part) = shape.read(words) {
                self.exponential.merge(&part, shape);
            }
        });
    }
}

/// How often an up-down counter is read at most to find a quiet moment.
const TRIES: usize = 8;
