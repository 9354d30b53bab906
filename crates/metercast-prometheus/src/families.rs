//! What collectors of the prometheus crate gather, family by family.

use metercast_core::{
    LabelRef, Observation, Produced, ProducedFamily, ProducedSeries, Producer, PrometheusType, Store,
};
use prometheus::core::Collector;
use prometheus::proto::{self, Metric, MetricFamily, MetricType};

use crate::source::{Registry, Source};

impl Registry for prometheus::Registry {
    fn source(&self) -> Source {
        let registry = self.clone();
        Box::new(move |producer| say(&registry.gather(), producer))
    }

    fn name(&self) -> &'static str {
        "a registry of prometheus"
    }
}

/// Lets the current store read a collector of the prometheus crate that is in no registry, until the handle is dropped.
///
/// ```
/// use metercast_core::{LabelSet, Store};
/// use prometheus::{IntGaugeVec, Opts};
///
/// let rooms = IntGaugeVec::new(Opts::new("rooms", "Rooms, by floor."), &["floor"]).unwrap();
/// let store = Store::new();
/// let _rooms = store.scope(|| metercast_prometheus::collector(rooms.clone()));
/// rooms.with_label_values(&["2"]).set(7);
/// assert_eq!(store.collect()[0].series[0].labels.to_string(), "{floor=\"2\"}");
/// ```
#[track_caller]
pub fn collector(collector: impl Collector + 'static) -> Observation {
    Store::current().produce("a collector of prometheus", move |producer| say(&collector.collect(), producer))
}

fn say(families: &[MetricFamily], producer: &mut Producer<'_>) {
    for family in families {
        let of = match family.get_field_type() {
            MetricType::COUNTER => PrometheusType::Counter,
            MetricType::GAUGE => PrometheusType::Gauge,
            MetricType::HISTOGRAM => PrometheusType::Histogram,
            MetricType::SUMMARY => PrometheusType::Summary,
            // No type of that crate makes such, nor can every build of it tell their value.
            _ => {
                let text = format!("{:?} is a type that is not read", family.get_field_type());
                producer.problem(family.name(), &text);
                continue;
            }
        };
        let produced = Produced::prometheus(family.name(), of)
            .description(family.help())
            .scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let mut to = producer.family(&produced);
        for metric in family.get_metric() {
            say_metric(of, metric, &mut to);
        }
    }
}

fn say_metric(of: PrometheusType, metric: &Metric, to: &mut ProducedFamily<'_>) {
    let labels: Vec<LabelRef<'_>> =
        metric.get_label().iter().map(|label| (label.name(), label.value().into())).collect();
    let to = to.series(&labels);
    match of {
        PrometheusType::Counter => {
            let counter: &proto::Counter = metric.get_counter();
            to.set(counter.value());
        }
        PrometheusType::Histogram => say_histogram(metric.get_histogram(), to),
        PrometheusType::Summary => {
            let summary: &proto::Summary = metric.get_summary();
            let quantiles = summary.get_quantile().iter();
            let quantiles: Vec<_> =
                quantiles.map(|quantile| (quantile.quantile(), quantile.value())).collect();
            to.summary(summary.sample_count(), summary.sample_sum(), &quantiles);
        }
        _ => {
            let gauge: &proto::Gauge = metric.get_gauge();
            to.set(gauge.value());
        }
    }
}

fn say_histogram(histogram: &proto::Histogram, to: ProducedSeries<'_>) {
    let (mut bounds, mut up_to) = (Vec::new(), Vec::new());
    for bucket in histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound() != f64::INFINITY) {
        bounds.push(bucket.upper_bound());
        up_to.push(bucket.cumulative_count());
    }
    up_to.push(histogram.get_sample_count());
    to.cumulative_histogram(&bounds, &up_to, histogram.get_sample_sum());
}

/// The value of a counter or gauge. With that crate's feature `protobuf` it has a method `value`, and without it `get_value`; which
/// of the two builds this is, is for others to decide. A method of the type goes before one of a trait, so of these two traits
/// each build uses the one that leads to the method that it has.
#[allow(dead_code, reason = "one of them in each build")]
trait Value {
    fn value(&self) -> f64;
}

#[allow(dead_code, reason = "one of them in each build")]
trait GetValue {
    fn get_value(&self) -> f64;
}

impl Value for proto::Counter {
    fn value(&self) -> f64 {
        self.get_value()
    }
}

impl GetValue for proto::Counter {
    fn get_value(&self) -> f64 {
        self.value()
    }
}

impl Value for proto::Gauge {
    fn value(&self) -> f64 {
        self.get_value()
    }
}

impl GetValue for proto::Gauge {
    fn get_value(&self) -> f64 {
        self.value()
    }
}
