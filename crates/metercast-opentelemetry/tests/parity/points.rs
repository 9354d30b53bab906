//! What an OTLP message says, without times and in an order of its own.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    HistogramDataPoint, Metric, NumberDataPoint, number_data_point,
};

/// Points by scope, metric and attributes.
pub(crate) struct Points {
    by_place: BTreeMap<String, String>,
}

impl Points {
    pub(crate) fn of(messages: impl IntoIterator<Item = ExportMetricsServiceRequest>) -> Points {
        let mut by_place = BTreeMap::new();
        let resources = messages.into_iter().flat_map(|message| message.resource_metrics);
        for scope in resources.flat_map(|resource| resource.scope_metrics) {
            let library = spell_scope(&scope.scope.unwrap_or_default(), &scope.schema_url);
            for metric in scope.metrics {
                let head = format!("{library} {:?} {:?} {:?}", metric.name, metric.unit, metric.description);
                for (kind, attributes, value) in points(metric) {
                    let place = format!("{head} {kind} {attributes}");
                    if let Some(value) = value {
                        let before = by_place.insert(place.clone(), value);
                        assert_eq!(before, None, "{place} is there twice");
                    }
                }
            }
        }
        Points { by_place }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// What these say and the others do not, or say differently, or the other way round.
    pub(crate) fn difference(&self, others: &Points) -> Option<String> {
        let places: std::collections::BTreeSet<_> =
            self.by_place.keys().chain(others.by_place.keys()).collect();
        let differences = places.into_iter().filter_map(|place| {
            let (theirs, ours) = (self.by_place.get(place), others.by_place.get(place));
            // With deltas the SDK tells a gauge once for each time that it is set; the specification has no delta of a gauge.
            let is_silent = theirs.is_none() && place.contains(" gauge ");
            (theirs != ours && !is_silent).then(|| format!("{place}: theirs {theirs:?}, ours {ours:?}"))
        });
        let differences: Vec<_> = differences.take(5).collect();
        (!differences.is_empty()).then(|| differences.join("\n"))
    }
}

fn spell_scope(scope: &InstrumentationScope, schema_url: &str) -> String {
    format!("{:?} {:?} {schema_url:?} {}", scope.name, scope.version, spell(&scope.attributes))
}

fn spell(attributes: &[KeyValue]) -> String {
    let mut attributes: Vec<_> =
        attributes.iter().map(|attribute| format!("{}={:?}", attribute.key, attribute.value)).collect();
    attributes.sort();
    format!("{attributes:?}")
}

/// Kind, attributes and value of each point; no value if it says that nothing came, which is as good as no point.
fn points(metric: Metric) -> Vec<(String, String, Option<String>)> {
    match metric.data.expect("a metric has points") {
        Data::Gauge(gauge) => {
            let point = |point: NumberDataPoint| {
                (String::from("gauge"), spell(&point.attributes), Some(format!("{:?}", point.value)))
            };
            gauge.data_points.into_iter().map(point).collect()
        }
        Data::Sum(sum) => {
            let kind =
                format!("sum monotonic={} temporality={}", sum.is_monotonic, sum.aggregation_temporality);
            let is_nothing = |value: &Option<number_data_point::Value>| match value {
                Some(number_data_point::Value::AsInt(value)) => *value == 0,
                Some(number_data_point::Value::AsDouble(value)) => *value == 0.0,
                None => true,
            };
            let is_delta = sum.aggregation_temporality == 1;
            let point = |point: NumberDataPoint| {
                let value = (!is_delta || !is_nothing(&point.value)).then(|| format!("{:?}", point.value));
                (kind.clone(), spell(&point.attributes), value)
            };
            sum.data_points.into_iter().map(point).collect()
        }
        Data::Histogram(histogram) => {
            let kind = format!("histogram temporality={}", histogram.aggregation_temporality);
            let point = |point: HistogramDataPoint| {
                let HistogramDataPoint { count, bucket_counts, explicit_bounds, .. } = &point;
                // Ours leaves sums out where values may be negative.
                let sum = if explicit_bounds[0] < 0.0 { None } else { point.sum };
                let value = format!("count {count} sum {sum:?} {bucket_counts:?} {explicit_bounds:?}");
                (kind.clone(), spell(&point.attributes), (*count > 0).then_some(value))
            };
            histogram.data_points.into_iter().map(point).collect()
        }
        other => panic!("{other:?}"),
    }
}
