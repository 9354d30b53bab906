//! What an exporter sees of a series during a reading: borrowed, so that a series costs no allocation.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::label::{LabelSet, Packed, PackedText, PackedValue, Shape, Value};
use crate::store::exemplars::Exemplar;
use crate::store::exponential::Exponential;
use crate::store::layout::Explicit;

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
}

impl SeriesView<'_> {
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
}

impl<'a> SummaryView<'a> {
    pub(crate) fn new(count: u64, sum: f64, quantiles: &'a [(f64, f64)]) -> SummaryView<'a> {
        SummaryView { count, sum, quantiles }
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
    kept: (&'static [f64], &'a [u64]),
}

impl<'a> BucketsView<'a> {
    /// `shown` are counts for `explicit.shown`, `kept` those for all its bounds.
    pub(crate) fn new(
        explicit: &'static Explicit,
        shown: &'a [u64],
        kept: &'a [u64],
        sum: f64,
    ) -> BucketsView<'a> {
        BucketsView { bounds: &explicit.shown, counts: shown, sum, kept: (&explicit.bounds, kept) }
    }

    /// The counts for other bounds, exactly; `None` if the buckets that are kept do not have all of them. Others can be had
    /// with [`Store::want_bounds`](crate::Store::want_bounds).
    pub fn at(&self, bounds: &[f64]) -> Option<Vec<u64>> {
        let mut counts = Vec::new();
        summed_down(self.kept.0, self.kept.1, bounds, &mut counts).then_some(counts)
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

/// The labels of a series during a reading.
#[derive(Clone, Copy)]
pub struct LabelsView<'a>(Labels<'a>);

#[derive(Clone, Copy)]
enum Labels<'a> {
    Set(&'a LabelSet),
    Packed { packed: &'a Packed, shape: u32, keys: &'static [&'static str], is_plain: bool },
}

/// The value of a label during a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValueView<'a> {
    /// Text.
    Text(&'a str),
    /// Text of at most 32 bytes, in words.
    Packed(PackedText<'a>),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A whole number, beyond what `I64` holds.
    U64(u64),
    /// A double.
    F64(f64),
    /// The label is not there: it is left out, not empty.
    Absent,
}

impl<'a> LabelsView<'a> {
    pub(crate) fn of(labels: &'a LabelSet) -> LabelsView<'a> {
        LabelsView(Labels::Set(labels))
    }

    pub(crate) fn packed(packed: &'a Packed, is_plain: bool) -> LabelsView<'a> {
        let shape = packed.shape();
        let keys = Shape::get(shape).map_or(&[][..], |shape| shape.keys);
        LabelsView(Labels::Packed { packed, shape, keys, is_plain })
    }

    /// A number that all series have in common whose keys, of [`keys`](Self::keys), are the same in the same order, and
    /// which no other metric's series have: what is prepared for the keys can be kept under it. `None` if there is none.
    #[inline]
    pub fn shape(&self) -> Option<u32> {
        match self.0 {
            Labels::Packed { shape, .. } => Some(shape),
            Labels::Set(_) => None,
        }
    }

    /// The keys, in the order in which the program gives them (sorted if that is not known). Those of values that are
    /// absent are among them.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        let (packed, set) = match self.0 {
            Labels::Packed { keys, .. } => (keys, None),
            Labels::Set(labels) => (&[][..], Some(labels)),
        };
        packed.iter().copied().chain(set.into_iter().flat_map(LabelSet::iter).map(|(key, _)| key))
    }

    /// The values, in the order of the keys.
    #[inline]
    pub fn values(&self) -> impl Iterator<Item = ValueView<'a>> {
        match self.0 {
            Labels::Packed { packed, keys, .. } => {
                Either::Packed(packed.values(keys.len()).map(ValueView::from))
            }
            Labels::Set(labels) => Either::Set(labels.iter().map(|(_, value)| ValueView::from(value))),
        }
    }

    /// Whether all texts are free of quotation marks, backslashes and line breaks.
    #[inline]
    pub fn is_plain(&self) -> bool {
        match self.0 {
            Labels::Packed { is_plain, .. } => is_plain,
            Labels::Set(labels) => labels.is_plain(),
        }
    }

    /// The labels, to keep.
    pub fn to_set(&self) -> LabelSet {
        match self.0 {
            Labels::Set(labels) => labels.clone(),
            Labels::Packed { packed, keys, .. } => LabelSet::from_packed(packed, keys),
        }
    }
}

/// Values from one or the other. Not a chain, which a loop would ask twice for each value.
enum Either<P, S> {
    Packed(P),
    Set(S),
}

impl<T, P: Iterator<Item = T>, S: Iterator<Item = T>> Iterator for Either<P, S> {
    type Item = T;

    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        match self {
            Either::Packed(values) => values.next(),
            Either::Set(values) => values.next(),
        }
    }
}

impl fmt::Debug for LabelsView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.keys().zip(self.values())).finish()
    }
}

impl<'a> From<PackedValue<'a>> for ValueView<'a> {
    #[inline]
    fn from(value: PackedValue<'a>) -> Self {
        match value {
            PackedValue::Text(text) => ValueView::Packed(text),
            PackedValue::I64(value) => ValueView::I64(value),
            PackedValue::U64(value) => ValueView::U64(value),
            PackedValue::F64(value) => ValueView::F64(value),
            PackedValue::Bool(value) => ValueView::Bool(value),
            PackedValue::Absent => ValueView::Absent,
        }
    }
}

impl<'a> From<&'a Value> for ValueView<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => ValueView::Text(text),
            Value::I64(value) => ValueView::I64(*value),
            Value::U64(value) => ValueView::U64(*value),
            Value::F64(value) => ValueView::F64(*value),
            Value::Bool(value) => ValueView::Bool(*value),
        }
    }
}
