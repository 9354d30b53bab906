//! The value of a series: a `Counter`, `Gauge`, `Summary`, `Untyped` or `Histogram`, with its exemplars and its start.

use std::time::{Duration, UNIX_EPOCH};

use metercast_core::Exemplar;

use super::labels;
use crate::export::prometheus::family::{Family, Type};
use crate::export::prometheus::native::{Native, Spans};
use crate::export::prometheus::series::{labels_of, newest, newest_within};
use crate::export::prometheus::style::Style;
use crate::export::wire::{Width, Writer, varint_width, zigzag};

/// What is said of a series.
pub(super) enum Sample<'a> {
    Number(f64),
    Histogram { bounds: &'a [f64], counts: &'a [u64], sum: f64, native: Option<&'a Native> },
    Summary { quantiles: &'a [(f64, f64)], count: u64, sum: f64 },
}

/// Writes the values of one metric.
#[derive(Debug)]
pub(super) struct Values {
    kind: Type,
    has_exemplars: bool,
    has_start: bool,
    spans: Spans,
    width: Width,
    width_of_bucket: Width,
}

/// OpenTelemetry's default of what is taken for zero, which its own buckets do not say.
const ZERO_THRESHOLD: f64 = 1e-128;

impl Values {
    pub(super) fn new(family: &Family, style: &Style) -> Values {
        Values {
            kind: family.kind,
            has_exemplars: style.shows_exemplars(),
            has_start: style.shows_created() && family.has_created(),
            spans: Spans::default(),
            width: Width::SMALL,
            width_of_bucket: Width::SMALL,
        }
    }

    /// Writes a value, as the field of a series that it is.
    pub(super) fn write(
        &mut self,
        to: &mut Writer,
        sample: &Sample<'_>,
        exemplars: &[Exemplar],
        started_unix_nanos: u64,
    ) {
        let exemplars = if self.has_exemplars { exemplars } else { &[] };
        let start = self.has_start.then(|| Duration::from_nanos(started_unix_nanos));
        match sample {
            Sample::Number(value) => self.number(to, *value, exemplars, start),
            Sample::Histogram { bounds, counts, sum, native } => {
                let Values { width, width_of_bucket, spans, .. } = self;
                to.message(7, width, |to| {
                    to.varint(1, counts.iter().fold(0, |count: u64, more| count.wrapping_add(*more)));
                    to.double(2, *sum);
                    classic(to, width_of_bucket, bounds, counts, exemplars);
                    if let Some(native) = native {
                        self::native(to, spans, native);
                    }
                    start.inspect(|start| timestamp(to, 15, *start));
                    if native.is_some() {
                        exemplars.iter().for_each(|one| exemplar(to, 16, one));
                    }
                });
            }
            Sample::Summary { quantiles, count, sum } => to.message(4, &mut self.width, |to| {
                to.varint(1, *count);
                to.double(2, *sum);
                for (quantile, value) in *quantiles {
                    // Two doubles.
                    to.length(3, 18);
                    to.double(1, *quantile);
                    to.double(2, *value);
                }
                start.inspect(|start| timestamp(to, 4, *start));
            }),
        }
    }

    fn number(&mut self, to: &mut Writer, value: f64, exemplars: &[Exemplar], start: Option<Duration>) {
        let number = match self.kind {
            Type::Counter => 3,
            Type::Unknown => 5,
            _ => 2,
        };
        to.message(number, &mut self.width, |to| {
            to.double(1, value);
            if self.kind == Type::Counter {
                newest(exemplars).inspect(|one| exemplar(to, 2, one));
                start.inspect(|start| timestamp(to, 3, *start));
            }
        });
    }
}

/// Buckets, each with how many values are in it and in those below.
fn classic(to: &mut Writer, width: &mut Width, bounds: &[f64], counts: &[u64], exemplars: &[Exemplar]) {
    let (mut below, mut lower) = (0u64, f64::NEG_INFINITY);
    for (count, bound) in counts.iter().zip(bounds.iter().chain([&f64::INFINITY])) {
        below = below.wrapping_add(*count);
        to.message(3, width, |to| {
            to.varint(1, below);
            to.double(2, *bound);
            newest_within(exemplars, lower, *bound).inspect(|one| exemplar(to, 3, one));
        });
        lower = *bound;
    }
}

fn native(to: &mut Writer, spans: &mut Spans, native: &Native) {
    to.varint(5, zigzag(native.schema.into()));
    to.double(6, ZERO_THRESHOLD);
    to.varint(7, native.zero_count);
    spans.refill(&native.negative);
    let mut is_empty = native.zero_count == 0 && spans.deltas.is_empty();
    buckets(to, 9, spans);
    spans.refill(&native.positive);
    is_empty &= spans.deltas.is_empty();
    if is_empty {
        // Says to every reader that it has native buckets, of which there are none yet.
        spans.spans.push((0, 0));
    }
    buckets(to, 12, spans);
}

/// Spans as the field `number`, and deltas as the one behind it.
fn buckets(to: &mut Writer, number: u32, spans: &Spans) {
    for (offset, length) in &spans.spans {
        let (offset, length) = (zigzag((*offset).into()), u64::from(*length));
        to.length(number, 2 + varint_width(offset) + varint_width(length));
        to.varint(1, offset);
        to.varint(2, length);
    }
    let deltas = spans.deltas.iter().map(|delta| zigzag(*delta));
    if !spans.deltas.is_empty() {
        to.length(number + 1, deltas.clone().map(varint_width).sum());
        deltas.for_each(|delta| to.put_varint(delta));
    }
}

fn exemplar(to: &mut Writer, number: u32, exemplar: &Exemplar) {
    let mut width = Width::SMALL;
    to.message(number, &mut width, |to| {
        for (name, value) in labels_of(exemplar) {
            labels::one(to, &name, value.as_bytes());
        }
        to.double(2, exemplar.value);
        timestamp(to, 3, exemplar.time.duration_since(UNIX_EPOCH).unwrap_or_default());
    });
}

/// A `google.protobuf.Timestamp`, as the time since 1970.
fn timestamp(to: &mut Writer, number: u32, since: Duration) {
    let (seconds, nanos) = (since.as_secs(), u64::from(since.subsec_nanos()));
    to.length(number, 2 + varint_width(seconds) + varint_width(nanos));
    to.varint(1, seconds);
    to.varint(2, nanos);
}
