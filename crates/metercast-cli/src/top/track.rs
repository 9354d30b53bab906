//! One line of figures over time: what a series, or a metric as a whole, was at each reading.

use std::collections::VecDeque;

use crate::page::{Distribution, Value};

use super::quantile::quantile;

/// How many readings are remembered.
const REMEMBERED: usize = 60;

/// The quantiles that are shown.
pub(crate) const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// What is known of a series, or of all of a metric together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// The value, the total, or how many values there were.
    pub(crate) value: f64,
    /// How much more than at the reading before.
    pub(crate) delta: Option<f64>,
    /// The same per second; of what only goes up.
    pub(crate) rate: Option<f64>,
    /// Quantiles of what came since the reading before, or of all at the first.
    pub(crate) quantiles: [Option<f64>; 3],
    /// What is drawn: rates of what only goes up, values of the rest.
    pub(crate) line: VecDeque<f64>,
    /// The number of the reading at which it changed last.
    pub(crate) changed: u64,
    /// Values in buckets since the reading before, or all at the first.
    buckets: Vec<(f64, f64)>,
    /// As the page had it.
    last: Option<Value>,
}

/// When a reading was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Its number, from 1.
    pub(crate) reading: u64,
    /// Seconds since the reading before; `None` at the first.
    pub(crate) since: Option<f64>,
}

impl Track {
    /// Takes the next value of a series; `adds_up` says that it only goes up.
    pub(crate) fn take(&mut self, value: Value, adds_up: bool, moment: Moment) {
        // What is new since the page was read last began at nothing.
        let is_known = moment.since.is_some();
        let before = self.last.take();
        let (now, was) = match (&value, &before) {
            (Value::Number(now), Some(Value::Number(was))) => (*now, Some(*was)),
            (Value::Number(now), _) => (*now, is_known.then_some(0.0)),
            (Value::Distribution(now), Some(Value::Distribution(was))) => (count(now), Some(count(was))),
            (Value::Distribution(now), _) => (count(now), is_known.then_some(0.0)),
        };
        if let Value::Distribution(distribution) = &value {
            let was = match &before {
                Some(Value::Distribution(was)) => Some(was),
                _ => None,
            };
            self.buckets = buckets_since(distribution, was);
            self.quantiles = if distribution.buckets.is_empty() {
                QUANTILES.map(|part| nearest(&distribution.quantiles, part))
            } else {
                QUANTILES.map(|part| quantile(part, &self.buckets))
            };
        }
        // A total that is less than before began anew.
        let was = was.map(|was| if adds_up && now < was { 0.0 } else { was });
        self.put(now, was, adds_up, moment);
        self.last = Some(value);
    }

    /// Takes what all series of a metric are at together.
    pub(crate) fn take_all<'a>(
        &mut self,
        all: impl Iterator<Item = &'a Track> + Clone,
        adds_up: bool,
        moment: Moment,
    ) {
        let value = all.clone().map(|track| track.value).sum();
        let delta: Option<f64> = moment.since.map(|_| all.clone().filter_map(|track| track.delta).sum());
        self.put(value, delta.map(|delta| value - delta), adds_up, moment);
        // The difference of two sums would not be exact.
        self.delta = delta;
        self.rate = per_second(delta, moment.since).filter(|_| adds_up);
        self.buckets.clear();
        let mut merges = true;
        for track in all.clone() {
            merges &= merge(&mut self.buckets, &track.buckets);
        }
        let mut all = all;
        self.quantiles = match (all.next(), all.next()) {
            (Some(only), None) => only.quantiles,
            _ if merges => QUANTILES.map(|part| quantile(part, &self.buckets)),
            // Buckets that are not the same do not add up.
            _ => [None; 3],
        };
    }

    /// What came since the reading before, in buckets.
    pub(crate) fn buckets(&self) -> &[(f64, f64)] {
        &self.buckets
    }

    fn put(&mut self, now: f64, was: Option<f64>, adds_up: bool, moment: Moment) {
        self.value = now;
        self.delta = was.map(|was| now - was).filter(|delta| !delta.is_nan());
        self.rate = per_second(self.delta, moment.since).filter(|_| adds_up);
        if self.delta.is_none_or(|delta| delta != 0.0) {
            self.changed = moment.reading;
        }
        let point = if adds_up { self.rate } else { Some(now) };
        if let Some(point) = point {
            if self.line.len() == REMEMBERED {
                self.line.pop_front();
            }
            self.line.push_back(point);
        }
    }
}

fn per_second(delta: Option<f64>, since: Option<f64>) -> Option<f64> {
    Some(delta? / since.filter(|since| *since > 0.0)?)
}

fn count(distribution: &Distribution) -> f64 {
    distribution.count().unwrap_or_default()
}

/// How many values came up to each bound since `was`; all of them if it is not known or the histogram began anew.
fn buckets_since(now: &Distribution, was: Option<&Distribution>) -> Vec<(f64, f64)> {
    let continues = |was: &&Distribution| {
        was.buckets.len() == now.buckets.len()
            && was.buckets.iter().zip(&now.buckets).all(|(was, now)| was.0 == now.0 && was.1 <= now.1)
    };
    match was.filter(continues) {
        Some(was) => now.buckets.iter().zip(&was.buckets).map(|(now, was)| (now.0, now.1 - was.1)).collect(),
        None => now.buckets.clone(),
    }
}

/// The quantile of a summary that is asked for, where it has just that.
fn nearest(quantiles: &[(f64, f64)], part: f64) -> Option<f64> {
    let found = quantiles.iter().find(|(there, _)| (there - part).abs() < 1e-9);
    found.map(|(_, value)| *value).filter(|value| !value.is_nan())
}

/// Adds buckets up if they have the same bounds.
pub(crate) fn merge(sum: &mut Vec<(f64, f64)>, more: &[(f64, f64)]) -> bool {
    if sum.is_empty() {
        sum.extend_from_slice(more);
        return true;
    }
    let same = more.is_empty()
        || sum.len() == more.len() && sum.iter().zip(more).all(|(one, other)| one.0 == other.0);
    if same {
        for (sum, more) in sum.iter_mut().zip(more) {
            sum.1 += more.1;
        }
    }
    same
}
