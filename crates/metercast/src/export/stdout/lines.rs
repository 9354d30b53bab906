//! A store as lines of JSON, one for each series.

use std::time::{SystemTime, UNIX_EPOCH};

use metercast_core::reading::{
    BucketsView, Exponential, ExponentialBuckets, PointView, SeriesView, SummaryView, ValueView,
};
use metercast_core::{Scope, Store, Value};

use super::json::{kind, put_double, put_integer, put_list, put_text, put_time};
use crate::view::{Plan, Stream};

/// Reads the store and appends a line for each series that the plan lets out, metrics in the order of their names, each
/// with what [`resource`] made. Returns how many there are.
pub(super) fn write(
    plan: &mut Plan,
    store: &Store,
    time: SystemTime,
    resource: &[u8],
    out: &mut Vec<u8>,
) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    let mut lines = 0;
    store.read(|reading| {
        for view in plan.streams(reading) {
            view.each(|series| {
                line(view.stream(), series, time, resource, out);
                lines += 1;
            });
        }
    });
    lines
}

fn line(stream: &Stream, series: &SeriesView<'_>, time: u64, resource: &[u8], out: &mut Vec<u8>) {
    out.extend(b"{\"time\":");
    put_time(out, time);
    out.extend(b",\"started\":");
    put_time(out, series.started_unix_nanos);
    out.extend(b",\"name\":");
    put_text(out, stream.name());
    out.extend(b",\"kind\":");
    put_text(out, kind(stream.kind()));
    if !stream.unit().is_empty() {
        out.extend(b",\"unit\":");
        put_text(out, stream.unit());
    }
    if stream.definition().has_scope_of_its_own() {
        scope(stream.scope(), out);
    }
    out.extend(b",\"labels\":{");
    let mut separator = &b""[..];
    for (key, value) in series.labels.keys().zip(series.labels.values()) {
        if value != ValueView::Absent {
            out.extend(separator);
            separator = b",";
            put_text(out, key);
            out.push(b':');
            label(value, out);
        }
    }
    out.push(b'}');
    point(&series.value, out);
    out.extend(resource);
    out.extend(b"}\n");
}

/// The library that measured, where another one may have a metric of the same name.
fn scope(scope: Scope, out: &mut Vec<u8>) {
    out.extend(b",\"scope\":{\"name\":");
    put_text(out, scope.name);
    for (key, text) in [(&b",\"version\":"[..], scope.version), (b",\"schema_url\":", scope.schema_url)] {
        if !text.is_empty() {
            out.extend(key);
            put_text(out, text);
        }
    }
    attributes(b",\"attributes\":{", scope.attributes.iter().map(|label| (&*label.key, &label.value)), out);
    out.push(b'}');
}

/// Attributes of the resource as the end of a line; nothing if there are none.
pub(super) fn resource(of_resource: &[(String, Value)]) -> Vec<u8> {
    let mut out = Vec::new();
    attributes(b",\"resource\":{", of_resource.iter().map(|(key, value)| (&**key, value)), &mut out);
    out
}

/// Attributes behind what they begin with; nothing if there are none.
fn attributes<'a>(begin: &[u8], all: impl Iterator<Item = (&'a str, &'a Value)>, out: &mut Vec<u8>) {
    let mut separator = begin;
    for (key, value) in all {
        out.extend(separator);
        separator = b",";
        put_text(out, key);
        out.push(b':');
        match value {
            Value::Bool(truth) => label(ValueView::Bool(*truth), out),
            Value::I64(number) => put_integer(out, *number),
            Value::U64(number) => put_integer(out, *number),
            Value::F64(number) => put_double(out, *number),
            text => put_text(out, &text.to_string()),
        }
    }
    if separator == b"," {
        out.push(b'}');
    }
}

fn label(value: ValueView<'_>, out: &mut Vec<u8>) {
    match value {
        ValueView::Text(text) => put_text(out, text),
        ValueView::Packed(text) => text.with(|text| put_text(out, text)),
        ValueView::Bool(truth) => out.extend(if truth { &b"true"[..] } else { b"false" }),
        ValueView::I64(number) => put_integer(out, number),
        ValueView::U64(number) => put_integer(out, number),
        ValueView::F64(number) => put_double(out, number),
        _ => out.extend(b"null"),
    }
}

fn point(value: &PointView<'_>, out: &mut Vec<u8>) {
    match value {
        PointView::U64(value) => {
            out.extend(b",\"value\":");
            put_integer(out, *value);
        }
        PointView::I64(value) => {
            out.extend(b",\"value\":");
            put_integer(out, *value);
        }
        PointView::F64(value) => {
            out.extend(b",\"value\":");
            put_double(out, *value);
        }
        PointView::Histogram(buckets) => histogram(buckets, out),
        PointView::Exponential(exponential) => self::exponential(exponential, out),
        PointView::Summary(summary) => self::summary(summary, out),
        // What this exporter does not know yet has a line all the same, so that it is missed.
        _ => out.extend(b",\"value\":null"),
    }
}

fn count_and_sum(count: u64, sum: f64, out: &mut Vec<u8>) {
    out.extend(b",\"count\":");
    put_integer(out, count);
    out.extend(b",\"sum\":");
    put_double(out, sum);
}

fn histogram(buckets: &BucketsView<'_>, out: &mut Vec<u8>) {
    count_and_sum(buckets.count(), buckets.sum, out);
    out.extend(b",\"bounds\":");
    put_list(out, buckets.bounds.iter().copied(), put_double);
    out.extend(b",\"counts\":");
    put_list(out, buckets.counts.iter().copied(), put_integer);
}

fn summary(summary: &SummaryView<'_>, out: &mut Vec<u8>) {
    count_and_sum(summary.count, summary.sum, out);
    out.extend(b",\"quantiles\":");
    put_list(out, summary.quantiles, |out, (quantile, value)| {
        put_list(out, [*quantile, *value], put_double);
    });
}

fn exponential(exponential: &Exponential, out: &mut Vec<u8>) {
    count_and_sum(exponential.count(), exponential.sum, out);
    for (name, extreme) in [(&b",\"min\":"[..], exponential.min), (b",\"max\":", exponential.max)] {
        if let Some(extreme) = extreme {
            out.extend(name);
            put_double(out, extreme);
        }
    }
    out.extend(b",\"scale\":");
    put_integer(out, exponential.scale);
    out.extend(b",\"zero_count\":");
    put_integer(out, exponential.zero_count);
    let sides = [(&b",\"positive\":"[..], &exponential.positive), (b",\"negative\":", &exponential.negative)];
    for (name, ExponentialBuckets { offset, counts, .. }) in sides {
        out.extend(name);
        out.extend(b"{\"offset\":");
        put_integer(out, *offset);
        out.extend(b",\"counts\":");
        put_list(out, counts.iter().copied(), put_integer);
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests;
