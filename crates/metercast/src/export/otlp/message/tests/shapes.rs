//! What receivers add up is what was recorded, however a message is made anew.

use std::collections::{BTreeMap, HashMap};

use metercast_core::Expiry;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;

use super::random::Random;
use super::*;
use crate::config::TemporalityPreference::Delta;
use crate::view::{Projection, View};

metrics! {
    static STEPS: Counter<u64> = "shapes.steps" { labels: { side: &str, lane: u8 } };
    static SPENT: Counter<f64> = "shapes.spent" { unit: "s", labels: { side: &str, lane: u8 } };
    static WAITS: Histogram<f64> = "shapes.waits" {
        unit: "s", buckets: [0.5, 1.0, 5.0], labels: { side: &str, lane: u8 }
    };
    static SPREAD: Histogram<f64> = "shapes.spread" {
        unit: "s", exponential: true, labels: { side: &str, lane: u8 }
    };
    static BUSY: UpDownCounter<i64> = "shapes.busy" { labels: { side: &str, lane: u8 } };
}

/// What one stream came to: by side, unless the streams did not always tell.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    counts: BTreeMap<String, i128>,
    /// In seconds.
    sums: BTreeMap<String, f64>,
}

impl Sums {
    fn count(&mut self, key: &str, count: u64) {
        *self.counts.entry(key.to_owned()).or_default() += i128::from(count);
    }

    fn sum(&mut self, key: &str, sum: f64) {
        *self.sums.entry(key.to_owned()).or_default() += sum;
    }
}

/// A back end that adds up what it is sent, whatever it is called and whichever labels it has.
#[derive(Default)]
struct Receiver {
    got: Sums,
    times: HashMap<String, u64>,
    /// The up-down counter.
    busy: i64,
}

