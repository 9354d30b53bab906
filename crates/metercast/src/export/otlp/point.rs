//! One series at one moment as a data point. Where the values come from, and since when they count, is not said here.

use metercast_core::Kind;
use metercast_core::reading::{
    BucketsView, Exponential, ExponentialBuckets, PointView, SeriesView, SummaryView,
};

use super::attributes::{Attributes, PointRoom};
use super::wire::{Desk, FIXED64_FIELD, Width, Writer, put_each_fixed64, varint_width};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;

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

impl Data {
    /// What the points of a metric of this kind are, as a rule.
    pub(super) fn of_kind(kind: Kind) -> Data {
        match kind {
            Kind::Counter => Data::Sum { monotonic: true },
            Kind::UpDownCounter => Data::Sum { monotonic: false },
            Kind::Histogram => Data::Histogram,
            Kind::Summary => Data::Summary,
            // Also what a kind that this exporter does not know yet is safe to be: no sums are made of it.
            _ => Data::Gauge,
        }
    }

    /// What this value of a metric belongs to; `None` if this exporter does not know it yet.
    pub(super) fn of(kind: Kind, value: &PointView<'_>) -> Option<Data> {
        match value {
            PointView::U64(_) | PointView::I64(_) | PointView::F64(_) => match Data::of_kind(kind) {
                Data::Sum { monotonic } => Some(Data::Sum { monotonic }),
                _ => Some(Data::Gauge),
            },
            PointView::Histogram(_) => Some(Data::Histogram),
            PointView::Exponential(_) => Some(Data::Exponential),
            PointView::Summary(_) => Some(Data::Summary),
            _ => None,
        }
    }

    /// Which field of a metric they are.
    pub(super) fn number(self) -> u32 {
        match self {
            Data::Gauge => 5,
            Data::Sum { .. } => 7,
            Data::Histogram => 9,
            Data::Exponential => 10,
            Data::Summary => 11,
        }
    }

    /// Writes what is said of all points together.
    pub(super) fn write(self, to: &mut Writer<'_>) {
        match self {
            Data::Gauge | Data::Summary => {}
            Data::Sum { monotonic } => {
                to.varint(2, CUMULATIVE);
                if monotonic {
                    to.varint(3, 1);
                }
            }
            Data::Histogram | Data::Exponential => to.varint(2, CUMULATIVE),
        }
    }

    /// Which field of a point its attributes are.
    fn attributes(self) -> u32 {
        match self {
            Data::Gauge | Data::Sum { .. } | Data::Summary => 7,
            Data::Histogram => 9,
            Data::Exponential => 1,
        }
    }
}

/// Writes the points of one metric.
#[derive(Debug)]
pub(super) struct Points {
    data: Data,
    attributes: Attributes,
    /// Of a point.
    width: Width,
    /// The bounds of histograms as the field that they are, once for each slice: few metrics have more than one.
    bounds: Vec<(&'static [f64], Vec<u8>)>,
}

impl Points {
    pub(super) fn new(data: Data) -> Points {
        Points {
            data,
            attributes: Attributes::new(data.attributes()),
            width: Width::SMALL,
            bounds: Vec::new(),
        }
    }

    /// What they are.
    pub(super) fn data(&self) -> Data {
        self.data
    }

    /// Writes the point of a series; false if it is none of these.
    #[inline(always)]
    pub(super) fn write(&mut self, to: &mut Writer<'_>, series: &SeriesView<'_>, time: u64) -> bool {
        let value = match (series.value, self.data) {
            (PointView::I64(value), Data::Sum { .. } | Data::Gauge) => (6, value as u64),
            (PointView::U64(value), Data::Sum { .. } | Data::Gauge) => match i64::try_from(value) {
                Ok(_) => (6, value),
                // OTLP has no unsigned number. A double is less exact up there, but neither 0 nor negative.
                Err(_) => (4, (value as f64).to_bits()),
            },
            (PointView::F64(value), Data::Sum { .. } | Data::Gauge) => (4, value.to_bits()),
            _ => return self.write_distribution(to, series, time),
        };
        match self.number_at_once(to.next_point(), value, series, time) {
            Some(written) => to.advance(written),
            None => self.number(to, value, series, time),
        }
        true
    }

    /// Writes the point of a number with usual labels to the beginning of `room`; how many bytes it takes.
    #[inline(always)]
    fn number_at_once(
        &mut self,
        room: &mut PointRoom,
        value: (u32, u64),
        series: &SeriesView<'_>,
        time: u64,
    ) -> Option<usize> {
        // What is written at once is never so long that its length takes three bytes.
        let is_wide = self.width != Width::SMALL;
        let start = 2 + usize::from(is_wide);
        let [start_time, time] = times(series, time);
        put_each_fixed64(&mut room[start..][..3 * FIXED64_FIELD], [start_time, time, value]);
        let end = self.attributes.write_at_once(room, start + 3 * FIXED64_FIELD, &series.labels)?;
        let length = end - start;
        room[0] = 1 << 3 | 2;
        if (length >= 1 << 7) != is_wide {
            self.width = Width::of(length);
            room.copy_within(start..end, 2 + usize::from(!is_wide));
        }
        if length < 1 << 7 {
            room[1] = length as u8;
            Some(2 + length)
        } else {
            room[1] = length as u8 | 0x80;
            room[2] = (length >> 7) as u8;
            Some(3 + length)
        }
    }

