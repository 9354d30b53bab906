//! The words of one exponential histogram, which its owner records into.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::index::{MAX_SCALE, MIN_SCALE, index, lower_to_fit};
use super::{Exponential, ExponentialBuckets};
use crate::store::directory::CHUNK_WORDS;

/// The words before the buckets: state, count of zeroes, sum, minimum, maximum, and the span of either sign.
const HEAD: usize = 7;

/// How many buckets a cell has, and how fine they are at first.
///
/// Words that are all zero are a cell that was never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    positive: u16,
    negative: u16,
    max_scale: i8,
}

impl Shape {
    /// What OpenTelemetry asks for when nothing else is said ("Base2 Exponential Bucket Histogram Aggregation"). All
    /// doubles fit at scale -4, the coarsest that Prometheus takes.
    pub(crate) const DEFAULT: Shape = Shape::new(160, MAX_SCALE);

    /// The cell of a summary: all that fits a chunk, and most of it for positive values, since latencies and sizes are
    /// what summaries are of. A quantile is off by 0.14 % at most while the positive values are within a factor of 2.8,
    /// by 0.28 % within 7.9, 0.55 % within 63, 1.1 % within 4000, 2.2 % within 16 million, 4.5 % within 10^14. Negative
    /// values as well: by 2.2 % within a factor of 170, 4.5 % within 30 000.
    pub(crate) const SUMMARY: Shape = Shape { positive: 384, negative: 120, max_scale: 8 };

    /// At most `max_size` buckets for either sign, `max_scale` the finest scale. What does not fit a chunk or makes no
    /// sense is brought to the nearest that does.
    pub(crate) const fn new(max_size: usize, max_scale: i32) -> Shape {
        const MOST: usize = (CHUNK_WORDS - HEAD) / 2;
        let size = if max_size < 2 { 2 } else { max_size };
        let size = if size > MOST { MOST } else { size } as u16;
        let scale = if max_scale < MIN_SCALE { MIN_SCALE } else { max_scale };
        let scale = if scale > MAX_SCALE { MAX_SCALE } else { scale } as i8;
        Shape { positive: size, negative: size, max_scale: scale }
    }

    /// The shape of what is kept beside so many other words; `None` if too few buckets would be left to be of use.
    pub(crate) const fn beside(words: usize) -> Option<Shape> {
        const LEAST: usize = 20;
        let room = CHUNK_WORDS.saturating_sub(words + HEAD) / 2;
        let usual = Shape::DEFAULT.positive as usize;
        if room < LEAST {
            return None;
        }
        Some(Shape::new(if room < usual { room } else { usual }, MAX_SCALE))
    }

    /// The words of a cell, at most a chunk.
    pub(crate) const fn words(self) -> usize {
        HEAD + self.positive as usize + self.negative as usize
    }

    /// How many buckets there are for positive and for negative values.
    pub(super) fn sizes(self) -> (usize, usize) {
        (usize::from(self.positive), usize::from(self.negative))
    }

    /// Records a finite value so many times. The caller owns the words, of which there are [`words`](Self::words), and keeps readers
    /// from seeing them half done.
    #[inline]
    pub(crate) fn record(self, words: &[AtomicU64], value: f64, times: u64) {
        let Some(cell) = Cell::of(self, words) else { return };
        let [state, zeroes, sum, min, max, ..] = cell.head;
        let lowered = Lowered::of(state.load(Relaxed)).unwrap_or_else(|| cell.begin(value));
        if value == 0.0 {
            zeroes.store(zeroes.load(Relaxed).wrapping_add(times), Release);
        } else {
            cell.count(value, lowered, times);
        }
        sum.store((f64::from_bits(sum.load(Relaxed)) + value * times as f64).to_bits(), Release);
        if value < f64::from_bits(min.load(Relaxed)) {
            min.store(value.to_bits(), Release);
        }
        if value > f64::from_bits(max.load(Relaxed)) {
            max.store(value.to_bits(), Release);
        }
    }

