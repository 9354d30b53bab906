//! What an exporter is asked to show, at random, and what it has to show then of the raw recordings. Nothing of this knows how
//! metercast aggregates.

use std::collections::{BTreeMap, BTreeSet};

use metercast::Kind;
use metercast::view::{Filter, GaugeMerge, Projection, View, Visibilities};

use crate::recorded::{KEYS, METRICS, NEWEST, Raw};
use crate::support::random::Random;
use crate::support::told::{Key, Sample, Samples};

/// What becomes of the labels, in this order.
#[derive(Clone, Debug)]
enum Rule {
    Keep(Vec<&'static str>),
    Drop(&'static str),
    Rename(&'static str, &'static str),
}

/// Which buckets a histogram has.
#[derive(Clone, Debug)]
enum Shape {
    /// Those with these bounds, in the unit that is shown.
    Bounds(Vec<f64>),
    Exponential,
}

/// A metric as an exporter shows it.
#[derive(Clone, Debug)]
struct Stream {
    metric: usize,
    name: String,
    rules: Vec<Rule>,
    scale: f64,
    shape: Shape,
    merge: GaugeMerge,
}

/// What is known of a series that is shown.
#[derive(Clone, Debug)]
enum Seen {
    Sum(f64),
    /// The newest value of each series that was recorded, and which that was.
    Gauges(BTreeMap<[usize; 3], f64>, [usize; 3]),
    Values {
        counts: Vec<u64>,
        sum: f64,
        by_value: BTreeMap<u64, u64>,
    },
}

/// One exporter.
pub(crate) struct Shown {
    pub(crate) projection: Projection,
    streams: Vec<Stream>,
    seen: BTreeMap<(usize, Vec<(String, String)>), Seen>,
}

/// Bounds that views ask for; some that the program declares, and some that it does not.
const BOUNDS: [&[f64]; 5] = [&[1.0, 5.0], &[0.5, 2.0, 7.5], &[0.25, 5.0, 8.0], &[4.0], &[2.0, 4.0, 6.0, 8.0]];

impl Shown {
    /// An exporter whose format has exponential buckets, or not.
    pub(crate) fn at_random(random: &mut Random, has_exponential: bool) -> Shown {
        let visibility = random.pick(&[Visibilities::Public, Visibilities::Both]);
        let mut filter = Filter::new().visibility(visibility);
        let mut left_out = BTreeSet::new();
        if random.one_in(2) {
            let metric = random.below(METRICS.len());
            filter = filter.exclude(METRICS[metric].name);
            left_out.insert(metric);
        }
        let mut projection = Projection::new();
        let all = random.one_in(3).then(|| random.pick(&KEYS));
        if let Some(key) = all {
            projection = projection.view(View::of("agg.*").drop_labels([key]));
        }
        let mut streams = Vec::new();
        for (at, metric) in METRICS.iter().enumerate() {
            let mut stream = Stream {
                metric: at,
                name: metric.name.to_owned(),
                rules: all.map(Rule::Drop).into_iter().collect(),
                scale: 1.0,
                shape: Shape::Bounds(metric.bounds.to_vec()),
                merge: GaugeMerge::Newest,
            };
            let mut view = View::of(metric.name);
            view = labels(&mut stream, view, random);
            if random.one_in(3) {
                stream.name = format!("shown.{at}");
                view = view.rename(&stream.name);
            }
            if metric.kind == Kind::Gauge && at != NEWEST {
                stream.merge = random.pick(&[GaugeMerge::Sum, GaugeMerge::Min, GaugeMerge::Max]);
                view = view.gauges(stream.merge);
            }
            let (scale, view) = unit(metric.unit, view, random);
            stream.scale = scale;
            let view = buckets(&mut stream, view, random, has_exponential);
            projection = projection.view(view);
            let is_taken =
                !left_out.contains(&at) && (visibility == Visibilities::Both || !metric.is_private);
            let alias = random.one_in(4).then(|| {
                let mut alias = Stream { name: format!("also.{at}"), ..stream.clone() };
                let mut view = View::of(metric.name).alias(&alias.name);
                if random.one_in(2) {
                    let key = random.pick(&KEYS);
                    alias.rules.push(Rule::Drop(key));
                    view = view.drop_labels([key]);
                }
                (alias, view)
            });
            if is_taken {
                streams.push(stream);
            }
            if let Some((alias, view)) = alias {
                projection = projection.view(view);
                streams.extend(is_taken.then_some(alias));
            }
        }
        Shown { projection: projection.filter(filter), streams, seen: BTreeMap::new() }
    }

    /// Notes what was recorded.
    pub(crate) fn add(&mut self, raw: &Raw) {
        for (at, stream) in self.streams.iter().enumerate().filter(|(_, stream)| stream.metric == raw.metric)
        {
            let value = raw.value * stream.scale;
            let new = || match (METRICS[raw.metric].kind, &stream.shape) {
                (Kind::Gauge, _) => Seen::Gauges(BTreeMap::new(), raw.labels),
                (Kind::Histogram, Shape::Bounds(bounds)) => {
                    Seen::Values { counts: vec![0; bounds.len() + 1], sum: 0.0, by_value: BTreeMap::new() }
                }
                (Kind::Histogram, Shape::Exponential) => {
                    Seen::Values { counts: Vec::new(), sum: 0.0, by_value: BTreeMap::new() }
                }
                _ => Seen::Sum(0.0),
            };
            match self.seen.entry((at, stream.labels(raw))).or_insert_with(new) {
                Seen::Sum(sum) => *sum += value,
                Seen::Gauges(values, newest) => {
                    values.insert(raw.labels, value);
                    *newest = raw.labels;
                }
                Seen::Values { counts, sum, by_value } => {
                    *sum += value;
                    match &stream.shape {
                        Shape::Bounds(bounds) => {
                            counts[bounds.iter().take_while(|bound| value > **bound).count()] += 1;
                        }
                        Shape::Exponential => *by_value.entry(value.to_bits()).or_default() += 1,
                    }
                }
            }
        }
    }

    /// Holds what was told against what is to be told. `spell` is how the format writes names.
    pub(crate) fn check(&self, told: &Samples, spell: fn(&str) -> String) -> Result<(), String> {
        let mut left: BTreeMap<&Key, &Sample> = told.iter().collect();
        for ((at, labels), seen) in &self.seen {
            let stream = &self.streams[*at];
            let key = (spell(&stream.name), labels.clone());
            let sample = left.remove(&key).ok_or_else(|| format!("{key:?} is missing: {stream:?}"))?;
            if !stream.is_told(seen, sample) {
                return Err(format!("{key:?} is {sample:?} rather than {seen:?}: {stream:?}"));
            }
        }
        if left.is_empty() { Ok(()) } else { Err(format!("nobody asked for {left:?}")) }
    }
}

fn labels(stream: &mut Stream, mut view: View, random: &mut Random) -> View {
    match random.below(3) {
        0 => {}
        1 => {
            let keys: Vec<_> = KEYS.into_iter().filter(|_| random.one_in(2)).collect();
            view = view.keep_labels(keys.iter().copied());
            stream.rules.push(Rule::Keep(keys));
        }
        _ => {
            let key = random.pick(&KEYS);
            view = view.drop_labels([key]);
            stream.rules.push(Rule::Drop(key));
        }
    }
    if random.one_in(2) {
        let from = random.pick(&KEYS);
        let to = random.pick(&["kind", "zone", "side"]);
        if from != to {
            view = view.rename_label(from, to);
            stream.rules.push(Rule::Rename(from, to));
        }
    }
    view
}

fn unit(declared: &str, view: View, random: &mut Random) -> (f64, View) {
    match declared {
        "s" if random.one_in(2) => (1000.0, view.unit("ms")),
        "By" if random.one_in(2) => (1.0 / 1024.0, view.unit("KiBy")),
        _ => (1.0, view),
    }
}

fn buckets(stream: &mut Stream, view: View, random: &mut Random, has_exponential: bool) -> View {
    let scale = stream.scale;
    let shown = |bounds: &[f64]| bounds.iter().map(|bound| bound * scale).collect::<Vec<_>>();
    stream.shape = Shape::Bounds(shown(METRICS[stream.metric].bounds));
    if METRICS[stream.metric].kind != Kind::Histogram {
        return view;
    }
    match random.below(3) {
        0 => view,
        1 if has_exponential => {
            stream.shape = Shape::Exponential;
            view.exponential()
        }
        _ => {
            let bounds = shown(random.pick(&BOUNDS));
            stream.shape = Shape::Bounds(bounds.clone());
            view.buckets(bounds)
        }
    }
}

impl Stream {
    fn labels(&self, raw: &Raw) -> Vec<(String, String)> {
        let mut labels: Vec<(String, String)> =
            KEYS.iter().enumerate().map(|(at, key)| ((*key).to_owned(), raw.label(at))).collect();
        for rule in &self.rules {
            match rule {
                Rule::Keep(keys) => labels.retain(|(key, _)| keys.contains(&key.as_str())),
                Rule::Drop(dropped) => labels.retain(|(key, _)| key != dropped),
                Rule::Rename(from, to) if labels.iter().any(|(key, _)| key == from) => {
                    labels.retain(|(key, _)| key != to);
                    labels
                        .iter_mut()
                        .filter(|(key, _)| key == from)
                        .for_each(|(key, _)| (*to).clone_into(key));
                }
                Rule::Rename(..) => {}
            }
        }
        labels.sort();
        labels
    }

    fn is_told(&self, seen: &Seen, told: &Sample) -> bool {
        match (seen, told) {
            (Seen::Sum(sum), Sample::Number(told)) => sum == told,
            (Seen::Gauges(values, newest), Sample::Number(told)) => {
                let value = match self.merge {
                    GaugeMerge::Sum => values.values().sum(),
                    GaugeMerge::Min => values.values().copied().fold(f64::INFINITY, f64::min),
                    GaugeMerge::Max => values.values().copied().fold(f64::NEG_INFINITY, f64::max),
                    _ => values[newest],
                };
                value == *told
            }
            (Seen::Values { counts, sum, .. }, Sample::Buckets { bounds, counts: told, sum: told_sum }) => {
                matches!(&self.shape, Shape::Bounds(wanted) if wanted == bounds)
                    && counts == told
                    && sum == told_sum
            }
            (
                Seen::Values { sum, by_value, .. },
                Sample::Exponential { scale, zeroes: 0, counts, sum: told_sum },
            ) => {
                let mut wanted: BTreeMap<i32, u64> = BTreeMap::new();
                for (value, count) in by_value {
                    // The buckets are those above a power of 2^(2^-scale), up to the next.
                    let power = f64::from_bits(*value).log2() * f64::from(*scale).exp2();
                    *wanted.entry(power.ceil() as i32 - 1).or_default() += count;
                }
                let is_exact = self.scale.log2().fract() == 0.0;
                let is_near = if is_exact { wanted == *counts } else { are_near(&wanted, counts) };
                matches!(self.shape, Shape::Exponential) && is_near && sum == told_sum
            }
            _ => false,
        }
    }
}

/// Whether no count is more than one bucket away, as where the factor between two units is no power of two.
fn are_near(wanted: &BTreeMap<i32, u64>, told: &BTreeMap<i32, u64>) -> bool {
    let up_to =
        |counts: &BTreeMap<i32, u64>, at: i32| counts.range(..=at).map(|(_, count)| count).sum::<u64>();
    let mut places = wanted.keys().chain(told.keys());
    up_to(wanted, i32::MAX) == up_to(told, i32::MAX)
        && places.all(|at| (up_to(wanted, at - 1)..=up_to(wanted, at + 1)).contains(&up_to(told, *at)))
}
