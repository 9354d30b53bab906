//! `ExportMetricsServiceRequest` in JSON.
//!
//! OTLP's own dialect of proto3's JSON: keys in lowerCamelCase, enumerations as their numbers, 64-bit numbers as strings
//! of digits, trace and span ids in hexadecimal. Fields that say nothing are left out, and there is no space between.

use metercast_core::reading::{Exponential, ExponentialBuckets, LabelsView, ValueView};
use metercast_core::{Scope, Value};

use super::format::{Data, Format, Histogram, Number, Point, Temporality, metadata_of, sum_of};
use crate::export::hex;
use crate::view::Stream;

/// Writes requests in JSON.
#[derive(Debug, Default)]
pub(super) struct Json {
    out: Vec<u8>,
    /// How many of request, scope and metric are open.
    open: usize,
    /// What stands behind the points of the open metric.
    behind_points: &'static str,
}

const BEHIND_SCOPE: &str = "]}";
const BEHIND_REQUEST: &str = "]}]}";

/// What stands behind points.
fn behind_points(data: Data, temporality: Temporality) -> &'static str {
    let is_delta = temporality == Temporality::Delta;
    match data {
        Data::Gauge | Data::Summary => "]}}",
        Data::Sum { monotonic: true } if is_delta => r#"],"aggregationTemporality":1,"isMonotonic":true}}"#,
        Data::Sum { monotonic: true } => r#"],"aggregationTemporality":2,"isMonotonic":true}}"#,
        _ if is_delta => r#"],"aggregationTemporality":1}}"#,
        _ => r#"],"aggregationTemporality":2}}"#,
    }
}

fn key_of(data: Data) -> &'static str {
    match data {
        Data::Gauge => r#","gauge":{"dataPoints":["#,
        Data::Sum { .. } => r#","sum":{"dataPoints":["#,
        Data::Histogram => r#","histogram":{"dataPoints":["#,
        Data::Exponential => r#","exponentialHistogram":{"dataPoints":["#,
        Data::Summary => r#","summary":{"dataPoints":["#,
    }
}

impl Format for Json {
    /// The request up to its scopes.
    type Resource = Vec<u8>;
    /// The scope up to its metrics.
    type Scope = Vec<u8>;
    /// The metric up to its points.
    type Metric = Vec<u8>;