    /// Adds what was recorded elsewhere. The caller owns the words. Extremes that are not known are taken from the buckets.
    pub(crate) fn add(self, words: &[AtomicU64], other: &Exponential) {
        let copy: Vec<u64> = words.iter().map(|word| word.load(Relaxed)).collect();
        let mut all = self.read(&copy).unwrap_or_default();
        all.merge(other, self);
        let Some(cell) = Cell::of(self, words).filter(|_| !all.is_empty()) else { return };
        words.iter().for_each(|word| word.store(0, Release));
        let [state, zeroes, sum, min, max, positive, negative] = cell.head;
        let extreme = |known: Option<f64>, quantile| known.or_else(|| all.quantile(quantile)).unwrap_or(0.0);
        zeroes.store(all.zero_count, Release);
        sum.store(all.sum.to_bits(), Release);
        min.store(extreme(all.min, 0.0).to_bits(), Release);
        max.store(extreme(all.max, 1.0).to_bits(), Release);
        for (word, counts, buckets) in
            [(positive, cell.positive, &all.positive), (negative, cell.negative, &all.negative)]
        {
            let mut span = Span::of(0);
            for (index, count) in (i64::from(buckets.offset)..).zip(&buckets.counts) {
                span = span.or_at(index).with(index);
                if let Some(to) = counts.get(span.slot(index, counts.len())) {
                    to.store(*count, Release);
                }
            }
            word.store(span.bits(), Release);
        }
        state.store(Lowered((MAX_SCALE - all.scale) as u32).state(), Release);
    }

    /// What a copy of the words says, taken while no record was under way; `None` if nothing was recorded.
    pub(crate) fn read(self, words: &[u64]) -> Option<Exponential> {
        let mut read = Exponential::default();
        self.read_into(words, &mut read).then_some(read)
    }

    /// The same in the place of another, whose memory is used again; false if nothing was recorded.
    pub(crate) fn read_into(self, words: &[u64], to: &mut Exponential) -> bool {
        let mut read = || {
            let (&[state, zero_count, sum, min, max, positive, negative], buckets) =
                words.split_first_chunk()?;
            let lowered = Lowered::of(state)?;
            let (up, down) = buckets.split_at_checked(usize::from(self.positive))?;
            to.scale = MAX_SCALE - lowered.0 as i32;
            (to.zero_count, to.sum) = (zero_count, f64::from_bits(sum));
            (to.min, to.max) = (Some(f64::from_bits(min)), Some(f64::from_bits(max)));
            Span::of(positive).read(up, &mut to.positive);
            Span::of(negative).read(down, &mut to.negative);
            Some(())
        };
        read().is_some()
    }
}

/// How many scales a cell is below the finest. One more is its state, so that 0 is a cell that was never used.
#[derive(Clone, Copy)]
struct Lowered(u32);

impl Lowered {
    #[inline(always)]
    fn of(state: u64) -> Option<Lowered> {
        // The mask changes nothing; it lets a shift by this be one instruction.
        Some(Lowered(state.checked_sub(1)? as u32 & 31))
    }

    fn state(self) -> u64 {
        u64::from(self.0) + 1
    }
}

/// The words of a cell in the hands of its owner.
struct Cell<'a> {
    head: &'a [AtomicU64; HEAD],
    positive: &'a [AtomicU64],
    negative: &'a [AtomicU64],
    max_scale: i8,
}

