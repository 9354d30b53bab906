//! What a histogram kept since when: readers that ask for other buckets see it from the moment on from which it has these.

use super::part::Origin;
use super::view::{BucketsView, PointView, SeriesView, summed_down};
use crate::store::past::Stage;

impl<'a> SeriesView<'a> {
    /// The series as one sees it who asks for these [`interned_bounds`](super::interned_bounds): exactly all that was recorded
    /// since they are kept, and the moment since which that is so as its start. Who
    /// [wants](crate::Store::want_bounds) them in time has all from the start. `counts` takes the counts. `None` if they
    /// are not kept, or it is no histogram.
    ///
    /// The series keeps its parts, and what these counted in all [stages](super::Part::stages).
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::{PointView, interned_bounds}};
    ///
    /// metrics! {
    ///     /// Time to answer.
    ///     static ANSWERS: Histogram<f64> = "answers.at" { unit: "s", buckets: [0.1, 1.0] };
    /// }
    ///
    /// let store = Store::new();
    /// let _wanted = store.want_bounds("answers.at", &[0.5]);
    /// store.scope(|| ANSWERS.record(0.3));
    /// let (half, mut counts) = (interned_bounds(&[0.5]).unwrap(), Vec::new());
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| {
    ///             let PointView::Histogram(buckets) = series.at(half, &mut counts).unwrap().value else { panic!() };
    ///             assert_eq!((buckets.bounds, buckets.counts), (&[0.5][..], &[1, 0][..]));
    ///         });
    ///     }
    /// });
    /// ```
    pub fn at<'c>(&'c self, bounds: &'static [f64], counts: &'c mut Vec<u64>) -> Option<SeriesView<'c>> {
        let (started_unix_nanos, sum) = match (self.origin, self.value) {
            (Origin::Stages(_, stages), _) => {
                let has_all = |stage: &&Stage| {
                    stage.has_bounds && summed_down(&stage.bounds, &stage.counts, bounds, counts)
                };
                let stage = stages.iter().find(has_all)?;
                (stage.started, stage.sum)
            }
            (_, PointView::Histogram(buckets)) if buckets.counts_at(bounds, counts) => {
                (self.started_unix_nanos, buckets.sum)
            }
            _ => return None,
        };
        let value = PointView::Histogram(BucketsView::of(bounds, counts, sum));
        Some(SeriesView { started_unix_nanos, value, ..*self })
    }

    /// The series over exponential buckets: all that was recorded since these are kept, as for [`at`](Self::at). See
    /// [`Store::want_exponential`](crate::Store::want_exponential). `None` if none are kept, or it is no histogram.
    pub fn exponential(&self) -> Option<SeriesView<'_>> {
        match (self.origin, self.value) {
            (Origin::Stages(_, stages), _) => {
                let stage = stages.iter().find(|stage| stage.is_exponential)?;
                let value = PointView::Exponential(&stage.exponential);
                Some(SeriesView { started_unix_nanos: stage.started, value, ..*self })
            }
            (_, PointView::Exponential(_)) => Some(*self),
            _ => None,
        }
    }
}
