//! One pass over a store: every metric, every series, every value, in nobody's format.

mod columns;
mod kept;
mod labels;
mod part;
mod pass;
mod share;
mod stage;
mod view;

use std::sync::Arc;
use std::time::SystemTime;

pub use kept::{PartBuf, StageView};
pub use labels::{LabelsView, PackedText, PackedValues, SetValues, ValueView, Values};
pub use part::{Part, PartId};
pub use pass::{FamilyView, Reading};
pub use view::{BucketsView, PointView, SeriesView, SummaryView};

use crate::definition::Definition;
use crate::label::LabelSet;
pub use crate::store::exponential::{Exponential, ExponentialBuckets};
use crate::store::{Store, layout};

/// A metric and its series.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Family {
    /// What the metric is.
    pub definition: Arc<Definition>,
    /// Its series, sorted by their labels; at least one.
    pub series: Vec<Series>,
}

/// One series of a metric.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Series {
    /// What tells it from the others; no two series of a family have equal labels.
    pub labels: Arc<LabelSet>,
    /// When it began to count.
    pub started: SystemTime,
    /// Its value.
    pub point: Point,
}

/// The value of a series: for counters, up-down counters and histograms everything since the start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Point {
    /// A whole number that is never negative.
    U64(u64),
    /// A whole number.
    I64(i64),
    /// A double.
    F64(f64),
    /// A distribution.
    Histogram(Buckets),
    /// A distribution over buckets that follow the values.
    Exponential(Exponential),
    /// Quantiles.
    Summary(Summary),
}

/// Quantiles of the values that came of late.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// How many values there were since the start.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Each quantile, from 0 to 1, with its value among those that came within the window; empty if none came.
    pub quantiles: Vec<(f64, f64)>,
}

/// A distribution over buckets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buckets {
    /// The upper bounds, finite and increasing. A value on a bound belongs to the bucket below.
    pub bounds: &'static [f64],
    /// How many values fell into each bucket; one more than bounds, since the last bucket has none.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: f64,
}

impl Buckets {
    /// How many values there were: what the buckets add up to.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.wrapping_add(*count))
    }
}

/// The one copy of these bounds that the program has, for [`BucketsView::of`]; or what is wrong with them: there are at most
/// 510, finite and increasing. Each that is asked for stays for as long as the program, so ask for those of a
/// configuration, not of a measurement.
///
/// ```
/// use metercast_core::reading::interned_bounds;
///
/// assert!(std::ptr::eq(interned_bounds(&[1.0, 2.0]).unwrap(), interned_bounds(&[1.0, 2.0]).unwrap()));
/// assert!(interned_bounds(&[2.0, 1.0]).unwrap_err().contains("do not increase"));
/// ```
pub fn interned_bounds(bounds: &[f64]) -> Result<&'static [f64], String> {
    layout::interned_bounds(bounds)
}

impl Store {
    /// Reads everything that was recorded, families sorted by name. Recording goes on meanwhile and is never
    /// waited for: each series is exact for some moment during the reading, and no counter is ever less than in an
    /// earlier reading.
    pub fn collect(&self) -> Vec<Family> {
        self.read(|reading| {
            let families = reading.families().filter_map(|family| {
                let mut series = Vec::new();
                family.each(|view| series.push(Series::from(view)));
                series.sort_by(|a: &Series, b| a.labels.cmp(&b.labels));
                (!series.is_empty()).then(|| Family { definition: Arc::clone(family.definition()), series })
            });
            families.collect()
        })
    }
}

impl From<&SeriesView<'_>> for Series {
    fn from(view: &SeriesView<'_>) -> Series {
        let point = match view.value {
            PointView::U64(value) => Point::U64(value),
            PointView::I64(value) => Point::I64(value),
            PointView::F64(value) => Point::F64(value),
            PointView::Histogram(BucketsView { bounds, counts, sum, .. }) => {
                Point::Histogram(Buckets { bounds, counts: counts.to_vec(), sum })
            }
            PointView::Exponential(exponential) => Point::Exponential(exponential.clone()),
            PointView::Summary(SummaryView { count, sum, quantiles, .. }) => {
                Point::Summary(Summary { count, sum, quantiles: quantiles.to_vec() })
            }
        };
        Series { labels: Arc::new(view.labels.to_set()), started: view.started(), point }
    }
}
