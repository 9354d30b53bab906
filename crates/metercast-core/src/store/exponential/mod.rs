//! Distributions over buckets that find their own bounds: base-2 exponential histograms, and the windows of summaries.
//!
//! Bounds are powers of `2^(2^-scale)`. A cell starts at the finest scale and halves it, two buckets becoming one,
//! whenever its values no longer fit its buckets; so any two histograms can be added up, at the lower scale of both.

mod cell;
mod index;
#[cfg(test)]
mod tests;
mod window;

use std::borrow::Cow;

pub(crate) use cell::Shape;
pub(crate) use window::Window;

use index::{MAX_SCALE, MIN_SCALE, lower_to_fit, middle};

/// A distribution over exponential buckets, which are as fine as the range of the values lets them be.
///
/// Bucket `i` holds the values in `(base^i, base^(i + 1)]` where `base` is `2^(2^-scale)`; negative values are counted
/// by their magnitude. This is the `ExponentialHistogram` of the OpenTelemetry data model with a zero threshold of 0.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exponential {
    /// How fine the buckets are: `2^scale` for each power of two. From -11 to 20.
    pub scale: i32,
    /// How many values were zero.
    pub zero_count: u64,
    /// The values above zero.
    pub positive: ExponentialBuckets,
    /// The values below zero.
    pub negative: ExponentialBuckets,
    /// The sum of all values.
    pub sum: f64,
    /// The least value, where it is known.
    pub min: Option<f64>,
    /// The greatest value, where it is known.
    pub max: Option<f64>,
}

/// The buckets of one sign: those from the lowest to the highest that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExponentialBuckets {
    /// The index of the first bucket; 0 if there is none.
    pub offset: i32,
    /// How many values fell into each.
    pub counts: Vec<u64>,
}

/// No values.
impl Default for Exponential {
    fn default() -> Exponential {
        Exponential {
            scale: MAX_SCALE,
            zero_count: 0,
            positive: ExponentialBuckets::default(),
            negative: ExponentialBuckets::default(),
            sum: 0.0,
            min: None,
            max: None,
        }
    }
}

impl Exponential {
    /// How many values there were: what the buckets add up to.
    pub fn count(&self) -> u64 {
        self.zero_count.wrapping_add(self.negative.count()).wrapping_add(self.positive.count())
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The upper bound of the bucket with this index, which belongs to it; infinity for the last there is.
    pub fn upper_bound(&self, index: i32) -> f64 {
        index::upper_bound(index.into(), self.scale)
    }

    /// Goes down to this scale, if it is above. Nothing is lost but detail.
    pub fn lower_to(&mut self, scale: i32) {
        let scale = scale.max(MIN_SCALE);
        if scale < self.scale {
            let by = (self.scale - scale) as u32;
            self.positive.lower(by);
            self.negative.lower(by);
            self.scale = scale;
        }
    }

    /// Goes down to a scale at which there are at most so many buckets of either sign, from 2 on.
    pub fn fit(&mut self, max_size: u32) {
        let (none, size) = (ExponentialBuckets::default(), max_size.max(2) as usize);
        let by = self.positive.lower_to_hold(&none, size).max(self.negative.lower_to_hold(&none, size));
        self.lower_to(self.scale - by as i32);
    }

    /// Adds what another counted, at the highest scale at which there are at most `max_size` buckets of either sign.
    ///
    /// ```
    /// use metercast_core::reading::Exponential;
    ///
    /// let (mut one, mut other) = (Exponential::default(), Exponential::default());
    /// (one.scale, one.positive.offset, one.positive.counts) = (1, 2, vec![3, 1]);
    /// (other.scale, other.positive.offset, other.positive.counts) = (0, 0, vec![5]);
    /// one.add_up(&other, 160);
    /// assert_eq!((one.scale, one.positive.offset, one.positive.counts), (0, 0, vec![5, 4]));
    /// ```
    pub fn add_up(&mut self, other: &Exponential, max_size: u32) {
        self.merge(other, Shape::new(max_size as usize, MAX_SCALE));
    }

    /// Adds what another counted, at the highest scale at which both together fit the shape. The same whatever the
    /// order is, but for the rounding of the sum.
    pub(crate) fn merge(&mut self, other: &Exponential, shape: Shape) {
        // Of an empty one the scale says nothing.
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            self.clear();
            (self.scale, self.min, self.max) = (other.scale, other.min, other.max);
        }
        let other = self.level(Cow::Borrowed(other));
        // First down, then together: at a high scale there may be a billion empty buckets between the two.
        let (positive, negative) = shape.sizes();
        let by = self.positive.lower_to_hold(&other.positive, positive);
        let by = by.max(self.negative.lower_to_hold(&other.negative, negative));
        self.lower_to(self.scale - by as i32);
        let other = self.level(other);
        self.zero_count = self.zero_count.wrapping_add(other.zero_count);
        self.positive.add(&other.positive);
        self.negative.add(&other.negative);
        self.sum += other.sum;
        self.min = self.min.zip(other.min).map(|(a, b)| a.min(b));
        self.max = self.max.zip(other.max).map(|(a, b)| a.max(b));
    }

