//! The messages of OTLP that carry metrics, as far as the demo needs them.
//!
//! `opentelemetry/proto/metrics/v1/metrics.proto` says which field is which. Fields that are not read here are passed
//! over, as protobuf demands.

use super::protobuf::{At, DecodeError, Payload, each_field};
use crate::demo::totals::Labels;

/// A metric with its points.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MetricData {
    pub(super) name: String,
    pub(super) kind: MetricKind,
    pub(super) points: Vec<Point>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// The message does not say, or says something that is newer than we are.
    #[default]
    Unknown,
    Gauge,
    Sum {
        temporality: u64,
        is_monotonic: bool,
    },
    Histogram {
        temporality: u64,
    },
}

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
pub(super) const CUMULATIVE: u64 = 2;

/// A point of any kind: those of a histogram have buckets, the others a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point {
    /// With names as on a page: dots are `_`.
    pub(super) labels: Labels,
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) value: f64,
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) bounds: Vec<f64>,
    pub(super) buckets: Vec<u64>,
}

/// The metrics of an `ExportMetricsServiceRequest`.
pub(super) fn metrics(request: &[u8]) -> Result<Vec<MetricData>, DecodeError> {
    let mut metrics = Vec::new();
    // Request, ResourceMetrics and ScopeMetrics: each holds the next in one repeated field.
    each_message("ExportMetricsServiceRequest", 1, request, &mut |resource_metrics| {
        each_message("ResourceMetrics", 2, resource_metrics, &mut |scope_metrics| {
            each_message("ScopeMetrics", 2, scope_metrics, &mut |message| {
                metrics.push(metric(message)?);
                Ok(())
            })
        })
    })?;
    Ok(metrics)
}

fn each_message<'a>(
    name: &'static str,
    field: u32,
    message: &'a [u8],
    f: &mut dyn FnMut(&'a [u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    each_field(
        message,
        |number, payload| if number == field { f(payload.message(At(name, number))?) } else { Ok(()) },
    )
}

