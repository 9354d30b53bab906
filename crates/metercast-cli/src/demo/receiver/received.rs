//! What was received: the last value of every series, and whether the values before it fit.

use std::collections::BTreeMap;

use super::message::{CUMULATIVE, MetricData, MetricKind, Point};
use super::protobuf::DecodeError;
use crate::demo::totals::{Distribution, Labels, METRICS, Totals, Value};

/// The values of every series after the last message.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) messages: u64,
    series: BTreeMap<String, BTreeMap<Labels, Point>>,
}

impl Received {
    /// Takes in the metrics of one message.
    ///
    /// # Errors
    ///
    /// What makes no sense in it; then nothing is taken in.
    pub(super) fn take(&mut self, metrics: Vec<MetricData>) -> Result<(), DecodeError> {
        for metric in &metrics {
            for point in &metric.points {
                self.check(metric, point).map_err(DecodeError::Meaning)?;
            }
        }
        for metric in metrics {
            let series = self.series.entry(metric.name).or_default();
            series.extend(metric.points.into_iter().map(|point| (point.labels.clone(), point)));
        }
        self.messages += 1;
        Ok(())
    }

    fn check(&self, metric: &MetricData, point: &Point) -> Result<(), &'static str> {
        let before = self.series.get(&metric.name).and_then(|series| series.get(&point.labels));
        let only_grows = match metric.kind {
            MetricKind::Unknown => return Err("a metric is of a kind that is not understood here"),
            MetricKind::Gauge => return Ok(()),
            MetricKind::Sum { temporality, .. } | MetricKind::Histogram { temporality }
                if temporality != CUMULATIVE =>
            {
                return Err("only cumulative values are understood here");
            }
            MetricKind::Sum { is_monotonic, .. } => is_monotonic,
            MetricKind::Histogram { .. } => {
                if point.buckets.len() != point.bounds.len() + 1 {
                    return Err("a histogram does not have one bucket more than bounds");
                }
                if point.buckets.iter().sum::<u64>() != point.count {
                    return Err("the buckets of a histogram do not add up to its count");
                }
                true
            }
        };
        if point.start == 0 || point.start > point.time {
            return Err("a point has no start, or starts after its time");
        }
        let shrinks = |before: &Point| {
            before.start != point.start || point.value < before.value || point.count < before.count
        };
        if only_grows && before.is_some_and(shrinks) {
            return Err("a total is less than before, or starts anew");
        }
        Ok(())
    }

    /// What was said of the metrics that are compared.
    pub(super) fn totals(&self) -> Totals {
        let values = |name| {
            let series = self.series.get(name).into_iter().flatten();
            series.map(|(labels, point)| (labels.clone(), point.total())).collect()
        };
        METRICS.into_iter().map(|metric| (metric, values(metric.name))).collect()
    }
}

impl Point {
    fn total(&self) -> Value {
        if self.buckets.is_empty() {
            return Value::Number(self.value);
        }
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.buckets.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        let up_to = bounds.zip(counts).collect();
        Value::Histogram(Distribution { count: self.count, sum: self.sum, up_to })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::totals::{ORDER_AMOUNT, ORDERS_PLACED};
    use super::*;

    const COUNTER: MetricKind = MetricKind::Sum { temporality: CUMULATIVE, is_monotonic: true };

    fn message(name: &str, kind: MetricKind, point: Point) -> Vec<MetricData> {
        vec![MetricData { name: name.to_owned(), kind, points: vec![point] }]
    }

    fn value(value: f64) -> Point {
        Point { start: 1, time: 2, value, ..Point::default() }
    }

    #[test]
    fn the_last_value_stays() {
        let mut received = Received::default();
        for total in [1.0, 5.0, 5.0] {
            received.take(message("orders.placed", COUNTER, value(total))).unwrap();
        }
        let histogram = Point { count: 3, sum: 9.0, bounds: vec![2.5], buckets: vec![1, 2], ..value(0.0) };
        let kind = MetricKind::Histogram { temporality: CUMULATIVE };
        received.take(message("order.amount", kind, histogram)).unwrap();
        let totals = received.totals();
        assert_eq!(received.messages, 4);
        assert_eq!(totals[&ORDERS_PLACED][&Labels::default()], Value::Number(5.0));
        let amounts = Distribution { count: 3, sum: 9.0, up_to: vec![(2.5, 1), (f64::INFINITY, 3)] };
        assert_eq!(totals[&ORDER_AMOUNT][&Labels::default()], Value::Histogram(amounts));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let mut received = Received::default();
        received.take(message("a", COUNTER, value(5.0))).unwrap();
        let histogram = MetricKind::Histogram { temporality: CUMULATIVE };
        let delta = MetricKind::Sum { temporality: 1, is_monotonic: true };
        for (kind, point, fault) in [
            (COUNTER, value(4.0), "a total is less than before, or starts anew"),
            (COUNTER, Point { start: 2, ..value(6.0) }, "a total is less than before, or starts anew"),
            (COUNTER, Point { start: 0, ..value(6.0) }, "a point has no start, or starts after its time"),
            (COUNTER, Point { time: 0, ..value(6.0) }, "a point has no start, or starts after its time"),
            (delta, value(6.0), "only cumulative values are understood here"),
            (histogram, value(6.0), "a histogram does not have one bucket more than bounds"),
            (
                histogram,
                Point { buckets: vec![1], ..value(6.0) },
                "the buckets of a histogram do not add up to its count",
            ),
            (MetricKind::Unknown, value(6.0), "a metric is of a kind that is not understood here"),
        ] {
            let error = received.take(message("a", kind, point)).unwrap_err();
            assert_eq!(error.to_string(), fault);
        }
        assert_eq!(received.messages, 1);
        assert_eq!(received.series["a"][&Labels::default()].value, 5.0);
        let shrinking = MetricKind::Sum { temporality: CUMULATIVE, is_monotonic: false };
        received.take(message("b", shrinking, value(5.0))).unwrap();
        received.take(message("b", shrinking, value(4.0))).unwrap();
    }
}