    /// The same with any labels.
    #[cold]
    fn number(&mut self, to: &mut Writer<'_>, value: (u32, u64), series: &SeriesView<'_>, time: u64) {
        let attributes = &self.attributes;
        to.message(1, &mut self.width, |to| {
            let [start_time, time] = times(series, time);
            to.each_fixed64([start_time, time, value]);
            attributes.write_each(to, &series.labels);
        });
    }

    #[inline(never)]
    fn write_distribution(&mut self, to: &mut Writer<'_>, series: &SeriesView<'_>, time: u64) -> bool {
        let Points { data, attributes, width, bounds } = self;
        let [start_time, time] = times(series, time);
        to.next_point::<{ size_of::<PointRoom>() }>();
        match (series.value, data) {
            (PointView::Histogram(buckets), Data::Histogram) => {
                let bounds = written(bounds, buckets.bounds);
                to.message(1, width, |to| {
                    to.each_fixed64([start_time, time]);
                    histogram(to, &buckets, bounds);
                    attributes.write(to, &series.labels);
                });
            }
            (PointView::Exponential(value), Data::Exponential) => to.message(1, width, |to| {
                to.each_fixed64([start_time, time]);
                exponential(to, value);
                attributes.write(to, &series.labels);
            }),
            (PointView::Summary(value), Data::Summary) => to.message(1, width, |to| {
                to.each_fixed64([start_time, time]);
                summary(to, &value);
                attributes.write(to, &series.labels);
            }),
            _ => return false,
        }
        true
    }
}

fn histogram(to: &mut Writer<'_>, buckets: &BucketsView<'_>, bounds: &[u8]) {
    to.fixed64_unless_zero(4, buckets.count());
    if has_sum(buckets) {
        to.double(5, buckets.sum);
    }
    to.packed_fixed64(6, buckets.counts.iter().copied());
    to.raw(bounds);
}

/// Bounds as the field that they are.
fn written<'a>(all: &'a mut Vec<(&'static [f64], Vec<u8>)>, bounds: &'static [f64]) -> &'a [u8] {
    let known = all.iter().position(|(known, _)| std::ptr::eq(*known, bounds));
    let at = known.unwrap_or_else(|| {
        let bits = bounds.iter().map(|bound| bound.to_bits());
        all.push((bounds, Desk::default().fields(|to| to.packed_fixed64(7, bits))));
        all.len() - 1
    });
    &all[at].1
}

/// OTLP, `HistogramDataPoint.sum`: "negative events can be recorded, but sum should not be filled out when doing so",
/// since receivers take it for a counter. Which values were negative is not known, but a bound below zero is there
/// to count such, and only such make the sum negative.
fn has_sum(buckets: &BucketsView<'_>) -> bool {
    buckets.sum >= 0.0 && buckets.bounds.first().is_none_or(|bound| *bound >= 0.0)
}

fn exponential(to: &mut Writer<'_>, value: &Exponential) {
    to.fixed64_unless_zero(4, value.count());
    // As for the others; of these it is known which values were negative.
    if value.sum >= 0.0 && value.negative.counts.is_empty() {
        to.double(5, value.sum);
    }
    if value.scale != 0 {
        to.varint(6, zigzag(value.scale));
    }
    to.fixed64_unless_zero(7, value.zero_count);
    exponential_buckets(to, 8, &value.positive);
    exponential_buckets(to, 9, &value.negative);
    if let Some(min) = value.min {
        to.double(12, min);
    }
    if let Some(max) = value.max {
        to.double(13, max);
    }
}

fn exponential_buckets(to: &mut Writer<'_>, number: u32, buckets: &ExponentialBuckets) {
    if buckets.counts.is_empty() {
        return;
    }
    let mut width = Width::MEDIUM;
    to.message(number, &mut width, |to| {
        if buckets.offset != 0 {
            to.varint(1, zigzag(buckets.offset));
        }
        to.length(2, buckets.counts.iter().map(|count| varint_width(*count)).sum());
        buckets.counts.iter().for_each(|count| to.put_varint(*count));
    });
}

/// A number of type sint32.
fn zigzag(value: i32) -> u64 {
    u64::from((value << 1 ^ value >> 31) as u32)
}

fn summary(to: &mut Writer<'_>, value: &SummaryView<'_>) {
    to.fixed64_unless_zero(4, value.count);
    // As for histograms.
    if value.sum > 0.0 {
        to.double(5, value.sum);
    }
    for (quantile, value) in value.quantiles {
        let mut width = Width::SMALL;
        to.message(6, &mut width, |to| {
            to.fixed64_unless_zero(1, quantile.to_bits());
            to.fixed64_unless_zero(2, value.to_bits());
        });
    }
}

/// When a point's values begin and when they were read. It is never from before its start, although its series may have
/// begun during the reading and a clock may be set back.
#[inline(always)]
fn times(series: &SeriesView<'_>, time: u64) -> [(u32, u64); 2] {
    let started = series.started_unix_nanos;
    [(2, started), (3, time.max(started))]
}
