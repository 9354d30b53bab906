//! The truth as the points of an OTLP message, each a value of JSON in the words of `oracle.py`.

use serde_json::{Map, Value as Json, json};

use super::{Metric, QUANTILES, Truth, Value};
use crate::given::Label;

impl Truth {
    /// The points that a message must have, sorted.
    pub fn facts(&self) -> Vec<String> {
        let mut facts: Vec<String> = self.metrics.iter().flat_map(Metric::facts).collect();
        facts.sort();
        facts
    }
}

impl Metric {
    fn facts(&self) -> impl Iterator<Item = String> {
        self.series.iter().map(|(attributes, value)| {
            let labels: Map<String, Json> =
                attributes.iter().map(|(key, value)| (key.clone(), label(value))).collect();
            let Metric { name, unit, help, kind, .. } = self;
            json!({
                "name": name, "unit": unit, "description": help, "kind": kind, "labels": labels,
                "value": self.value(value),
            })
            .to_string()
        })
    }

    fn value(&self, value: &Value) -> Json {
        match value {
            // A point has room for an i64; above that a double is the nearest.
            Value::U64(value) => match i64::try_from(*value) {
                Ok(value) => json!(["int", value.to_string()]),
                Err(_) => json!(["double", bits(*value as f64)]),
            },
            Value::I64(value) => json!(["int", value.to_string()]),
            Value::F64(value) => json!(["double", bits(*value)]),
            Value::Summary { value, count } => json!({
                "count": count.to_string(),
                "sum": bits(value * *count as f64),
                "quantiles": QUANTILES.map(|quantile| [bits(quantile), bits(*value)]),
            }),
            // No sum where values may be negative, as a bound below zero or the sum itself tells.
            Value::Histogram { counts, sum } => json!({
                "bounds": self.bounds.iter().map(|bound| bits(*bound)).collect::<Vec<_>>(),
                "counts": counts.iter().map(u64::to_string).collect::<Vec<_>>(),
                "sum": (*sum >= 0.0 && self.bounds.first().is_none_or(|bound| *bound >= 0.0)).then(|| bits(*sum)),
            }),
        }
    }
}

fn label(value: &Label) -> Json {
    match value {
        Label::Bool(value) => json!(["bool", value]),
        Label::Whole(value) => json!(["int", value.to_string()]),
        Label::Double(value) => json!(["double", bits(*value)]),
        Label::Text(value) => json!(["string", value]),
    }
}

fn bits(value: f64) -> String {
    value.to_bits().to_string()
}
