//! What an exporter sees of a series during a reading: borrowed, so that a series costs no allocation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::labels::LabelsView;
use super::part::{Origin, Part};
use crate::label::LabelSet;
use crate::number::NumberType;
use crate::store::exemplars::Exemplar;
use crate::store::exponential::Exponential;

/// One series during a reading.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SeriesView<'a> {
    /// What tells it from the others; no two series of a family have equal labels.
    pub labels: LabelsView<'a>,
    /// When it began to count, in nanoseconds since 1970.
    pub started_unix_nanos: u64,
    /// Its value.
    pub value: PointView<'a>,
    /// Measurements that were made in sampled spans, of lower buckets first; see
    /// [`Store::take_exemplars`](crate::Store::take_exemplars).
    pub exemplars: &'a [Exemplar],
    /// Of a gauge a number that grows with each reading: that of the one since which it was set last, so that of several
    /// gauges the one with the highest is the newest. What callbacks say was set now. 0 for all others.
    pub changed: u64,
    /// What it is put together of.
    pub(crate) origin: Origin<'a>,
}

impl<'a> SeriesView<'a> {
    /// A series that is made of others, such as those that differ only in a label that is left out. `parts` are what the value
    /// is the sum of: those of the others. It has not [`changed`](Self::changed), unless you say so.
    ///
    /// ```
    /// use metercast_core::{LabelSet, Store, reading::{PointView, SeriesView}, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     u64_counter!("orders.together", "Orders placed", 3, "side" => String::from("buy"));
    ///     u64_counter!("orders.together", "Orders placed", 4, "side" => String::from("sell"));
    /// });
    /// store.read(|reading| {
    ///     let family = reading.families().next().unwrap();
    ///     let (mut total, mut started, mut parts) = (0, u64::MAX, Vec::new());
    ///     family.each(|series| {
    ///         let PointView::U64(value) = series.value else { panic!() };
    ///         (total, started) = (total + value, started.min(series.started_unix_nanos));
    ///         // Parts are borrowed from a series: keep what you need of them.
    ///         parts.extend(series.parts().map(|part| (part.started_unix_nanos, part.value == series.value)));
    ///     });
    ///     let labels = LabelSet::default();
    ///     let all = SeriesView::put_together(&labels, started, PointView::U64(total), &[], &[]);
    ///     assert_eq!((all.value, parts.len()), (PointView::U64(7), 2));
    /// });
    /// ```
    pub fn put_together(
        labels: &'a LabelSet,
        started_unix_nanos: u64,
        value: PointView<'a>,
        exemplars: &'a [Exemplar],
        parts: &'a [Part<'a>],
    ) -> SeriesView<'a> {
        let (labels, origin) = (LabelsView::of(labels), Origin::Several(parts));
        SeriesView { labels, started_unix_nanos, value, exemplars, changed: 0, origin }
    }

    /// When it began to count.
    pub fn started(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.started_unix_nanos)
    }
}

/// The value of a series during a reading: for counters, up-down counters and histograms everything since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PointView<'a> {
    /// A whole number that is never negative.
    U64(u64),
    /// A whole number.
    I64(i64),
    /// A double.
    F64(f64),
    /// A distribution.
    Histogram(BucketsView<'a>),
    /// A distribution over buckets that follow the values.
    Exponential(&'a Exponential),
    /// Quantiles.
    Summary(SummaryView<'a>),
}

impl PointView<'_> {
    #[inline]
    pub(crate) fn of_bits(number: NumberType, bits: u64) -> PointView<'static> {
        match number {
            NumberType::U64 => PointView::U64(bits),
            NumberType::I64 => PointView::I64(bits as i64),
            NumberType::F64 => PointView::F64(f64::from_bits(bits)),
        }
    }
}

/// Quantiles of the values that came of late.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SummaryView<'a> {
    /// How many values there were since the start.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Each quantile, from 0 to 1, with its value among those that came within the window; empty if none came.
    pub quantiles: &'a [(f64, f64)],
    /// The quantiles that are asked for, also if there are none.
    pub asked: &'static [f64],
}

impl<'a> SummaryView<'a> {
    /// Quantiles that were put together, for [`SeriesView::put_together`].
    pub fn of(count: u64, sum: f64, quantiles: &'a [(f64, f64)], asked: &'static [f64]) -> SummaryView<'a> {
        SummaryView { count, sum, quantiles, asked }
    }
}

/// A distribution over buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BucketsView<'a> {
    /// The upper bounds, finite and increasing. A value on a bound belongs to the bucket below. The same slice (not only
    /// equal) for all series with these bounds.
    pub bounds: &'static [f64],
    /// How many values fell into each bucket; one more than bounds, since the last bucket has none.
    pub counts: &'a [u64],
    /// The sum of all values.
    pub sum: f64,
    /// All buckets that are kept, which may be more than are shown.
    kept: (&'a [f64], &'a [u64]),
}

