//! What becomes of a histogram: which buckets it has, or that it is a summary.

use std::time::Duration;

use crate::error::RecorderError;
use crate::matcher::{Matcher, spelled};

/// What a histogram of the facade is kept as.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A histogram with bounds that fit its unit.
    ByUnit,
    /// A histogram with these upper bounds.
    Bounds(Vec<f64>),
    /// A histogram whose buckets find their own bounds.
    Exponential,
    /// A summary.
    Summary,
}

/// The rules of one recorder.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// In the order of precedence, each matcher once.
    of_metrics: Vec<(Matcher, Shape)>,
    unmatched: Shape,
    /// Of all summaries.
    pub(crate) quantiles: Vec<f64>,
    pub(crate) window: Duration,
}

/// The quantiles of metrics-exporter-prometheus.
const QUANTILES: [f64; 7] = [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0];

impl Rules {
    pub(crate) fn new() -> Rules {
        Rules {
            of_metrics: Vec::new(),
            unmatched: Shape::ByUnit,
            quantiles: QUANTILES.to_vec(),
            window: Duration::from_secs(60),
        }
    }

    /// What all are that no rule names.
    pub(crate) fn unmatched(&mut self, shape: Shape) {
        self.unmatched = shape;
    }

    /// What those are that match; said again, the last one counts.
    pub(crate) fn matched(&mut self, matcher: Matcher, shape: Shape) {
        let matcher = matcher.spelled();
        match self.of_metrics.binary_search_by(|(there, _)| there.cmp(&matcher)) {
            Ok(at) => self.of_metrics[at].1 = shape,
            Err(at) => self.of_metrics.insert(at, (matcher, shape)),
        }
    }

    /// What the histogram of this name is.
    pub(crate) fn of(&self, name: &str) -> &Shape {
        let name = spelled(name);
        let rule = self.of_metrics.iter().find(|(matcher, _)| matcher.matches_spelled(&name));
        rule.map_or(&self.unmatched, |(_, shape)| shape)
    }

    /// Itself, if it makes sense.
    pub(crate) fn checked(self) -> Result<Rules, RecorderError> {
        let all = "all metrics without a rule of their own".to_owned();
        let of_metrics = self.of_metrics.iter().map(|(matcher, shape)| (matcher.to_string(), shape));
        for (of, shape) in of_metrics.chain([(all, &self.unmatched)]) {
            if let Shape::Bounds(bounds) = shape
                && let Some(fault) = fault_of_bounds(bounds)
            {
                return Err(RecorderError::Buckets { of, fault });
            }
        }
        if self.quantiles.is_empty() {
            return Err(RecorderError::Quantiles(
                "there are none; name at least one, such as 0.5".to_owned(),
            ));
        }
        if let Some(quantile) = self.quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
            return Err(RecorderError::Quantiles(format!(
                "{quantile} is not from 0 to 1; write 0.99 for the 99th percentile"
            )));
        }
        if !self.quantiles.is_sorted_by(|a, b| a < b) {
            return Err(RecorderError::Quantiles(format!("{:?} do not increase; sort them", self.quantiles)));
        }
        if self.window < Duration::from_secs(1) {
            return Err(RecorderError::Window(self.window));
        }
        Ok(self)
    }
}

/// As many as histograms of the store have at most.
const MOST_BOUNDS: usize = 510;

fn fault_of_bounds(bounds: &[f64]) -> Option<String> {
    if bounds.is_empty() {
        return Some("there are no bounds; name at least one, or leave the rule out".to_owned());
    }
    if bounds.len() > MOST_BOUNDS {
        return Some(format!("there are {} bounds; at most {MOST_BOUNDS} are kept", bounds.len()));
    }
    if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
        return Some(format!("the bound {bound} is not finite; leave it out, the last bucket is implied"));
    }
    if !bounds.is_sorted_by(|a, b| a < b) {
        return Some(format!("the bounds {bounds:?} do not increase; sort them"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_particular_rule_counts_and_of_equal_ones_the_last() {
        let mut rules = Rules::new();
        let of = |bound| Shape::Bounds(vec![bound]);
        rules.matched(Matcher::Suffix("foo".to_owned()), of(1.0));
        rules.matched(Matcher::Prefix("metrics.testing".to_owned()), of(2.0));
        rules.matched(Matcher::Full("metrics.testing foo".to_owned()), of(3.0));
        rules.matched(Matcher::Full("metrics_testing_foo".to_owned()), of(4.0));
        rules.unmatched(Shape::Summary);
        assert_eq!(rules.of("metrics.testing_foo"), &of(4.0));
        assert_eq!(rules.of("metrics.testing_bar"), &of(2.0));
        assert_eq!(rules.of("metrics_testin_foo"), &of(1.0));
        assert_eq!(rules.of("metrics.wee"), &Shape::Summary);
    }
}
