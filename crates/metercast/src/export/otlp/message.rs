//! A snapshot as the protobuf message that OTLP calls `ExportMetricsServiceRequest`.
//!
//! The numbers are those of the fields in `metrics.proto`, `common.proto` and `resource.proto` of OTLP 1.

use std::time::{SystemTime, UNIX_EPOCH};

use metercast_core::{Kind, LabelSet, Scope, Value};

use super::wire::{Expected, Writer};
use crate::snapshot::{Buckets, Family, Point, Series, Snapshot};

/// The attributes of the resource; each key once.
pub(crate) type Attributes = [(String, Value)];

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;

/// The whole message, cumulative; empty if there is nothing to send, since an envelope without points must not be
/// sent. Families stand under their scope, scopes sorted by name and version, families by name.
pub(crate) fn request(snapshot: &Snapshot, resource: &Attributes) -> Vec<u8> {
    let mut families: Vec<&Family> = snapshot.families.iter().collect();
    if families.is_empty() {
        return Vec::new();
    }
    // The sort is stable, so families of one scope stay sorted by name.
    families.sort_by_key(|family| scope_key(family.definition.scope()));

    let mut writer = Writer::with_capacity(BYTES_PER_POINT * snapshot.points());
    writer.message(1, Expected::Large, |resource_metrics| {
        resource_metrics.message(1, Expected::Medium, |to| {
            for (key, value) in resource {
                attribute(to, 1, key, value);
            }
        });
        for group in
            families.chunk_by(|a, b| scope_key(a.definition.scope()) == scope_key(b.definition.scope()))
        {
            resource_metrics.message(2, Expected::Large, |to| scope_metrics(to, group, snapshot.time));
        }
    });
    writer.into_bytes()
}

/// A first guess of the size, to grow the buffer once or not at all: times, a value and three short labels.
const BYTES_PER_POINT: usize = 96;

fn scope_key(scope: Scope) -> (&'static str, &'static str) {
    (scope.name, scope.version)
}

fn scope_metrics(writer: &mut Writer, families: &[&Family], time: SystemTime) {
    let scope = families[0].definition.scope();
    writer.message(1, Expected::Small, |to| {
        text(to, 1, scope.name);
        text(to, 2, scope.version);
    });
    for family in families {
        writer.message(2, Expected::Large, |to| metric(to, family, time));
    }
}

fn metric(writer: &mut Writer, family: &Family, time: SystemTime) {
    let definition = &family.definition;
    text(writer, 1, definition.name());
    text(writer, 2, definition.description());
    text(writer, 3, definition.unit());
    let data = match definition.kind() {
        Kind::Counter => Data::Sum { monotonic: true },
        Kind::UpDownCounter => Data::Sum { monotonic: false },
        Kind::Histogram => Data::Histogram,
        // Also what a kind that this exporter does not know yet is safe to be: no sums are made of it.
        _ => Data::Gauge,
    };
    writer.message(data.number(), Expected::Large, |to| {
        for series in &family.series {
            match &series.point {
                Point::Histogram(buckets) => {
                    to.message(1, Expected::Medium, |to| histogram(to, series, buckets, time));
                }
                point => to.message(1, Expected::Small, |to| number(to, series, point, time)),
            }
        }
        match data {
            Data::Gauge => {}
            Data::Sum { monotonic } => {
                to.varint(2, CUMULATIVE);
                if monotonic {
                    to.varint(3, 1);
                }
            }
            Data::Histogram => to.varint(2, CUMULATIVE),
        }
    });
}

/// What a metric's points are.
#[derive(Clone, Copy)]
enum Data {
    Gauge,
    Sum { monotonic: bool },
    Histogram,
}

impl Data {
    fn number(self) -> u32 {
        match self {
            Data::Gauge => 5,
            Data::Sum { .. } => 7,
            Data::Histogram => 9,
        }
    }
}

fn number(writer: &mut Writer, series: &Series, point: &Point, time: SystemTime) {
    times(writer, series, time);
    match *point {
        Point::I64(value) => writer.fixed64(6, value as u64),
        Point::U64(value) => match i64::try_from(value) {
            Ok(value) => writer.fixed64(6, value as u64),
            // OTLP has no unsigned number. A double is less exact up there, but neither 0 nor negative.
            Err(_) => writer.double(4, value as f64),
        },
        Point::F64(value) => writer.double(4, value),
        // Without a value, which says that there is none: what this exporter does not know.
        _ => {}
    }
    labels(writer, 7, &series.labels);
}

fn histogram(writer: &mut Writer, series: &Series, buckets: &Buckets, time: SystemTime) {
    times(writer, series, time);
    writer.fixed64(4, buckets.count());
    if has_sum(buckets) {
        writer.double(5, buckets.sum);
    }
    writer.packed_fixed64(6, buckets.counts.iter().copied());
    writer.packed_fixed64(7, buckets.bounds.iter().map(|bound| bound.to_bits()));
    labels(writer, 9, &series.labels);
}

/// OTLP, `HistogramDataPoint.sum`: "negative events can be recorded, but sum should not be filled out when doing so",
/// since receivers take it for a counter. Which values were negative is not known, but a bound below zero is there
/// to count such, and only such make the sum negative.
fn has_sum(buckets: &Buckets) -> bool {
    buckets.sum >= 0.0 && buckets.bounds.first().is_none_or(|bound| *bound >= 0.0)
}

/// A point is never from before its start, although its series may have begun during the reading and a clock may be
/// set back.
fn times(writer: &mut Writer, series: &Series, time: SystemTime) {
    writer.fixed64(2, unix_nanoseconds(series.started));
    writer.fixed64(3, unix_nanoseconds(time.max(series.started)));
}

/// Nanoseconds since 1970; 0 before, and at most what 64 bits hold, which is the year 2554.
fn unix_nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn labels(writer: &mut Writer, number: u32, labels: &LabelSet) {
    for (key, value) in labels.iter() {
        attribute(writer, number, key, value);
    }
}

fn attribute(writer: &mut Writer, number: u32, key: &str, value: &Value) {
    writer.message(number, Expected::Small, |pair| {
        text(pair, 1, key);
        // Inside a oneof a default is written: its absence would be no value at all.
        pair.message(2, Expected::Small, |any| match value {
            Value::String(value) => any.string(1, value),
            Value::Bool(value) => any.varint(2, u64::from(*value)),
            Value::I64(value) => any.varint(3, *value as u64),
            Value::F64(value) => any.double(4, *value),
            other => any.string(1, &other.to_string()),
        });
    });
}

/// A plain text field, which proto3 leaves out when it is empty.
fn text(writer: &mut Writer, number: u32, text: &str) {
    if !text.is_empty() {
        writer.string(number, text);
    }
}

#[cfg(test)]
mod tests;
