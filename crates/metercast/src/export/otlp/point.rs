//! A data point in protobuf. Where the value comes from, and since when it counts, is not said here.

use metercast_core::Exemplar;
use metercast_core::reading::{Exponential, ExponentialBuckets, SeriesView, SummaryView};

use super::attributes::{Attributes, PointRoom, attribute};
use super::format::{Data, Histogram, Number, Point, Scalar, sum_of};
use crate::export::wire::{FIXED64_FIELD, Width, Writer, put_each_fixed64, varint_width, zigzag};

/// Which field of a metric the points are.
pub(super) fn number_of(data: Data) -> u32 {
    match data {
        Data::Gauge => 5,
        Data::Sum { .. } => 7,
        Data::Histogram => 9,
        Data::Exponential => 10,
        Data::Summary => 11,
    }
}

/// Which field of a point its attributes are.
fn attributes_of(data: Data) -> u32 {
    match data {
        Data::Gauge | Data::Sum { .. } | Data::Summary => 7,
        Data::Histogram => 9,
        Data::Exponential => 1,
    }
}

/// Writes the points of one metric.
#[derive(Debug)]
pub(super) struct Points {
    attributes: Attributes,
    /// Of a point.
    width: Width,
    /// The bounds of histograms as the field that they are, once for each slice: few metrics have more than one.
    bounds: Vec<(&'static [f64], Vec<u8>)>,
}

impl Points {
    pub(super) fn new(data: Data) -> Points {
        Points { attributes: Attributes::new(attributes_of(data)), width: Width::SMALL, bounds: Vec::new() }
    }

    /// Makes ready for these points.
    pub(super) fn prepare(&mut self, data: Data) {
        if self.attributes.number() != attributes_of(data) {
            *self = Points::new(data);
        }
    }

    /// Writes a point; false if it is none of these.
    pub(super) fn write(&mut self, to: &mut Writer, data: Data, point: &Point<'_>) -> bool {
        let scalar = match (point.value, data) {
            (Number::Int(value), Data::Sum { .. } | Data::Gauge) => Scalar::Int(value),
            (Number::Double(value), Data::Sum { .. } | Data::Gauge) => Scalar::Double(value),
            _ => return self.distribution(to, data, point),
        };
        if !self.number_at_once(to, point.series, [point.start, point.time], scalar) {
            self.number(to, scalar, point);
        }
        true
    }

    /// Writes the point of a number with usual labels and without exemplars; false if it is none of these.
    #[inline(always)]
    pub(super) fn number_at_once(
        &mut self,
        to: &mut Writer,
        series: &SeriesView<'_>,
        times: [u64; 2],
        scalar: Scalar,
    ) -> bool {
        match self.number_in_room(to.next_point(), series, times, scalar) {
            Some(written) => {
                to.advance(written);
                true
            }
            None => false,
        }
    }

