//! The classic buckets of a histogram that has exponential ones, for formats that know no others.
//!
//! Classic buckets whose bounds come and go would be series that come and go, and those of two series could not be added
//! up. So all series of a metric have the same bounds: powers of two (or of four, sixteen, ... if the values are far
//! apart), which are bounds of exponential buckets however fine these are; so every count is exact. Values below zero have
//! no bounds of their own: they are counted with the zeros.

use metercast_core::reading::{Exponential, PointView};

use crate::view::StreamView;

/// The most bounds of the buckets above zero.
const MOST: i64 = 40;

/// The bounds that all series of a metric have.
#[derive(Debug, Default)]
pub(super) struct Classic {
    /// How many powers of two are between two bounds: `2^-scale`. Not above 0.
    scale: i32,
    /// The bucket at this scale that has the lowest values above zero, if there were any.
    low: Option<i64>,
    /// How many bounds are below that bucket.
    below: usize,
    bounds: Vec<f64>,
    /// The counts of one series, and one more for what is above all bounds.
    counts: Vec<u64>,
}

impl Classic {
    /// The bounds that fit all series of a metric.
    pub(super) fn of(stream: &StreamView<'_>) -> Classic {
        let mut range: Option<Range> = None;
        let mut has_zero = false;
        stream.each(|series| {
            let PointView::Exponential(exponential) = series.value else { return };
            has_zero |= exponential.zero_count > 0 || !exponential.negative.counts.is_empty();
            if let Some(other) = Range::of(exponential) {
                range = Some(range.take().map_or(other, |range| range.with(other)));
            }
        });
        Classic::between(range.map(Range::few), has_zero)
    }

    fn between(range: Option<Range>, has_zero: bool) -> Classic {
        let mut bounds = Vec::new();
        if has_zero {
            bounds.push(0.0);
        }
        let Some(Range { scale, low, high }) = range else {
            return Classic { below: bounds.len(), bounds, ..Classic::default() };
        };
        // The lower bound of the lowest bucket too, so that a reader knows where the values begin.
        bounds.extend(Some(bound(low, scale)).filter(|bound| *bound > 0.0));
        let below = bounds.len();
        bounds.extend((low..=high).map(|index| bound(index + 1, scale)).filter(|bound| bound.is_finite()));
        Classic { scale, low: Some(low), below, bounds, counts: Vec::new() }
    }

    /// The bounds, and how many values of a series fell into each bucket.
    pub(super) fn count(&mut self, exponential: &Exponential) -> (&[f64], &[u64]) {
        self.counts.clear();
        self.counts.resize(self.bounds.len() + 1, 0);
        self.counts[0] = exponential.zero_count.wrapping_add(exponential.negative.count());
        for (at, count) in (0..).zip(&exponential.positive.counts) {
            let index = i64::from(exponential.positive.offset) + at;
            // What was recorded since the bounds were chosen may lie beyond them.
            let index = match exponential.scale - self.scale {
                finer @ 0.. => index >> finer,
                coarser => ((index + 1) << -coarser) - 1,
            };
            let last = self.bounds.len();
            let bucket = self.low.map_or(last, |low| {
                let lowest = self.below.saturating_sub(1);
                usize::try_from(self.below as i64 + index - low)
                    .map_or(lowest, |bucket| bucket.clamp(lowest, last))
            });
            self.counts[bucket] = self.counts[bucket].wrapping_add(*count);
        }
        (&self.bounds, &self.counts)
    }
}

/// Buckets of a scale, from the lowest that is not empty to the highest.
#[derive(Clone, Copy, Debug)]
struct Range {
    scale: i32,
    low: i64,
    high: i64,
}

impl Range {
    fn of(exponential: &Exponential) -> Option<Range> {
        let (low, length) =
            (i64::from(exponential.positive.offset), exponential.positive.counts.len() as i64);
        let range = Range { scale: exponential.scale, low, high: low + length - 1 };
        (length > 0).then(|| range.lowered(exponential.scale.max(0)))
    }

    fn lowered(self, by: i32) -> Range {
        Range { scale: self.scale - by, low: self.low >> by, high: self.high >> by }
    }

    /// Both.
    fn with(self, other: Range) -> Range {
        let scale = self.scale.min(other.scale);
        let [one, other] = [self, other].map(|range| range.lowered(range.scale - scale));
        Range { scale, low: one.low.min(other.low), high: one.high.max(other.high) }
    }

    /// The same, at a scale at which it is not too many.
    fn few(mut self) -> Range {
        while self.high - self.low >= MOST {
            self = self.lowered(1);
        }
        self
    }
}

/// The lower bound of a bucket, at a scale that is not above 0.
fn bound(index: i64, scale: i32) -> f64 {
    ((index << -scale) as f64).exp2()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use metercast_core::{Store, metrics};

    use super::*;
    use crate::view::Plan;

    metrics! {
        /// Anything.
        static ANY: Histogram<f64> = "classic.any" { exponential: true, labels: { series: i64 } };
    }

    /// The bounds for the values of some series, and the counts of each.
    fn classic(series: &[&[f64]]) -> (Vec<f64>, Vec<Vec<u64>>) {
        let store = Store::new();
        store.scope(|| {
            for (number, values) in series.iter().enumerate() {
                values.iter().for_each(|value| ANY.record(*value, (number as i64,)));
            }
        });
        store.read(|reading| {
            let mut plan = Plan::new(Arc::default(), "test");
            let stream = plan.streams(reading).into_iter().find(|view| view.stream().name() == "classic.any");
            let stream = stream.unwrap();
            let (mut classic, mut counts) = (Classic::of(&stream), Vec::new());
            stream.each(|series| {
                let PointView::Exponential(exponential) = series.value else { panic!("{series:?}") };
                counts.push(classic.count(exponential).1.to_vec());
            });
            (classic.bounds, counts)
        })
    }

    #[test]
    fn bounds_are_powers_of_two_around_the_values() {
        let (bounds, counts) = classic(&[&[3.0, 4.0, 4.5, 9.0]]);
        assert_eq!(bounds, [2.0, 4.0, 8.0, 16.0]);
        assert_eq!(counts, [[0, 2, 1, 1, 0]]);
    }

    #[test]
    fn all_series_have_the_same_bounds() {
        let (bounds, counts) = classic(&[&[1.5], &[0.0, 6.0]]);
        assert_eq!(bounds, [0.0, 1.0, 2.0, 4.0, 8.0]);
        assert_eq!(counts, [[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0]]);
    }

    #[test]
    fn what_is_below_zero_is_counted_with_the_zeros() {
        assert_eq!(classic(&[&[-2.0, 0.0]]), (vec![0.0], vec![vec![2, 0]]));
    }

    #[test]
    fn values_far_apart_have_few_bounds_and_exact_counts() {
        let values = [5e-324, 1e-300, 1e-9, 0.3, 1.0, 7e8, 1e300, f64::MAX];
        let (bounds, counts) = classic(&[&values]);
        assert!((10..=42).contains(&bounds.len()), "{bounds:?}");
        assert!(bounds.is_sorted_by(|a, b| a < b) && bounds.iter().all(|bound| bound.is_finite()));
        let mut below = 0;
        for (bound, count) in bounds.iter().zip(&counts[0]) {
            below += count;
            assert_eq!(below, values.iter().filter(|value| *value <= bound).count() as u64, "{bound}");
        }
        assert_eq!(counts[0].iter().sum::<u64>(), values.len() as u64);
    }
}