impl<'a> BucketsView<'a> {
    /// Counts for the bounds that are shown, and all that are kept.
    pub(crate) fn new(
        bounds: &'static [f64],
        counts: &'a [u64],
        kept: (&'a [f64], &'a [u64]),
        sum: f64,
    ) -> BucketsView<'a> {
        BucketsView { bounds, counts, sum, kept }
    }

    /// Counts over [`interned_bounds`](super::interned_bounds), one more than there are bounds, of which no others are kept.
    ///
    /// ```
    /// use metercast_core::reading::{BucketsView, interned_bounds};
    ///
    /// let buckets = BucketsView::of(interned_bounds(&[1.0, 2.0]).unwrap(), &[4, 2, 1], 9.5);
    /// assert_eq!((buckets.count(), buckets.sum), (7, 9.5));
    /// assert_eq!(buckets.kept(), (&[1.0, 2.0][..], &[4, 2, 1][..]));
    /// ```
    pub fn of(bounds: &'static [f64], counts: &'a [u64], sum: f64) -> BucketsView<'a> {
        debug_assert_eq!(counts.len(), bounds.len() + 1, "the last bucket has no bound");
        BucketsView { bounds, counts, sum, kept: (bounds, counts) }
    }

    /// Counts of which more are kept.
    pub(super) fn with_kept(
        bounds: &'static [f64],
        counts: &'a [u64],
        sum: f64,
        kept: (&'a [f64], &'a [u64]),
    ) -> BucketsView<'a> {
        BucketsView { bounds, counts, sum, kept }
    }

    /// All buckets that are kept: their bounds, of which there may be more than are shown, and one more counts.
    pub fn kept(&self) -> (&'a [f64], &'a [u64]) {
        self.kept
    }

    /// The counts for other bounds, exactly: false if the buckets that are kept do not have all of them, and then `out` is
    /// anything. See [`SeriesView::at`] for bounds that are kept since later.
    ///
    /// ```
    /// use metercast_core::reading::{BucketsView, interned_bounds};
    ///
    /// let buckets = BucketsView::of(interned_bounds(&[1.0, 2.0, 5.0]).unwrap(), &[4, 2, 1, 3], 40.0);
    /// let mut counts = Vec::new();
    /// assert!(buckets.counts_at(&[2.0], &mut counts));
    /// assert_eq!(counts, [6, 4]);
    /// assert!(!buckets.counts_at(&[3.0], &mut counts));
    /// ```
    pub fn counts_at(&self, bounds: &[f64], out: &mut Vec<u64>) -> bool {
        summed_down(self.kept.0, self.kept.1, bounds, out)
    }

    /// How many values there were: what the buckets add up to.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.wrapping_add(*count))
    }
}

/// Adds counts up to those of buckets with fewer bounds; false if one of these is not among `from`.
pub(super) fn summed_down(from: &[f64], counts: &[u64], to: &[f64], out: &mut Vec<u64>) -> bool {
    out.clear();
    out.resize(to.len() + 1, 0);
    let mut at = 0;
    for (bound, count) in from.iter().map(Some).chain([None]).zip(counts) {
        out[at] = out[at].wrapping_add(*count);
        if bound.is_some() && bound == to.get(at) {
            at += 1;
        }
    }
    at == to.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, u64_gauge};

    #[test]
    fn of_several_gauges_the_one_that_was_set_last_has_the_highest_number() {
        let store = Store::new();
        let seen = || {
            let mut seen = Vec::new();
            store.read(|reading| {
                let family = reading.families().find(|family| family.definition().name() == "view.changed");
                family.unwrap().each(|series| {
                    let PointView::U64(value) = series.value else { panic!("{series:?}") };
                    seen.push((series.changed, value));
                });
            });
            seen.sort_by_key(|(changed, _)| *changed);
            seen.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };
        let set = |side: &str, value| {
            store.scope(|| u64_gauge!("view.changed", "", value, "side" => side.to_owned()));
        };
        let set_literal = |value| store.scope(|| u64_gauge!("view.changed", "", value, "side" => "c"));
        set("a", 1);
        seen();
        set("b", 2);
        seen();
        set_literal(3);
        assert_eq!(seen(), [1, 2, 3]);
        // To the value that it has.
        set("a", 1);
        assert_eq!(seen(), [2, 3, 1]);
    }

    #[test]
    fn a_series_that_is_put_together_is_one_like_others() {
        let (labels, bounds) = (LabelSet::default(), crate::reading::interned_bounds(&[1.0, 2.0]).unwrap());
        let value = PointView::Histogram(BucketsView::of(bounds, &[1, 2, 3], 9.0));
        let series = SeriesView::put_together(&labels, 7, value, &[], &[]);
        assert_eq!((series.started_unix_nanos, series.changed, series.parts().count()), (7, 0, 0));
        let mut counts = Vec::new();
        let two = crate::reading::interned_bounds(&[2.0]).unwrap();
        let at_two = series.at(two, &mut counts).unwrap();
        assert_eq!(at_two.value, PointView::Histogram(BucketsView::of(two, &[3, 3], 9.0)));
        assert!(series.exponential().is_none());
        assert!(series.at(crate::reading::interned_bounds(&[3.0]).unwrap(), &mut counts).is_none());
    }
}