impl Receiver {
    fn receive(&mut self, body: &[u8]) {
        let request = decoded(body);
        for metric in metrics_of(&request) {
            let name = metric.name.trim_start_matches("renamed.");
            let in_seconds = match &*metric.unit {
                "ms" => 1e-3,
                "min" => 60.0,
                _ => 1.0,
            };
            match metric.data.clone().unwrap() {
                Data::Sum(sum) if name.ends_with("busy") => {
                    assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (2, false));
                    self.busy = sum.data_points.iter().map(|point| int(point) as i64).sum();
                }
                Data::Sum(sum) => {
                    assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (1, true));
                    for point in sum.data_points {
                        self.interval(
                            metric,
                            &point.attributes,
                            point.start_time_unix_nano,
                            point.time_unix_nano,
                        );
                        match point.value.unwrap() {
                            NumberValue::AsInt(value) => {
                                assert!(value > 0, "{name} came by {value}");
                                self.got.count(name, value as u64);
                            }
                            NumberValue::AsDouble(value) => {
                                assert!(value > 0.0, "{name} came by {value}");
                                self.got.sum(name, value * in_seconds);
                            }
                        }
                    }
                }
                Data::Histogram(histogram) => {
                    assert_eq!(histogram.aggregation_temporality, 1);
                    for point in histogram.data_points {
                        self.interval(
                            metric,
                            &point.attributes,
                            point.start_time_unix_nano,
                            point.time_unix_nano,
                        );
                        assert!(point.count > 0);
                        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                        // Each of the views has the bound of one second, and so has the program.
                        let second = point.explicit_bounds.iter().position(|bound| bound * in_seconds == 1.0);
                        let up_to = second.map(|at| point.bucket_counts[..=at].iter().sum::<u64>());
                        self.got.count(&format!("{name} up to a second"), up_to.expect("there is the bound"));
                        self.got.count(name, point.count);
                        self.got.sum(name, point.sum.unwrap() * in_seconds);
                    }
                }
                Data::ExponentialHistogram(histogram) => {
                    assert_eq!(histogram.aggregation_temporality, 1);
                    for point in histogram.data_points {
                        self.interval(
                            metric,
                            &point.attributes,
                            point.start_time_unix_nano,
                            point.time_unix_nano,
                        );
                        assert!(point.count > 0 && point.negative.is_none());
                        let Buckets { offset, bucket_counts } = point.positive.unwrap_or_default();
                        assert_eq!(point.zero_count + bucket_counts.iter().sum::<u64>(), point.count);
                        // The index of the first bucket above a second, which is a bound at every scale.
                        let above = ((1.0 / in_seconds).log2() * f64::from(point.scale).exp2()).round();
                        let below = (above as i32 - offset).clamp(0, bucket_counts.len() as i32) as usize;
                        let up_to = point.zero_count + bucket_counts[..below].iter().sum::<u64>();
                        self.got.count(&format!("{name} up to a second"), up_to);
                        self.got.count(name, point.count);
                        self.got.sum(name, point.sum.unwrap() * in_seconds);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Points of a series do not overlap. What was kept in other buckets than are shown now may come beside.
    fn interval(&mut self, metric: &Metric, attributes: &[common::KeyValue], start: u64, time: u64) {
        let data = std::mem::discriminant(metric.data.as_ref().unwrap());
        let series = format!("{} {data:?} {attributes:?}", metric.name);
        let last = self.times.insert(series.clone(), time).unwrap_or_default();
        assert!(last <= start && start < time, "{series}: {last}, {start}..{time}");
    }
}

fn int(point: &NumberDataPoint) -> i128 {
    match point.value {
        Some(NumberValue::AsInt(value)) => value.into(),
        ref other => panic!("{other:?}"),
    }
}

/// Any labels, units, names and buckets.
fn shape(random: &mut Random) -> Projection {
    let mut views = Vec::new();
    views.push(match random.below(4) {
        0 => View::of("shapes.*"),
        1 => View::of("shapes.*").drop_labels(["lane"]),
        2 => View::of("shapes.*").keep_labels(["lane"]),
        _ => View::of("shapes.*").keep_labels(Vec::<&str>::new()),
    });
    let (unit, in_unit) = [("s", 1.0), ("ms", 1e3)][random.below(2) as usize];
    views.push(View::of("shapes.*").kind(metercast_core::Kind::Histogram).unit(unit));
    views.push(View::of("shapes.spent").unit(unit));
    let bounds: &[f64] = match random.below(7) {
        0 => &[0.5, 1.0, 5.0],
        1 => &[1.0],
        2 => &[1.0, 5.0],
        3 => &[0.25, 1.0, 2.0],
        4 => &[0.125, 1.0, 2.0, 5.0],
        5 => {
            views.push(View::of("shapes.waits").exponential());
            &[]
        }
        _ => &[],
    };
    if !bounds.is_empty() {
        let in_unit: Vec<_> = bounds.iter().map(|bound| bound * in_unit).collect();
        views.push(View::of("shapes.waits").buckets(in_unit));
    }
    if random.below(3) == 0 {
        views.push(View::of("shapes.steps").rename("renamed.shapes.steps"));
    }
    // Second streams, which are always there, with labels, buckets and units of their own.
    let of = |name: &str| View::of(format!("shapes.{name}")).alias(format!("second.{name}"));
    views.push(match random.below(2) {
        0 => of("steps"),
        _ => of("steps").drop_labels(["side"]),
    });
    views.push(match random.below(3) {
        0 => of("waits").unit("s").buckets([1.0, 3.0]),
        1 => of("waits").unit("ms").buckets([500.0, 1e3, 5e3]).drop_labels(["lane"]),
        _ => of("waits").exponential(),
    });
    views.push(of("spent").unit("min").drop_labels(["*"]));
    let mut projection = views.into_iter().fold(Projection::new(), Projection::view);
    if random.below(4) == 0 {
        projection = projection.limit(1 + random.below(5) as usize);
    }
    projection
}

#[test]
fn whatever_shape_a_message_has_all_adds_up_to_the_truth() {
    for seed in 0..40 {
        let (store, mut random) = (Store::new(), Random(seed));
        let options = OtlpOptions::default().temporality(Delta);
        if seed % 2 > 0 {
            store.set_expiry(Some(Expiry::after(Duration::ZERO)));
        }
        let mut message = OtlpMessage::with_projection(&[], options, shape(&mut random));
        message.prepare(&store);
        let (mut receiver, mut truth, mut busy) = (Receiver::default(), Sums::default(), 0);
        let mut in_doubt: Vec<Request> = Vec::new();
        for _ in 0..400 {
            match random.below(24) {
                0 => {
                    if random.below(2) == 0 {
                        drop(store.collect());
                    }
                    message.reshape(&store, &[], options, shape(&mut random));
                }
                // One finds that nothing comes, the next ends what is idle, and the third gives its memory away.
                1 if seed % 2 > 0 => (0..3).for_each(|_| drop(store.collect())),
                1..6 if in_doubt.is_empty() => {
                    let limit = [usize::MAX, 700][random.below(2) as usize];
                    for request in message.requests(&store, limit) {
                        match random.below(4) {
                            0 => drop(request),
                            1 => in_doubt.push(request),
                            _ => {
                                receiver.receive(request.body());
                                message.delivered(request);
                            }
                        }
                    }
                }
                1..6 => {
                    for request in std::mem::take(&mut in_doubt) {
                        match random.below(4) {
                            0 => in_doubt.push(request),
                            1 => drop(request),
                            _ => {
                                receiver.receive(request.body());
                                message.delivered(request);
                            }
                        }
                    }
                }
                _ => store.scope(|| {
                    let labels = (["a", "b"][random.below(2) as usize], random.below(3) as u8);
                    // Eighths add up without rounding.
                    let value = random.below(80) as f64 / 8.0;
                    match random.below(5) {
                        0 => {
                            let amount = random.below(1000);
                            STEPS.add(amount, labels);
                            truth.count("shapes.steps", amount);
                        }
                        1 => {
                            SPENT.add(value, labels);
                            truth.sum("shapes.spent", value);
                        }
                        2 => {
                            WAITS.record(value, labels);
                            truth.count("shapes.waits", 1);
                            truth.count("shapes.waits up to a second", u64::from(value <= 1.0));
                            truth.sum("shapes.waits", value);
                        }
                        3 => {
                            SPREAD.record(value, labels);
                            truth.count("shapes.spread", 1);
                            truth.count("shapes.spread up to a second", u64::from(value <= 1.0));
                            truth.sum("shapes.spread", value);
                        }
                        _ => {
                            let by = random.below(7) as i64 - 3;
                            BUSY.add(by, labels);
                            busy += by;
                        }
                    }
                }),
            }
        }
        for request in in_doubt {
            receiver.receive(request.body());
            message.delivered(request);
        }
        for _ in 0..2 {
            for request in message.requests(&store, usize::MAX) {
                receiver.receive(request.body());
                message.delivered(request);
            }
        }
        // The second streams have told the same.
        let is_twice = |name: &str| ["steps", "waits", "spent"].iter().any(|twice| name.contains(twice));
        for (name, count) in truth.counts.clone().into_iter().filter(|(name, _)| is_twice(name)) {
            truth.counts.insert(name.replace("shapes.", "second."), count);
        }
        for (name, sum) in truth.sums.clone().into_iter().filter(|(name, _)| is_twice(name)) {
            truth.sums.insert(name.replace("shapes.", "second."), sum);
        }
        assert_eq!(receiver.got.counts, truth.counts, "seed {seed}");
        assert_eq!(receiver.busy, busy, "seed {seed}");
        for (name, expected) in &truth.sums {
            let got = receiver.got.sums[name];
            // Milliseconds are no binary fractions of a second.
            assert!(
                (got - expected).abs() <= expected.abs() * 1e-12,
                "{name}: {got}, {expected}, seed {seed}"
            );
        }
    }
}
