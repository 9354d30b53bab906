//! Parts of series that outlive the series: with everything that is known of them.

use super::part::{Part, PartId};
use super::view::{BucketsView, PointView, SummaryView};
use crate::label::LabelSet;
use crate::store::exponential::Exponential;
use crate::store::past::Stage;

/// All that a part of a histogram counted since a moment, over the buckets that it has kept since then; see
/// [`Part::stages`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StageView<'a> {
    /// The moment, in nanoseconds since 1970.
    pub started_unix_nanos: u64,
    /// Tells stages apart that began at that moment. One with a higher number has what those with lower ones have, over fewer
    /// buckets, and what came late, of which nobody can say which of the others' buckets it belongs to: it comes before them.
    pub number: u32,
    /// The bounds of the buckets, and one more counts, if there are such.
    pub buckets: Option<(&'a [f64], &'a [u64])>,
    /// The sum of what is in them.
    pub sum: f64,
    /// Exponential buckets, if they are kept.
    pub exponential: Option<&'a Exponential>,
}

impl<'a> Part<'a> {
    /// What a part of a histogram counted since when. The first stage has everything since the part began; there are others
    /// where more buckets are kept since later, because somebody [wanted](crate::Store::want_bounds) them. Each has more
    /// buckets than the one before, and keeps its start and its number from reading to reading, but may lose buckets that nobody wants
    /// any more.
    ///
    /// ```
    /// use metercast_core::{Store, metrics};
    ///
    /// metrics! {
    ///     /// Time to wait.
    ///     static WAITS: Histogram<f64> = "waits" { unit: "s", buckets: [0.1, 1.0] };
    /// }
    ///
    /// let store = Store::new();
    /// store.scope(|| WAITS.record(0.5));
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| {
    ///             let part = series.parts().next().unwrap();
    ///             let stages: Vec<_> = part.stages().collect();
    ///             assert_eq!(stages.len(), 1);
    ///             assert_eq!(stages[0].buckets, Some((&[0.1, 1.0][..], &[0, 1, 0][..])));
    ///         });
    ///     }
    /// });
    /// ```
    pub fn stages(&self) -> impl Iterator<Item = StageView<'a>> {
        let one = self.stages.is_empty().then(|| {
            let started_unix_nanos = self.started_unix_nanos;
            let (buckets, sum, exponential) = match self.value {
                PointView::Histogram(buckets) => (Some(buckets.kept()), buckets.sum, None),
                PointView::Exponential(exponential) => (None, exponential.sum, Some(exponential)),
                _ => (None, 0.0, None),
            };
            StageView { started_unix_nanos, number: 0, buckets, sum, exponential }
        });
        one.into_iter().chain(self.stages.iter().map(|stage| StageView {
            started_unix_nanos: stage.started,
            number: stage.number,
            buckets: stage.has_bounds.then_some((&stage.bounds[..], &stage.counts[..])),
            sum: stage.sum,
            exponential: stage.is_exponential.then_some(&stage.exponential),
        }))
    }
}

/// A part of a series that is kept while others are added to it, such as those that a view makes one series of.
///
/// ```
/// use metercast_core::{Store, reading::{PartBuf, PointView}, u64_counter};
///
/// let store = Store::new();
/// store.scope(|| {
///     u64_counter!("orders.kept", "Orders placed", 3, "side" => String::from("buy"));
///     u64_counter!("orders.kept", "Orders placed", 4, "side" => String::from("sell"));
/// });
/// store.read(|reading| {
///     let mut parts: Vec<PartBuf> = Vec::new();
///     for family in reading.families() {
///         family.each(|series| parts.extend(series.parts().map(|part| PartBuf::of(&part))));
///     }
///     let values: Vec<_> = parts.iter().map(|part| part.part().value).collect();
///     assert_eq!(values, [PointView::U64(3), PointView::U64(4)]);
/// });
/// ```
#[derive(Clone, Debug)]
pub struct PartBuf {
    id: Id,
    started_unix_nanos: u64,
    value: Point,
    stages: Vec<Stage>,
}

#[derive(Clone, Debug)]
enum Id {
    Named(u32),
    Line(u32),
    Observed(LabelSet),
}

/// What is larger than a number stands elsewhere: most parts are numbers, and there may be very many.
#[derive(Clone, Debug)]
enum Point {
    U64(u64),
    I64(i64),
    F64(f64),
    Histogram(Box<Buckets>),
    Exponential(Box<Exponential>),
    Summary(Box<Summary>),
}

#[derive(Clone, Debug)]
struct Buckets {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    kept: (Vec<f64>, Vec<u64>),
}

#[derive(Clone, Debug)]
struct Summary {
    count: u64,
    sum: f64,
    quantiles: Vec<(f64, f64)>,
    asked: &'static [f64],
}

impl PartBuf {
    /// A copy of this part.
    pub fn of(part: &Part<'_>) -> PartBuf {
        let id = match part.id {
            PartId::Named(number) => Id::Named(number),
            PartId::Line(number) => Id::Line(number),
            PartId::Observed(labels) => Id::Observed(labels.clone()),
        };
        let value = match part.value {
            PointView::U64(value) => Point::U64(value),
            PointView::I64(value) => Point::I64(value),
            PointView::F64(value) => Point::F64(value),
            PointView::Histogram(buckets) => {
                let (bounds, counts) = buckets.kept();
                let kept = (bounds.to_vec(), counts.to_vec());
                let BucketsView { bounds, counts, sum, .. } = buckets;
                Point::Histogram(Box::new(Buckets { bounds, counts: counts.to_vec(), sum, kept }))
            }
            PointView::Exponential(exponential) => Point::Exponential(Box::new(exponential.clone())),
            PointView::Summary(SummaryView { count, sum, quantiles, asked }) => {
                Point::Summary(Box::new(Summary { count, sum, quantiles: quantiles.to_vec(), asked }))
            }
        };
        let started_unix_nanos = part.started_unix_nanos;
        PartBuf { id, started_unix_nanos, value, stages: part.stages.to_vec() }
    }

    /// The part.
    pub fn part(&self) -> Part<'_> {
        let id = match &self.id {
            Id::Named(number) => PartId::Named(*number),
            Id::Line(number) => PartId::Line(*number),
            Id::Observed(labels) => PartId::Observed(labels),
        };
        let value = match &self.value {
            Point::U64(value) => PointView::U64(*value),
            Point::I64(value) => PointView::I64(*value),
            Point::F64(value) => PointView::F64(*value),
            Point::Histogram(buckets) => {
                let Buckets { bounds, counts, sum, kept: (kept, all) } = &**buckets;
                PointView::Histogram(BucketsView::with_kept(bounds, counts, *sum, (kept, all)))
            }
            Point::Exponential(exponential) => PointView::Exponential(exponential),
            Point::Summary(summary) => {
                let Summary { count, sum, quantiles, asked } = &**summary;
                PointView::Summary(SummaryView::of(*count, *sum, quantiles, asked))
            }
        };
        Part { stages: &self.stages, ..Part::new(id, self.started_unix_nanos, value) }
    }
}
