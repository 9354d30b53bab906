//! A page in protobuf: messages of `io.prometheus.client.MetricFamily`, each behind its length.
//!
//! The numbers are those of the fields in Prometheus' `metrics.proto`. The length of a family stands before its series, so a family
//! stays in memory until it is whole; then it is handed out.

mod labels;
mod value;

use metercast_core::reading::{PointView, SeriesView};

use self::labels::Keys;
use self::value::{Sample, Values};
use super::buffer::CHUNK;
use super::classic::Classic;
use super::family::{Family, Type};
use super::form::Form;
use super::native::Native;
use super::series::{Series, Value};
use super::style::Style;
use crate::export::wire::{Open, Width, Writer};

/// Protobuf.
pub(super) enum Protobuf {}

/// A page on its way out.
pub(super) struct Sheet<'a> {
    to: &'a mut Writer,
    sink: &'a mut dyn FnMut(&[u8]),
    /// The family that is being written.
    family: Option<Open>,
}

/// What is prepared of a metric.
pub(super) struct Metric {
    /// The fields of the family but its series.
    head: Vec<u8>,
    /// The labels that all series have.
    constants: Vec<u8>,
    values: Values,
    classic: Classic,
    native: Native,
    width_of_family: Width,
    width_of_series: Width,
}

/// Room for a series as most are, so that it is written in one place.
const ROOM: usize = 1024;

impl Form for Protobuf {
    type Desk = Writer;
    type Sheet<'a> = Sheet<'a>;
    type Moment = usize;
    type Metric = Metric;
    type Keys = Keys;

    fn sheet<'a>(to: &'a mut Writer, sink: &'a mut dyn FnMut(&[u8])) -> Sheet<'a> {
        // A sink that panicked may have left anything.
        let mut out = to.take();
        out.clear();
        to.write_behind(out);
        Sheet { to, sink, family: None }
    }

    fn finish(mut sheet: Sheet<'_>, _: &Style) {
        sheet.hand_out();
    }

    fn metric(family: &Family, style: &Style) -> Metric {
        let head = Writer::fields(|to| {
            to.text(1, family.title(style.is_open));
            to.text(2, &family.help);
            to.varint(3, number_of(family.kind));
            to.text(5, family.unit_of_name().unwrap_or_default());
        });
        Metric {
            head,
            constants: Writer::fields(|to| labels::all(to, &family.constants)),
            values: Values::new(family, style),
            classic: Classic::default(),
            native: Native::default(),
            width_of_family: Width::MEDIUM,
            width_of_series: Width::SMALL,
        }
    }

    fn keys(_: &Metric, names: &[String]) -> Keys {
        Keys::new(names)
    }

    #[inline]
    fn classic(metric: &mut Metric) -> &mut Classic {
        &mut metric.classic
    }

    fn begin(metric: &mut Metric, sheet: &mut Sheet<'_>) {
        sheet.family = Some(sheet.to.open_delimited(metric.width_of_family));
        sheet.to.raw(&metric.head);
    }

    fn end(metric: &mut Metric, _: &Style, sheet: &mut Sheet<'_>) {
        if let Some(family) = sheet.family.take() {
            metric.width_of_family = sheet.to.close(family);
        }
        if sheet.to.position() >= CHUNK {
            sheet.hand_out();
        }
    }

    fn write<const HASHED: bool, const MORE: bool>(
        metric: &mut Metric,
        keys: &Keys,
        series: &SeriesView<'_>,
        sheet: &mut Sheet<'_>,
    ) -> u64 {
        let Metric { constants, values, classic, native, width_of_series, .. } = metric;
        let sample = match series.value {
            PointView::U64(value) => Sample::Number(value as f64),
            PointView::I64(value) => Sample::Number(value as f64),
            PointView::F64(value) => Sample::Number(value),
            PointView::Histogram(buckets) => Sample::Histogram {
                bounds: buckets.bounds,
                counts: buckets.counts,
                sum: buckets.sum,
                native: None,
            },
            PointView::Exponential(exponential) => {
                let native = native.refill(exponential).then_some(&*native);
                let (bounds, counts) = classic.count(exponential);
                Sample::Histogram { bounds, counts, sum: exponential.sum, native }
            }
            PointView::Summary(summary) => {
                Sample::Summary { quantiles: summary.quantiles, count: summary.count, sum: summary.sum }
            }
            _ => return 0,
        };
        sheet.to.next_point::<ROOM>();
        sheet.to.message(4, width_of_series, |to| {
            to.raw(constants);
            let hash = keys.write::<HASHED>(to, &series.labels);
            values.write(to, &sample, series.exemplars, series.started_unix_nanos);
            hash
        })
    }

    fn write_kept(metric: &mut Metric, _: &Family, series: &Series, _: &Style, sheet: &mut Sheet<'_>) {
        let sample = match &series.value {
            Value::U64(value) => Sample::Number(*value as f64),
            Value::I64(value) => Sample::Number(*value as f64),
            Value::F64(value) => Sample::Number(*value),
            Value::Histogram { bounds, counts, sum, native, .. } => {
                Sample::Histogram { bounds, counts, sum: *sum, native: native.as_ref() }
            }
            Value::Summary { quantiles, count, sum, .. } => {
                Sample::Summary { quantiles, count: *count, sum: *sum }
            }
        };
        let Metric { values, width_of_series, .. } = metric;
        sheet.to.next_point::<ROOM>();
        sheet.to.message(4, width_of_series, |to| {
            labels::all(to, &series.labels);
            values.write(to, &sample, &series.exemplars, series.started_unix_nanos);
        });
    }

    fn hold(sheet: &mut Sheet<'_>) -> usize {
        sheet.to.position()
    }

    fn take_back(sheet: &mut Sheet<'_>, since: usize) {
        sheet.to.back_to(since);
        sheet.family = None;
    }

    fn let_go(_: &mut Sheet<'_>) {}
}

impl Sheet<'_> {
    fn hand_out(&mut self) {
        let mut out = self.to.take();
        for chunk in out.chunks(CHUNK) {
            (self.sink)(chunk);
        }
        out.clear();
        self.to.write_behind(out);
    }
}

/// `MetricType`.
fn number_of(kind: Type) -> u64 {
    match kind {
        Type::Counter => 0,
        Type::Gauge | Type::Info => 1,
        Type::Summary => 2,
        Type::Unknown => 3,
        Type::Histogram => 4,
    }
}

#[cfg(test)]
mod tests;