    /// As if nothing had been recorded. Its memory is used again.
    pub(crate) fn clear(&mut self) {
        let (mut positive, mut negative) =
            (std::mem::take(&mut self.positive), std::mem::take(&mut self.negative));
        positive.clear();
        negative.clear();
        *self = Exponential { positive, negative, ..Exponential::default() };
    }

    /// Becomes like another. Its memory is used again.
    pub(crate) fn become_like(&mut self, other: &Exponential) {
        let &Exponential { scale, zero_count, sum, min, max, .. } = other;
        (self.scale, self.zero_count, self.sum, self.min, self.max) = (scale, zero_count, sum, min, max);
        self.positive.become_like(&other.positive);
        self.negative.become_like(&other.negative);
    }

    /// What was recorded since an earlier reading of the same series. Of what came since, minimum and maximum are not
    /// known, unless there was nothing before.
    #[must_use]
    pub fn since(&self, earlier: &Exponential) -> Exponential {
        if earlier.is_empty() {
            return self.clone();
        }
        let mut since = self.clone();
        let earlier = since.level(Cow::Borrowed(earlier));
        since.zero_count = since.zero_count.saturating_sub(earlier.zero_count);
        since.positive.subtract(&earlier.positive);
        since.negative.subtract(&earlier.negative);
        if since.is_empty() {
            return Exponential::default();
        }
        Exponential { sum: since.sum - earlier.sum, min: None, max: None, ..since }
    }

    /// Whether this can be what an earlier one has become, when only more was counted.
    pub(crate) fn follows(&self, before: &Exponential) -> bool {
        let mut now = self.clone();
        let before = now.level(Cow::Borrowed(before));
        let has_all = |now: &ExponentialBuckets, before: &ExponentialBuckets| {
            before.indexed().all(|(index, count)| now.at(index) >= count)
        };
        now.zero_count >= before.zero_count
            && has_all(&now.positive, &before.positive)
            && has_all(&now.negative, &before.negative)
    }

    /// An estimate of the value below or at which this part of all values is, `q` from 0 to 1: the middle of its
    /// bucket. It is off by no more than half a bucket, which is `2^(2^-scale / 2) - 1` of the value. `None` if there
    /// are no values, or no such part.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        // 0.07 * 100.0 is a little above 7, but the 7th of 100 values is meant.
        let rank = (q * count as f64 * (1.0 - f64::EPSILON)).ceil() as u64;
        let rank = rank.clamp(1, count);
        let estimate = self.ranked(rank);
        // The first and the last are known better than by their buckets, and nothing is beyond them.
        let (min, max) = (self.min.unwrap_or(estimate), self.max.unwrap_or(estimate));
        Some(match rank {
            1 => min,
            _ if rank == count => max,
            _ => estimate.max(min).min(max),
        })
    }

    /// The middle of the bucket that holds the value of this rank, counted from 1.
    fn ranked(&self, rank: u64) -> f64 {
        let negative = self.negative.indexed().rev().map(|(index, n)| (-middle(index, self.scale), n));
        let zero = std::iter::once((0.0, self.zero_count));
        let positive = self.positive.indexed().map(|(index, n)| (middle(index, self.scale), n));
        let mut up_to = 0;
        negative
            .chain(zero)
            .chain(positive)
            .find(|(_, n)| {
                up_to = n.wrapping_add(up_to);
                up_to >= rank
            })
            .map_or(0.0, |(middle, _)| middle)
    }

    /// What is wrong with one that somebody else made.
    pub(crate) fn fault(&self) -> Option<String> {
        if !(MIN_SCALE..=MAX_SCALE).contains(&self.scale) {
            return Some(format!(
                "has the scale {}, which is not from {MIN_SCALE} to {MAX_SCALE}",
                self.scale
            ));
        }
        if [&self.positive, &self.negative].iter().any(|buckets| i32::try_from(buckets.end()).is_err()) {
            return Some("has buckets whose indexes are above 2^31".to_owned());
        }
        let counts = self.positive.counts.iter().chain(&self.negative.counts).chain([&self.zero_count]);
        (!are_countable(counts)).then(|| "has more values than can be counted".to_owned())
    }

    /// Brings both to the lower scale of the two, the other one as a copy if it is not there already.
    fn level<'a>(&mut self, mut other: Cow<'a, Exponential>) -> Cow<'a, Exponential> {
        self.lower_to(other.scale);
        if other.scale > self.scale {
            other.to_mut().lower_to(self.scale);
        }
        other
    }
}

