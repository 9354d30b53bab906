//! A pushed message, read by `opentelemetry-proto`, as a line for each fact that does not change from run to run.

use std::fmt::Write;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, exemplar, number_data_point,
};
use prost::Message;

/// The lines of a message.
///
/// # Panics
///
/// If it is not a valid message, or breaks a rule of the protocol that holds for every message.
pub(crate) fn lines(body: &[u8]) -> String {
    let request = ExportMetricsServiceRequest::decode(body).expect("the message is valid protobuf");
    let mut out = String::new();
    for resource in &request.resource_metrics {
        assert!(!resource.scope_metrics.is_empty(), "no envelope is empty");
        for scope in &resource.scope_metrics {
            assert!(!scope.metrics.is_empty(), "no envelope is empty");
            if let Some(scope) = &scope.scope {
                let _ = writeln!(out, "scope {} {}", scope.name, scope.version);
            }
            for metric in &scope.metrics {
                let (name, unit, help) = (&metric.name, &metric.unit, &metric.description);
                let _ = writeln!(out, "{name} unit {unit:?} description {help:?}");
                points(&mut out, metric.data.as_ref().expect("a metric has data"));
            }
        }
    }
    out
}

fn points(out: &mut String, data: &Data) {
    let numbers = match data {
        Data::Sum(sum) => {
            let since = temporality(sum.aggregation_temporality);
            let _ = writeln!(out, "  sum, monotonic {}{since}", sum.is_monotonic);
            &sum.data_points
        }
        Data::Gauge(gauge) => {
            out.push_str("  gauge\n");
            &gauge.data_points
        }
        Data::Histogram(histogram) => {
            let _ = writeln!(out, "  histogram{}", temporality(histogram.aggregation_temporality));
            for point in &histogram.data_points {
                assert!(point.start_time_unix_nano > 0 && point.time_unix_nano >= point.start_time_unix_nano);
                assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                assert!(point.explicit_bounds.is_sorted_by(|a, b| a < b));
                let labels = labels(&point.attributes);
                let (bounds, counts) = (&point.explicit_bounds, &point.bucket_counts);
                let _ = writeln!(out, "    {{{labels}}} {bounds:?} {counts:?} sum {:?}", point.sum);
                exemplars(out, &point.exemplars, point.time_unix_nano);
            }
            return;
        }
        Data::ExponentialHistogram(histogram) => {
            let since = temporality(histogram.aggregation_temporality);
            let _ = writeln!(out, "  exponential histogram{since}");
            for point in &histogram.data_points {
                assert!(point.start_time_unix_nano > 0 && point.time_unix_nano >= point.start_time_unix_nano);
                let buckets = |of: &Option<Buckets>| {
                    of.as_ref().map_or((0, Vec::new()), |of| (of.offset, of.bucket_counts.clone()))
                };
                let (negative, positive) = (buckets(&point.negative), buckets(&point.positive));
                let counted = [&negative.1[..], &[point.zero_count], &positive.1].concat();
                assert_eq!(counted.iter().sum::<u64>(), point.count);
                let (labels, scale, zeros, sum) =
                    (labels(&point.attributes), point.scale, point.zero_count, point.sum);
                let _ = writeln!(
                    out,
                    "    {{{labels}}} scale {scale} {negative:?} zeros {zeros} {positive:?} sum {sum:?}"
                );
                exemplars(out, &point.exemplars, point.time_unix_nano);
            }
            return;
        }
        Data::Summary(summary) => {
            out.push_str("  summary\n");
            for point in &summary.data_points {
                assert!(point.start_time_unix_nano > 0 && point.time_unix_nano >= point.start_time_unix_nano);
                let quantiles: Vec<_> =
                    point.quantile_values.iter().map(|one| (one.quantile, one.value)).collect();
                assert!(quantiles.is_sorted_by(|a, b| a.0 < b.0));
                let (labels, count, sum) = (labels(&point.attributes), point.count, point.sum);
                let _ = writeln!(out, "    {{{labels}}} {quantiles:?} count {count} sum {sum:?}");
            }
            return;
        }
    };
    for point in numbers {
        assert!(point.start_time_unix_nano > 0 && point.time_unix_nano >= point.start_time_unix_nano);
        let value = match point.value.expect("a point has a value") {
            number_data_point::Value::AsInt(value) => format!("int {value}"),
            number_data_point::Value::AsDouble(value) => format!("double {value:?}"),
        };
        let _ = writeln!(out, "    {{{}}} {value}", labels(&point.attributes));
        exemplars(out, &point.exemplars, point.time_unix_nano);
    }
}

/// Nothing for what counts from the start, as most does.
fn temporality(of: i32) -> &'static str {
    match AggregationTemporality::try_from(of) {
        Ok(AggregationTemporality::Cumulative) => "",
        Ok(AggregationTemporality::Delta) => ", delta",
        other => panic!("{other:?}"),
    }
}

fn exemplars(out: &mut String, exemplars: &[Exemplar], time: u64) {
    for exemplar in exemplars {
        assert!((1..=time).contains(&exemplar.time_unix_nano) && exemplar.filtered_attributes.is_empty());
        let value = match exemplar.value.expect("an exemplar has a value") {
            exemplar::Value::AsInt(value) => format!("int {value}"),
            exemplar::Value::AsDouble(value) => format!("double {value:?}"),
        };
        let hexadecimal = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (trace, span) = (hexadecimal(&exemplar.trace_id), hexadecimal(&exemplar.span_id));
        let _ = writeln!(out, "      exemplar {value} trace {trace:?} span {span:?}");
    }
}

fn labels(attributes: &[KeyValue]) -> String {
    let mut labels: Vec<String> = attributes
        .iter()
        .map(|attribute| format!("{}={}", attribute.key, value(attribute.value.as_ref())))
        .collect();
    let mut keys: Vec<&str> = attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    keys.sort_unstable();
    assert!(keys.is_sorted_by(|a, b| a < b), "attribute keys are unique: {keys:?}");
    labels.sort_unstable();
    labels.join(",")
}

fn value(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => format!("{text:?}"),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => format!("{value:?}"),
        other => panic!("{other:?} is not a value that we send"),
    }
}