fn metric(message: &[u8]) -> Result<MetricData, DecodeError> {
    let mut metric = MetricData::default();
    each_field(message, |number, payload| {
        let at = At("Metric", number);
        match number {
            1 => metric.name = payload.text(at)?.to_owned(),
            5 => metric.data("Gauge", payload.message(at)?, number_point, |_, _| MetricKind::Gauge)?,
            7 => metric.data("Sum", payload.message(at)?, number_point, |temporality, is_monotonic| {
                MetricKind::Sum { temporality, is_monotonic }
            })?,
            9 => metric.data("Histogram", payload.message(at)?, histogram_point, |temporality, _| {
                MetricKind::Histogram { temporality }
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(metric)
}

impl MetricData {
    /// `Gauge`, `Sum` and `Histogram` have the same fields, or fewer of them.
    fn data(
        &mut self,
        name: &'static str,
        message: &[u8],
        point: fn(&mut Point, u32, Payload<'_>) -> Result<(), DecodeError>,
        kind: impl FnOnce(u64, bool) -> MetricKind,
    ) -> Result<(), DecodeError> {
        let (mut temporality, mut is_monotonic) = (0, false);
        each_field(message, |number, payload| {
            let at = At(name, number);
            match number {
                1 => {
                    let mut read = Point::default();
                    each_field(payload.message(at)?, |number, payload| point(&mut read, number, payload))?;
                    self.points.push(read);
                }
                2 => temporality = payload.varint(at)?,
                3 => is_monotonic = payload.varint(at)? != 0,
                _ => {}
            }
            Ok(())
        })?;
        self.kind = kind(temporality, is_monotonic);
        Ok(())
    }
}

fn number_point(point: &mut Point, number: u32, payload: Payload<'_>) -> Result<(), DecodeError> {
    let at = At("NumberDataPoint", number);
    match number {
        2 => point.start = payload.fixed64(at)?,
        3 => point.time = payload.fixed64(at)?,
        4 => point.value = payload.double(at)?,
        6 => point.value = payload.fixed64(at)?.cast_signed() as f64,
        7 => point.labels = std::mem::take(&mut point.labels).with(payload.message(at)?)?,
        _ => {}
    }
    Ok(())
}

fn histogram_point(point: &mut Point, number: u32, payload: Payload<'_>) -> Result<(), DecodeError> {
    let at = At("HistogramDataPoint", number);
    match number {
        2 => point.start = payload.fixed64(at)?,
        3 => point.time = payload.fixed64(at)?,
        4 => point.count = payload.fixed64(at)?,
        5 => point.sum = payload.double(at)?,
        6 => payload.fixed64s(at, &mut point.buckets)?,
        7 => {
            let mut bounds = Vec::new();
            payload.fixed64s(at, &mut bounds)?;
            point.bounds.extend(bounds.into_iter().map(f64::from_bits));
        }
        9 => point.labels = std::mem::take(&mut point.labels).with(payload.message(at)?)?,
        _ => {}
    }
    Ok(())
}

impl Labels {
    /// With one more attribute, a `KeyValue`.
    fn with(self, key_value: &[u8]) -> Result<Labels, DecodeError> {
        let (mut key, mut value) = (String::new(), None);
        each_field(key_value, |number, payload| {
            let at = At("KeyValue", number);
            match number {
                1 => key = payload.text(at)?.replace('.', "_"),
                2 => value = any_value(payload.message(at)?)?,
                _ => {}
            }
            Ok(())
        })?;
        if self.get(&key).is_some() {
            return Err(DecodeError::Meaning("a point has an attribute twice"));
        }
        Ok(self.and(&key, value))
    }
}

/// An `AnyValue` as text, if it is one of the simple ones.
fn any_value(message: &[u8]) -> Result<Option<String>, DecodeError> {
    let mut value = None;
    each_field(message, |number, payload| {
        let at = At("AnyValue", number);
        value = match number {
            1 => Some(payload.text(at)?.to_owned()),
            2 => Some((payload.varint(at)? != 0).to_string()),
            3 => Some(payload.varint(at)?.cast_signed().to_string()),
            4 => Some(payload.double(at)?.to_string()),
            _ => None,
        };
        Ok(())
    })?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use opentelemetry_proto::tonic::metrics::v1::{
        Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
        metric, number_data_point,
    };
    use prost::Message;

    use super::*;

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
    }

    fn encode(metrics: Vec<Metric>) -> Vec<u8> {
        let scope_metrics = vec![ScopeMetrics { metrics, ..Default::default() }];
        let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
        ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
    }

    fn named(name: &str, data: metric::Data) -> Metric {
        Metric { name: name.to_owned(), data: Some(data), ..Default::default() }
    }

    #[test]
    fn what_prost_encodes_is_read() {
        let sum = NumberDataPoint {
            attributes: vec![
                attribute("http.route", Value::StringValue("/orders".to_owned())),
                attribute("status", Value::IntValue(-200)),
                attribute("cached", Value::BoolValue(true)),
                attribute("share", Value::DoubleValue(0.5)),
            ],
            start_time_unix_nano: 1,
            time_unix_nano: 2,
            value: Some(number_data_point::Value::AsInt(-3)),
            ..Default::default()
        };
        let gauge =
            NumberDataPoint { value: Some(number_data_point::Value::AsDouble(1.5)), ..Default::default() };
        let histogram = HistogramDataPoint {
            start_time_unix_nano: 3,
            time_unix_nano: 4,
            count: 6,
            sum: Some(7.5),
            bucket_counts: vec![1, 2, 3],
            explicit_bounds: vec![0.5, 1.0],
            ..Default::default()
        };
        let request = encode(vec![
            named(
                "a",
                metric::Data::Sum(Sum {
                    data_points: vec![sum],
                    aggregation_temporality: 2,
                    is_monotonic: true,
                }),
            ),
            named("b", metric::Data::Gauge(Gauge { data_points: vec![gauge.clone(), gauge] })),
            named(
                "c",
                metric::Data::Histogram(Histogram {
                    data_points: vec![histogram],
                    aggregation_temporality: 1,
                }),
            ),
        ]);

        let [a, b, c] = &metrics(&request).unwrap()[..] else { panic!("three metrics") };
        assert_eq!(
            (a.name.as_str(), a.kind),
            ("a", MetricKind::Sum { temporality: CUMULATIVE, is_monotonic: true })
        );
        assert_eq!((a.points[0].start, a.points[0].time, a.points[0].value), (1, 2, -3.0));
        assert_eq!(a.points[0].labels.to_string(), "cached=true http_route=/orders share=0.5 status=-200");
        assert_eq!((b.kind, b.points.len(), b.points[1].value), (MetricKind::Gauge, 2, 1.5));
        assert_eq!(c.kind, MetricKind::Histogram { temporality: 1 });
        let point = &c.points[0];
        assert_eq!(
            (point.count, point.sum, &point.buckets[..], &point.bounds[..]),
            (6, 7.5, &[1, 2, 3][..], &[0.5, 1.0][..])
        );
    }

    #[test]
    fn a_message_that_is_cut_anywhere_never_reads_as_whole() {
        let point = NumberDataPoint { value: Some(number_data_point::Value::AsInt(3)), ..Default::default() };
        let sum = Sum { data_points: vec![point], aggregation_temporality: 2, is_monotonic: true };
        let whole = encode(vec![named("a", metric::Data::Sum(sum))]);
        assert_eq!(metrics(&whole).unwrap().len(), 1);
        for length in 1..whole.len() {
            assert_eq!(metrics(&whole[..length]), Err(DecodeError::Truncated), "{length} bytes");
        }
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named() {
        let error = metrics(&[0x08, 0x01]).unwrap_err();
        assert_eq!(error.to_string(), "field 1 of ExportMetricsServiceRequest has the wrong type");
    }
}