    fn resource(attributes: &[(String, Value)]) -> Vec<u8> {
        written(|to| {
            to.raw(r#"{"resourceMetrics":[{"resource":{"#);
            to.attributes(attributes.iter().map(|(key, value)| (&**key, ValueView::from(value))));
            to.raw(r#"},"scopeMetrics":["#);
        })
    }

    fn scope(scope: Scope) -> Vec<u8> {
        written(|to| {
            to.raw(r#"{"scope":{"name":"#);
            to.text(scope.name);
            if !scope.version.is_empty() {
                to.raw(r#","version":"#);
                to.text(scope.version);
            }
            if !scope.attributes.is_empty() {
                to.raw(",");
                to.attributes(scope.attributes.iter().map(|label| (&*label.key, (&label.value).into())));
            }
            to.raw("}");
            if !scope.schema_url.is_empty() {
                to.raw(r#","schemaUrl":"#);
                to.text(scope.schema_url);
            }
            to.raw(r#","metrics":["#);
        })
    }

    fn metric(stream: &Stream) -> Vec<u8> {
        written(|to| {
            to.raw(r#"{"name":"#);
            to.text(stream.name());
            for (key, text) in [(r#","description":"#, stream.description()), (r#","unit":"#, stream.unit())]
            {
                if !text.is_empty() {
                    to.raw(key);
                    to.text(text);
                }
            }
            if let Some((key, value)) = metadata_of(stream) {
                to.raw(r#","metadata":"#);
                to.list_of_attributes([(key, ValueView::Text(value))].into_iter());
            }
        })
    }

    fn write_behind(&mut self, out: Vec<u8>) {
        *self = Json { out, ..Json::default() };
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn position(&self) -> usize {
        self.out.len()
    }

    fn back_to(&mut self, position: usize, open: usize) {
        self.out.truncate(position);
        self.open = open;
    }

    fn open_request(&mut self, resource: &Vec<u8>) {
        self.out.extend_from_slice(resource);
        self.open = 1;
    }

    fn close_request(&mut self, _: &mut Vec<u8>) {
        self.raw(BEHIND_REQUEST);
        self.open = 0;
    }

    fn open_scope(&mut self, scope: &Vec<u8>) {
        self.next();
        self.out.extend_from_slice(scope);
        self.open = 2;
    }

    fn close_scope(&mut self, _: &mut Vec<u8>) {
        self.raw(BEHIND_SCOPE);
        self.open = 1;
    }

    fn open_metric(&mut self, metric: &mut Vec<u8>, data: Data, temporality: Temporality) {
        self.next();
        self.out.extend_from_slice(metric);
        self.raw(key_of(data));
        self.behind_points = behind_points(data, temporality);
        self.open = 3;
    }

    fn close_metric(&mut self, _: &mut Vec<u8>) {
        self.raw(self.behind_points);
        self.open = 2;
    }

    fn length_if_closed(&self) -> usize {
        let behind = [BEHIND_REQUEST, BEHIND_SCOPE, self.behind_points];
        self.out.len() + behind[..self.open].iter().map(|text| text.len()).sum::<usize>()
    }

    fn point(&mut self, _: &mut Vec<u8>, data: Data, point: &Point<'_>) -> bool {
        let fits = match point.value {
            Number::Int(_) | Number::Double(_) => matches!(data, Data::Gauge | Data::Sum { .. }),
            Number::Histogram(_) => data == Data::Histogram,
            Number::Exponential(_) => data == Data::Exponential,
            Number::Summary(_) => data == Data::Summary,
        };
        if fits {
            self.next();
            self.write_point(point);
        }
        fits
    }
}

/// Text on its own, to be written more than once.
fn written(write: impl FnOnce(&mut Json)) -> Vec<u8> {
    let mut json = Json::default();
    write(&mut json);
    json.take()
}

impl Json {
    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// What comes is the next element of an array.
    fn next(&mut self) {
        if !matches!(self.out.last(), Some(b'[') | None) {
            self.out.push(b',');
        }
    }

    fn each<T>(&mut self, elements: impl Iterator<Item = T>, mut write: impl FnMut(&mut Json, T)) {
        self.out.push(b'[');
        for element in elements {
            self.next();
            write(self, element);
        }
        self.out.push(b']');
    }

    fn text(&mut self, text: &str) {
        self.out.push(b'"');
        // RFC 8259, section 7: what must be escaped. Copied in as large pieces as there are.
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
            self.out.extend_from_slice(&rest[..at]);
            match rest[at] {
                b'\n' => self.raw("\\n"),
                b'\r' => self.raw("\\r"),
                b'\t' => self.raw("\\t"),
                byte @ (b'"' | b'\\') => self.out.extend_from_slice(&[b'\\', byte]),
                byte => {
                    self.raw("\\u00");
                    self.hexadecimal(&[byte]);
                }
            }
            rest = &rest[at + 1..];
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
    }

    fn hexadecimal(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.out.extend(hex::digits(*byte)));
    }

    /// A number of 64 bits, which is a string: many readers of JSON take numbers for doubles.
    fn long(&mut self, value: impl itoa::Integer) {
        self.out.push(b'"');
        self.int(value);
        self.out.push(b'"');
    }

    fn int(&mut self, value: impl itoa::Integer) {
        self.raw(itoa::Buffer::new().format(value));
    }

    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.raw(zmij::Buffer::new().format_finite(value));
        } else if value.is_nan() {
            self.raw(r#""NaN""#);
        } else {
            self.raw(if value > 0.0 { r#""Infinity""# } else { r#""-Infinity""# });
        }
    }

    /// The field of attributes. Those without a value are left out.
    fn attributes<'a>(&mut self, attributes: impl Iterator<Item = (&'a str, ValueView<'a>)>) {
        self.raw(r#""attributes":"#);
        self.list_of_attributes(attributes);
    }

    fn list_of_attributes<'a>(&mut self, attributes: impl Iterator<Item = (&'a str, ValueView<'a>)>) {
        let there = attributes.filter(|(_, value)| *value != ValueView::Absent);
        self.each(there, |to, (key, value)| {
            to.raw(r#"{"key":"#);
            to.text(key);
            to.raw(r#","value":{"#);
            to.value(value);
            to.raw("}}");
        });
    }

    fn value(&mut self, value: ValueView<'_>) {
        match value {
            ValueView::Text(text) => self.string_value(text),
            ValueView::Packed(text) => text.with(|text| self.string_value(text)),
            ValueView::Bool(value) => {
                self.raw(if value { r#""boolValue":true"# } else { r#""boolValue":false"# });
            }
            ValueView::I64(value) => {
                self.raw(r#""intValue":"#);
                self.long(value);
            }
            ValueView::F64(value) => {
                self.raw(r#""doubleValue":"#);
                self.double(value);
            }
            // OTLP has no unsigned number.
            ValueView::U64(value) => self.string_value(itoa::Buffer::new().format(value)),
            _ => {}
        }
    }

    fn string_value(&mut self, text: &str) {
        self.raw(r#""stringValue":"#);
        self.text(text);
    }

    fn write_point(&mut self, point: &Point<'_>) {
        self.raw(r#"{"startTimeUnixNano":"#);
        self.long(point.start);
        self.raw(r#","timeUnixNano":"#);
        self.long(point.time);
        self.labels(&point.series.labels);
        match point.value {
            Number::Int(value) => {
                self.raw(r#","asInt":"#);
                self.long(value);
            }
            Number::Double(value) => {
                self.raw(r#","asDouble":"#);
                self.double(value);
            }
            Number::Histogram(value) => self.histogram(&value),
            Number::Exponential(value) => self.exponential(value),
            Number::Summary(value) => {
                self.count_and_sum(value.count, Some(value.sum).filter(|sum| *sum > 0.0));
                self.raw(r#","quantileValues":"#);
                self.each(value.quantiles.iter(), |to, (quantile, value)| {
                    to.raw(r#"{"quantile":"#);
                    to.double(*quantile);
                    to.raw(r#","value":"#);
                    to.double(*value);
                    to.raw("}");
                });
            }
        }
        self.exemplars(point);
        self.raw("}");
    }

    fn labels(&mut self, labels: &LabelsView<'_>) {
        self.raw(",");
        self.attributes(labels.keys().zip(labels.values()));
    }

    fn count_and_sum(&mut self, count: u64, sum: Option<f64>) {
        self.raw(r#","count":"#);
        self.long(count);
        if let Some(sum) = sum {
            self.raw(r#","sum":"#);
            self.double(sum);
        }
    }

    fn histogram(&mut self, value: &Histogram<'_>) {
        self.count_and_sum(value.count, value.sum);
        self.raw(r#","bucketCounts":"#);
        self.each(value.counts.iter(), |to, count| to.long(*count));
        self.raw(r#","explicitBounds":"#);
        self.each(value.bounds.iter(), |to, bound| to.double(*bound));
    }

    fn exponential(&mut self, value: &Exponential) {
        self.count_and_sum(value.count(), sum_of(value));
        self.raw(r#","scale":"#);
        self.int(value.scale);
        self.raw(r#","zeroCount":"#);
        self.long(value.zero_count);
        self.buckets(r#","positive":"#, &value.positive);
        self.buckets(r#","negative":"#, &value.negative);
        for (key, extreme) in [(r#","min":"#, value.min), (r#","max":"#, value.max)] {
            if let Some(extreme) = extreme {
                self.raw(key);
                self.double(extreme);
            }
        }
    }

    fn buckets(&mut self, key: &str, buckets: &ExponentialBuckets) {
        if buckets.counts.is_empty() {
            return;
        }
        self.raw(key);
        self.raw(r#"{"offset":"#);
        self.int(buckets.offset);
        self.raw(r#","bucketCounts":"#);
        self.each(buckets.counts.iter(), |to, count| to.long(*count));
        self.raw("}");
    }

    fn exemplars(&mut self, point: &Point<'_>) {
        let mut exemplars = point.each_exemplar().peekable();
        if exemplars.peek().is_none() {
            return;
        }
        self.raw(r#","exemplars":"#);
        self.each(exemplars, |to, (time, exemplar)| {
            to.raw(r#"{"timeUnixNano":"#);
            to.long(time);
            to.raw(r#","asDouble":"#);
            to.double(exemplar.value);
            if let Some(span) = exemplar.span {
                to.raw(r#","spanId":""#);
                to.hexadecimal(&span.span_id);
                to.raw(r#"","traceId":""#);
                to.hexadecimal(&span.trace_id);
                to.raw("\"");
            }
            if let Some(labels) = &exemplar.labels {
                to.raw(r#","filteredAttributes":"#);
                to.list_of_attributes(labels.iter().map(|(key, value)| (key, ValueView::from(value))));
            }
            to.raw("}");
        });
    }
}
