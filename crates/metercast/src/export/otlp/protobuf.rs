//! `ExportMetricsServiceRequest` in protobuf.
//!
//! The numbers are those of the fields in `metrics.proto`, `common.proto` and `resource.proto` of OTLP 1.

use metercast_core::reading::{SeriesView, ValueView};
use metercast_core::{Scope, Value};

use super::attributes::attribute;
use super::format::{Data, Format, Point, Scalar, Temporality, metadata_of};
use super::point::{Points, number_of};
use crate::export::wire::{Open, Width, Writer};
use crate::view::Stream;

/// Writes requests in protobuf.
#[derive(Debug, Default)]
pub(super) struct Protobuf {
    to: Writer,
    /// What is open, from the outside in.
    open: Vec<Open>,
    /// What is said of the points of the open metric together.
    of_points: Option<(Data, Temporality)>,
}

/// What is prepared of a message that holds others.
#[derive(Debug)]
pub(super) struct Head {
    /// The fields before those that it holds.
    fields: Vec<u8>,
    width: Width,
}

/// What is prepared of a metric.
#[derive(Debug)]
pub(super) struct Metric {
    /// Name, description and unit.
    head: Head,
    width_of_data: Width,
    points: Points,
}

/// How many are open with a metric, which is two messages: itself, and its points.
const METRIC: usize = 3;

impl Format for Protobuf {
    type Resource = Head;
    type Scope = Head;
    type Metric = Metric;

    fn resource(attributes: &[(String, Value)]) -> Head {
        let resource = Writer::fields(|to| {
            for (key, value) in attributes {
                attribute(to, 1, key, ValueView::from(value));
            }
        });
        Head { fields: Writer::fields(|to| to.bytes(1, &resource)), width: Width::LARGE }
    }

    fn scope(scope: Scope) -> Head {
        let of_scope = Writer::fields(|to| {
            to.text(1, scope.name);
            to.text(2, scope.version);
            for label in scope.attributes {
                attribute(to, 3, &label.key, ValueView::from(&label.value));
            }
        });
        let fields = Writer::fields(|to| {
            to.bytes(1, &of_scope);
            to.text(3, scope.schema_url);
        });
        Head { fields, width: Width::MEDIUM }
    }

    fn metric(stream: &Stream) -> Metric {
        let fields = Writer::fields(|to| {
            to.text(1, stream.name());
            to.text(2, stream.description());
            to.text(3, stream.unit());
            if let Some((key, value)) = metadata_of(stream) {
                attribute(to, 12, key, ValueView::Text(value));
            }
        });
        let head = Head { fields, width: Width::MEDIUM };
        Metric { head, width_of_data: Width::MEDIUM, points: Points::new(Data::Gauge) }
    }

    fn write_behind(&mut self, out: Vec<u8>) {
        self.open.clear();
        self.to.write_behind(out);
    }

    fn take(&mut self) -> Vec<u8> {
        self.to.take()
    }

    #[inline(always)]
    fn position(&self) -> usize {
        self.to.position()
    }

    fn back_to(&mut self, position: usize, open: usize) {
        self.to.back_to(position);
        if open < METRIC {
            self.open.truncate(open);
            self.of_points = None;
        }
    }

    fn open_request(&mut self, resource: &Head) {
        self.begin(1, resource);
    }

    fn close_request(&mut self, resource: &mut Head) {
        self.end(&mut resource.width);
    }

    fn open_scope(&mut self, scope: &Head) {
        self.begin(2, scope);
    }

    fn close_scope(&mut self, scope: &mut Head) {
        self.end(&mut scope.width);
    }

    fn open_metric(&mut self, metric: &mut Metric, data: Data, temporality: Temporality) {
        self.begin(2, &metric.head);
        let points = self.to.open(number_of(data), metric.width_of_data);
        self.open.push(points);
        self.of_points = Some((data, temporality));
        metric.points.prepare(data);
    }

    fn close_metric(&mut self, metric: &mut Metric) {
        if let Some((data, temporality)) = self.of_points.take() {
            if data.is_temporal() {
                self.to.varint(2, temporality as u64);
            }
            if data == (Data::Sum { monotonic: true }) {
                self.to.varint(3, 1);
            }
        }
        self.end(&mut metric.width_of_data);
        self.end(&mut metric.head.width);
    }

    fn length_if_closed(&self) -> usize {
        let of_points = self.of_points.map_or(0, |(data, _)| {
            2 * usize::from(data.is_temporal()) + 2 * usize::from(data == (Data::Sum { monotonic: true }))
        });
        self.open.iter().rev().fold(self.to.position() + of_points, |end, open| open.end(end))
    }

    fn point(&mut self, metric: &mut Metric, data: Data, point: &Point<'_>) -> bool {
        metric.points.write(&mut self.to, data, point)
    }

    #[inline(always)]
    fn number_at_once(
        &mut self,
        metric: &mut Metric,
        series: &SeriesView<'_>,
        times: [u64; 2],
        scalar: Scalar,
    ) -> bool {
        metric.points.number_at_once(&mut self.to, series, times, scalar)
    }
}

impl Protobuf {
    fn begin(&mut self, number: u32, head: &Head) {
        let open = self.to.open(number, head.width);
        self.open.push(open);
        self.to.raw(&head.fields);
    }

    fn end(&mut self, width: &mut Width) {
        if let Some(open) = self.open.pop() {
            *width = self.to.close(open);
        }
    }
}
