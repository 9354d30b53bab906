//! What the encodings of OTLP have in common: points, and how they nest.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use metercast_core::reading::{BucketsView, Exponential, PointView, SeriesView, SummaryView};
use metercast_core::{Exemplar, Kind, Scope, Value};

use crate::view::Stream;

/// What a metric's points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Numbers.
    Gauge,
    /// Numbers that may be added up.
    Sum {
        /// Whether they never shrink.
        monotonic: bool,
    },
    /// Distributions over buckets.
    Histogram,
    /// Distributions over exponential buckets.
    Exponential,
    /// Quantiles.
    Summary,
}

/// `AggregationTemporality`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporality {
    Delta = 1,
    Cumulative = 2,
}

/// A data point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    /// Whose labels and exemplars it has. Its value may be another.
    pub(super) series: &'a SeriesView<'a>,
    pub(super) value: Number<'a>,
    /// When the value begins, in nanoseconds since 1970.
    pub(super) start: u64,
    /// When it was read.
    pub(super) time: u64,
    /// The time from which on exemplars of the series belong to this point.
    pub(super) exemplars_from: u64,
}

/// The value of a point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number<'a> {
    Int(i64),
    Double(f64),
    Histogram(Histogram<'a>),
    Exponential(&'a Exponential),
    Summary(SummaryView<'a>),
}

/// A value that is a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    Int(i64),
    Double(f64),
}

/// A distribution over buckets with bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Histogram<'a> {
    pub(super) bounds: &'static [f64],
    pub(super) counts: &'a [u64],
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
}

/// Writes requests: resource, scopes, metrics and points, opened and closed from the outside in.
pub(super) trait Format: fmt::Debug + Default {
    /// What is prepared of the resource, to be written into each request.
    type Resource: fmt::Debug;
    /// What is prepared of a scope.
    type Scope: fmt::Debug;
    /// What is prepared of a metric and the labels of its series.
    type Metric: fmt::Debug;

    fn resource(attributes: &[(String, Value)]) -> Self::Resource;
    fn scope(scope: Scope) -> Self::Scope;
    fn metric(stream: &Stream) -> Self::Metric;

    /// Writes behind what `out` has, from now on.
    fn write_behind(&mut self, out: Vec<u8>);
    /// What was written, and what was there before.
    fn take(&mut self) -> Vec<u8>;
    /// How long that is.
    fn position(&self) -> usize;
    /// Takes back what was written since `position`, when so many of request, scope and metric were open.
    fn back_to(&mut self, position: usize, open: usize);

    fn open_request(&mut self, resource: &Self::Resource);
    fn close_request(&mut self, resource: &mut Self::Resource);
    fn open_scope(&mut self, scope: &Self::Scope);
    fn close_scope(&mut self, scope: &mut Self::Scope);
    fn open_metric(&mut self, metric: &mut Self::Metric, data: Data, temporality: Temporality);
    fn close_metric(&mut self, metric: &mut Self::Metric);
    /// How long all will be if everything that is open is closed now.
    fn length_if_closed(&self) -> usize;

    /// Writes a point into the metric that is open; false if it is none that the metric can have. `data` is what the
    /// metric was opened for.
    fn point(&mut self, metric: &mut Self::Metric, data: Data, point: &Point<'_>) -> bool;
    /// The same in a hurry, for most of the series whose points are numbers: writes at most [`AT_ONCE`] bytes, or gives up.
    #[inline(always)]
    fn number_at_once(&mut self, _: &mut Self::Metric, _: &SeriesView<'_>, _: [u64; 2], _: Scalar) -> bool {
        false
    }
}

/// The most bytes of a point that is written in a hurry.
pub(super) const AT_ONCE: usize = 1 << 10;

impl Data {
    /// What this value of a metric of this kind belongs to.
    pub(super) fn of(kind: Kind, value: &Number<'_>) -> Data {
        match value {
            Number::Int(_) | Number::Double(_) => match kind {
                Kind::Counter => Data::Sum { monotonic: true },
                Kind::UpDownCounter => Data::Sum { monotonic: false },
                // Also what a kind that this exporter does not know yet is safe to be: no sums are made of it.
                _ => Data::Gauge,
            },
            Number::Histogram(_) => Data::Histogram,
            Number::Exponential(_) => Data::Exponential,
            Number::Summary(_) => Data::Summary,
        }
    }

    /// Whether it has a temporality.
    pub(super) fn is_temporal(self) -> bool {
        !matches!(self, Data::Gauge | Data::Summary)
    }
}

impl<'a> Number<'a> {
    /// Everything since the start; `None` if this exporter does not know such a value yet.
    pub(super) fn of(value: &PointView<'a>) -> Option<Number<'a>> {
        Some(match *value {
            PointView::U64(value) => Number::of_u64(value),
            PointView::I64(value) => Number::Int(value),
            PointView::F64(value) => Number::Double(value),
            PointView::Histogram(buckets) => Number::Histogram(Histogram::of(buckets)),
            PointView::Exponential(value) => Number::Exponential(value),
            PointView::Summary(value) => Number::Summary(value),
            _ => return None,
        })
    }

    /// OTLP has no unsigned number. A double is less exact up there, but neither 0 nor negative.
    fn of_u64(value: u64) -> Number<'static> {
        i64::try_from(value).map_or(Number::Double(value as f64), Number::Int)
    }
}

impl Scalar {
    /// Most values that are numbers.
    #[inline(always)]
    pub(super) fn of(value: &PointView<'_>) -> Option<Scalar> {
        match *value {
            PointView::U64(value) => Some(Scalar::Int(i64::try_from(value).ok()?)),
            PointView::I64(value) => Some(Scalar::Int(value)),
            PointView::F64(value) => Some(Scalar::Double(value)),
            _ => None,
        }
    }
}

impl<'a> Histogram<'a> {
    #[inline]
    fn of(buckets: BucketsView<'a>) -> Histogram<'a> {
        let BucketsView { bounds, counts, sum, .. } = buckets;
        let sum = (sum >= 0.0 && may_have_sum(bounds)).then_some(sum);
        Histogram { bounds, counts, count: buckets.count(), sum }
    }
}

/// OTLP, `HistogramDataPoint.sum`: "negative events can be recorded, but sum should not be filled out when doing so",
/// since receivers take it for a counter. Which values were negative is not known, but a bound below zero is there
/// to count such, and only such make the sum shrink.
pub(super) fn may_have_sum(bounds: &[f64]) -> bool {
    bounds.first().is_none_or(|bound| *bound >= 0.0)
}

/// The same for exponential buckets; of these it is known which values were negative.
pub(super) fn sum_of(value: &Exponential) -> Option<f64> {
    (value.sum >= 0.0 && value.negative.counts.is_empty()).then_some(value.sum)
}

impl Point<'_> {
    /// The exemplars of this point.
    pub(super) fn each_exemplar(&self) -> impl Iterator<Item = (u64, &Exemplar)> {
        let timed = self.series.exemplars.iter().map(|exemplar| (unix_nanoseconds(exemplar.time), exemplar));
        timed.filter(|(time, _)| *time >= self.exemplars_from)
    }
}

/// The metadata of a metric. Prometheus and OpenMetrics Compatibility, "Metric Metadata": what it is for Prometheus.
pub(super) fn metadata_of(stream: &Stream) -> Option<(&'static str, &'static str)> {
    Some(("prometheus.type", stream.definition().prometheus_type()?.name()))
}

/// Nanoseconds since 1970; 0 before, and at most what 64 bits hold, which is the year 2554.
pub(super) fn unix_nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