    /// The same at the beginning of `room`; how many bytes it takes.
    #[inline(always)]
    fn number_in_room(
        &mut self,
        room: &mut PointRoom,
        series: &SeriesView<'_>,
        [start_time, time]: [u64; 2],
        scalar: Scalar,
    ) -> Option<usize> {
        if !series.exemplars.is_empty() {
            return None;
        }
        // What is written at once is never so long that its length takes three bytes.
        let is_wide = self.width != Width::SMALL;
        let start = 2 + usize::from(is_wide);
        let fields = [(2, start_time), (3, time), field(scalar)];
        put_each_fixed64(&mut room[start..][..3 * FIXED64_FIELD], fields);
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
    fn number(&mut self, to: &mut Writer, scalar: Scalar, point: &Point<'_>) {
        let attributes = &self.attributes;
        to.message(1, &mut self.width, |to| {
            let [start_time, time] = times(point);
            to.each_fixed64([start_time, time, field(scalar)]);
            exemplars(to, 5, point);
            attributes.write_each(to, &point.series.labels);
        });
    }

    #[inline(never)]
    fn distribution(&mut self, to: &mut Writer, data: Data, point: &Point<'_>) -> bool {
        let Points { attributes, width, bounds } = self;
        let times = times(point);
        to.next_point::<{ size_of::<PointRoom>() }>();
        match (point.value, data) {
            (Number::Histogram(value), Data::Histogram) => {
                let bounds = written(bounds, value.bounds);
                to.message(1, width, |to| {
                    to.each_fixed64(times);
                    histogram(to, &value, bounds);
                    exemplars(to, 8, point);
                    attributes.write(to, &point.series.labels);
                });
            }
            (Number::Exponential(value), Data::Exponential) => to.message(1, width, |to| {
                to.each_fixed64(times);
                exponential(to, value);
                exemplars(to, 11, point);
                attributes.write(to, &point.series.labels);
            }),
            (Number::Summary(value), Data::Summary) => to.message(1, width, |to| {
                to.each_fixed64(times);
                summary(to, &value);
                attributes.write(to, &point.series.labels);
            }),
            _ => return false,
        }
        true
    }
}

/// The field that a number is.
#[inline(always)]
fn field(scalar: Scalar) -> (u32, u64) {
    match scalar {
        Scalar::Int(value) => (6, value as u64),
        Scalar::Double(value) => (4, value.to_bits()),
    }
}

fn times(point: &Point<'_>) -> [(u32, u64); 2] {
    [(2, point.start), (3, point.time)]
}

fn histogram(to: &mut Writer, value: &Histogram<'_>, bounds: &[u8]) {
    to.fixed64_unless_zero(4, value.count);
    if let Some(sum) = value.sum {
        to.double(5, sum);
    }
    to.packed_fixed64(6, value.counts.iter().copied());
    to.raw(bounds);
}

/// Bounds as the field that they are.
fn written<'a>(all: &'a mut Vec<(&'static [f64], Vec<u8>)>, bounds: &'static [f64]) -> &'a [u8] {
    let known = all.iter().position(|(known, _)| std::ptr::eq(*known, bounds));
    let at = known.unwrap_or_else(|| {
        let bits = bounds.iter().map(|bound| bound.to_bits());
        all.push((bounds, Writer::fields(|to| to.packed_fixed64(7, bits))));
        all.len() - 1
    });
    &all[at].1
}

fn exponential(to: &mut Writer, value: &Exponential) {
    to.fixed64_unless_zero(4, value.count());
    if let Some(sum) = sum_of(value) {
        to.double(5, sum);
    }
    if value.scale != 0 {
        to.varint(6, zigzag(value.scale.into()));
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

fn exponential_buckets(to: &mut Writer, number: u32, buckets: &ExponentialBuckets) {
    if buckets.counts.is_empty() {
        return;
    }
    let mut width = Width::MEDIUM;
    to.message(number, &mut width, |to| {
        if buckets.offset != 0 {
            to.varint(1, zigzag(buckets.offset.into()));
        }
        to.length(2, buckets.counts.iter().map(|count| varint_width(*count)).sum());
        buckets.counts.iter().for_each(|count| to.put_varint(*count));
    });
}

fn summary(to: &mut Writer, value: &SummaryView<'_>) {
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

/// Filtered attributes are those that a producer says, and those that a view takes from series and leaves to exemplars.
fn exemplars(to: &mut Writer, number: u32, point: &Point<'_>) {
    for (time, Exemplar { value, span, labels, .. }) in point.each_exemplar() {
        let mut width = Width::SMALL;
        to.message(number, &mut width, |to| {
            to.each_fixed64([(2, time), (3, value.to_bits())]);
            if let Some(span) = span {
                to.bytes(4, &span.span_id);
                to.bytes(5, &span.trace_id);
            }
            for (key, value) in labels.iter().flat_map(|labels| labels.iter()) {
                attribute(to, 7, key, value.into());
            }
        });
    }
}