/// Whether a number can say how many values all of these together are.
pub(crate) fn are_countable<'a>(counts: impl IntoIterator<Item = &'a u64>) -> bool {
    counts.into_iter().try_fold(0u64, |sum, count| sum.checked_add(*count)).is_some()
}

impl ExponentialBuckets {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.wrapping_add(*count))
    }

    /// Each bucket's index and count, the lowest first.
    fn indexed(&self) -> impl DoubleEndedIterator<Item = (i64, u64)> + ExactSizeIterator {
        let offset = i64::from(self.offset);
        self.counts.iter().enumerate().map(move |(at, count)| (offset + at as i64, *count))
    }

    /// The count of the bucket with this index.
    fn at(&self, index: i64) -> u64 {
        let at = usize::try_from(index - self.low()).ok();
        at.and_then(|at| self.counts.get(at)).copied().unwrap_or(0)
    }

    fn low(&self) -> i64 {
        self.offset.into()
    }

    /// One after the last.
    fn end(&self) -> i64 {
        self.low() + self.counts.len() as i64
    }

    /// How many scales to go down until this and the other together have no more than `size` buckets.
    fn lower_to_hold(&self, other: &ExponentialBuckets, size: usize) -> u32 {
        match (self.counts.is_empty(), other.counts.is_empty()) {
            (true, true) => 0,
            (true, false) => lower_to_fit(other.low(), other.end() - 1, size),
            (false, true) => lower_to_fit(self.low(), self.end() - 1, size),
            (false, false) => {
                lower_to_fit(self.low().min(other.low()), self.end().max(other.end()) - 1, size)
            }
        }
    }

    fn lower(&mut self, by: u32) {
        if self.counts.is_empty() {
            return;
        }
        let (from, low) = (self.low(), self.low() >> by);
        // None goes to a place beyond its own.
        for at in 0..self.counts.len() {
            let count = std::mem::take(&mut self.counts[at]);
            self.add_at(((from + at as i64) >> by) - low, count);
        }
        self.counts.truncate((((self.end() - 1) >> by) - low + 1) as usize);
        self.offset = low as i32;
    }

    fn clear(&mut self) {
        self.offset = 0;
        self.counts.clear();
    }

    fn become_like(&mut self, other: &ExponentialBuckets) {
        self.offset = other.offset;
        self.counts.clone_from(&other.counts);
    }

    fn add(&mut self, other: &ExponentialBuckets) {
        if other.counts.is_empty() {
            return;
        }
        if self.counts.is_empty() {
            return self.become_like(other);
        }
        let low = self.low().min(other.low());
        let (below, all) = (self.low() - low, self.end().max(other.end()) - low);
        if all > self.counts.len() as i64 {
            self.counts.resize(all as usize, 0);
            self.counts.rotate_right(below as usize);
        }
        self.offset = low as i32;
        for (index, count) in other.indexed() {
            self.add_at(index - low, count);
        }
    }

    /// Adds to the bucket at this place. There may be more than can be counted, where somebody records one value many times.
    fn add_at(&mut self, place: i64, count: u64) {
        let there = &mut self.counts[place as usize];
        *there = there.wrapping_add(count);
    }

    /// Takes away what was there earlier. A bucket never counts down, so what is missing belongs to another series,
    /// and is taken as nothing.
    fn subtract(&mut self, earlier: &ExponentialBuckets) {
        let low = self.low();
        for (index, count) in earlier.indexed() {
            let now = usize::try_from(index - low).ok().and_then(|at| self.counts.get_mut(at));
            if let Some(now) = now {
                *now = now.saturating_sub(count);
            }
        }
        self.trim();
    }

    /// Leaves the empty buckets at both ends out.
    fn trim(&mut self) {
        let used = |count: &u64| *count != 0;
        let end = self.counts.iter().rposition(used).map_or(0, |last| last + 1);
        let start = self.counts.iter().position(used).unwrap_or(0);
        self.counts.truncate(end);
        self.counts.drain(..start.min(end));
        self.offset = if self.counts.is_empty() { 0 } else { self.offset + start as i32 };
    }
}
