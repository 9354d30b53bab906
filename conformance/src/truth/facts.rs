//! The truth as the points of an OTLP message, each a value of JSON in the words of `oracle.py`.

use serde_json::{Map, Value as Json, json};

use super::{Exemplar, Metric, QUANTILES, Truth, Value};
use crate::given::Label;

impl Truth {
    /// The points that a message must have, sorted.
    pub fn facts(&self) -> Vec<String> {
        let mut facts: Vec<String> =
            self.metrics.iter().flat_map(|metric| metric.facts(self.is_delta)).collect();
        facts.sort();
        facts
    }
}

impl Metric {
    fn facts(&self, is_delta: bool) -> impl Iterator<Item = String> {
        self.series.iter().enumerate().map(move |(at, (attributes, value))| {
            let labels: Map<String, Json> =
                attributes.iter().map(|(key, value)| (key.clone(), label(value))).collect();
            let Metric { name, unit, help, .. } = self;
            let kind = if self.exponential { "exponential_histogram" } else { &self.kind };
            let exemplars: Vec<Json> =
                self.exemplars.range((at, 0)..(at + 1, 0)).map(|(_, one)| one.fact()).collect();
            json!({
                "name": name, "unit": unit, "description": help, "kind": kind, "labels": labels,
                "value": self.value(value), "exemplars": exemplars,
                "delta": is_delta && matches!(&*self.kind, "counter" | "histogram"),
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
            Value::Histogram { sum, values, .. } if self.exponential => exponential(*sum, values),
            // No sum where values may be negative, as a bound below zero or the sum itself tells.
            Value::Histogram { counts, sum, .. } => json!({
                "bounds": self.bounds.iter().map(|bound| bits(*bound)).collect::<Vec<_>>(),
                "counts": counts.iter().map(u64::to_string).collect::<Vec<_>>(),
                "sum": (*sum >= 0.0 && self.bounds.first().is_none_or(|bound| *bound >= 0.0)).then(|| bits(*sum)),
            }),
        }
    }
}

impl Exemplar {
    fn fact(&self) -> Json {
        let (trace, span) = self.ids.clone().unwrap_or_default();
        json!([bits(self.value), trace, span])
    }
}

/// OpenTelemetry, "Base2 Exponential Bucket Histogram Aggregation": the finest scale, of at most 20, with at most 160 buckets of a sign.
fn exponential(sum: f64, values: &[f64]) -> Json {
    let powers = |sign: f64| {
        let of_it = values.iter().map(move |value| value * sign).filter(|value| *value > 0.0);
        of_it.map(|value| value.log2() as i64).collect::<Vec<_>>()
    };
    let (above, below) = (powers(1.0), powers(-1.0));
    let width =
        |powers: &[i64]| powers.iter().max().zip(powers.iter().min()).map_or(0, |(high, low)| high - low);
    let widest = width(&above).max(width(&below));
    let scale = (0..=20).rev().find(|scale| widest << scale < 160).expect("so few are all powers of two");
    // A power of two is the upper bound of its bucket.
    let buckets = |powers: Vec<i64>| {
        let Some(low) = powers.iter().min().copied() else { return json!([0, Vec::<String>::new()]) };
        let mut counts = vec![0_u64; (width(&powers) << scale) as usize + 1];
        powers.iter().for_each(|power| counts[((power - low) << scale) as usize] += 1);
        json!([(low << scale) - 1, counts.iter().map(u64::to_string).collect::<Vec<_>>()])
    };
    json!({
        "scale": scale,
        "zeros": values.iter().filter(|value| **value == 0.0).count().to_string(),
        "sum": below.is_empty().then(|| bits(sum)),
        "positive": buckets(above),
        "negative": buckets(below),
    })
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