impl<'a> Cell<'a> {
    #[inline(always)]
    fn of(shape: Shape, words: &'a [AtomicU64]) -> Option<Cell<'a>> {
        let (head, buckets) = words.split_first_chunk()?;
        let (positive, negative) = buckets.split_at_checked(usize::from(shape.positive))?;
        let negative = negative.get(..usize::from(shape.negative))?;
        Some(Cell { head, positive, negative, max_scale: shape.max_scale })
    }

    /// Makes the cell ready for its first value.
    #[cold]
    fn begin(&self, value: f64) -> Lowered {
        let [state, _, _, min, max, ..] = self.head;
        let lowered = Lowered((MAX_SCALE - i32::from(self.max_scale)) as u32);
        min.store(value.to_bits(), Release);
        max.store(value.to_bits(), Release);
        state.store(lowered.state(), Release);
        lowered
    }

    /// Counts a value that is not zero so many times.
    #[inline(always)]
    fn count(&self, value: f64, lowered: Lowered, times: u64) {
        let [.., positive, negative] = self.head;
        let (word, counts) = if value > 0.0 { (positive, self.positive) } else { (negative, self.negative) };
        let mut index = index(value.abs(), lowered.0);
        let mut span = Span::of(word.load(Relaxed));
        if !span.holds(index) {
            (index, span) = self.widen(word, counts, index, lowered);
        }
        if let Some(count) = counts.get(span.slot(index, counts.len())) {
            count.store(count.load(Relaxed).wrapping_add(times), Release);
        }
    }

    /// Makes the buckets of one sign reach to `index`, on a lower scale if need be, and gives the index and their span
    /// there.
    #[cold]
    fn widen(&self, word: &AtomicU64, counts: &[AtomicU64], mut index: i64, lowered: Lowered) -> (i64, Span) {
        let mut span = Span::of(word.load(Relaxed)).or_at(index);
        let by = lower_to_fit(span.low().min(index), span.high().max(index), counts.len());
        if by > 0 {
            let [state, .., positive, negative] = self.head;
            lower(positive, self.positive, by);
            lower(negative, self.negative, by);
            state.store(Lowered(lowered.0 + by).state(), Release);
            index >>= by;
            span = Span::of(word.load(Relaxed)).or_at(index);
        }
        let span = span.with(index);
        word.store(span.bits(), Release);
        (index, span)
    }
}

/// Adds up the buckets of one sign that are one bucket `by` scales lower.
fn lower(word: &AtomicU64, counts: &[AtomicU64], by: u32) {
    let span = Span::of(word.load(Relaxed));
    if span.is_empty() {
        return;
    }
    let lowered = span.lowered(by);
    // Away from the base, on either side: what is not read yet is never nearer to it than what is written.
    for index in (span.base()..=span.high()).chain((span.low()..span.base()).rev()) {
        let from = counts.get(span.slot(index, counts.len()));
        let to = counts.get(lowered.slot(index >> by, counts.len()));
        let (Some(from), Some(to)) = (from, to) else { continue };
        let count = from.load(Relaxed);
        from.store(0, Release);
        to.store(to.load(Relaxed).wrapping_add(count), Release);
    }
    word.store(lowered.bits(), Release);
}

/// Which buckets of one sign are in use, in one word; 0 if none is.
///
/// The first bucket ever used is the base. It has the first word; those above follow, and those below are reached
/// backwards from the last word, so that nothing moves when a smaller value comes.
#[derive(Clone, Copy)]
struct Span {
    base: i32,
    /// How many buckets below the base are in use.
    below: u16,
    /// How many are from the base on; at least 1 if any is.
    above: u16,
}

impl Span {
    #[inline(always)]
    fn of(bits: u64) -> Span {
        Span { base: (bits >> 32) as i32, below: (bits >> 16) as u16, above: bits as u16 }
    }

    fn bits(self) -> u64 {
        u64::from(self.base as u32) << 32 | u64::from(self.below) << 16 | u64::from(self.above)
    }

    fn is_empty(self) -> bool {
        self.above == 0
    }

    fn base(self) -> i64 {
        i64::from(self.base)
    }

    fn low(self) -> i64 {
        self.base() - i64::from(self.below)
    }

    fn high(self) -> i64 {
        self.base() + i64::from(self.above) - 1
    }

    #[inline(always)]
    fn holds(self, index: i64) -> bool {
        let above_low = index - i64::from(self.base) + i64::from(self.below);
        // Below the span it is negative, so far above any length. That of an empty span is 0.
        (above_low as u64) < u64::from(self.below) + u64::from(self.above)
    }

    /// The word of a bucket that the span holds, among `size`.
    #[inline(always)]
    fn slot(self, index: i64, size: usize) -> usize {
        let above_base = index - i64::from(self.base);
        if above_base < 0 { above_base.wrapping_add(size as i64) as usize } else { above_base as usize }
    }

    /// The span of this bucket alone if there is none yet.
    fn or_at(self, index: i64) -> Span {
        if self.is_empty() { Span { base: index as i32, below: 0, above: 1 } } else { self }
    }

    fn with(self, index: i64) -> Span {
        let below = (self.base() - self.low().min(index)) as u16;
        let above = (self.high().max(index) - self.base() + 1) as u16;
        Span { below, above, ..self }
    }

    fn lowered(self, by: u32) -> Span {
        let base = self.base >> by;
        Span { base, below: 0, above: 1 }.with(self.low() >> by).with(self.high() >> by)
    }

    fn read(self, counts: &[u64], to: &mut ExponentialBuckets) {
        to.clear();
        if !self.is_empty() {
            let count = |index| counts.get(self.slot(index, counts.len())).copied().unwrap_or(0);
            to.offset = self.low() as i32;
            to.counts.extend((self.low()..=self.high()).map(count));
        }
    }
}
