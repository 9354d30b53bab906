//! The value of a series that is kept while others are added to it.

use std::cmp::Reverse;

use metercast_core::Exemplar;
use metercast_core::reading::{BucketsView, Exponential, PointView, SummaryView, interned_bounds};

use super::change::GaugeMerge;
use super::unit::scaled;

/// The value of one series or of several.
#[derive(Clone, Debug)]
pub(crate) enum Total {
    U64(u64),
    I64(i64),
    F64(f64),
    Histogram { bounds: &'static [f64], counts: Vec<u64>, sum: f64 },
    Exponential(Exponential),
    Summary { quantiles: Vec<(f64, f64)>, asked: &'static [f64], count: u64, sum: f64 },
}

/// The most buckets of either sign where exponential histograms are added up and nothing else is said: OpenTelemetry's default.
pub(super) const MOST_BUCKETS: u32 = 160;

impl Total {
    /// `None` for what is not known here.
    pub(crate) fn of(value: &PointView<'_>) -> Option<Total> {
        Some(match *value {
            PointView::U64(value) => Total::U64(value),
            PointView::I64(value) => Total::I64(value),
            PointView::F64(value) => Total::F64(value),
            PointView::Histogram(BucketsView { bounds, counts, sum, .. }) => {
                Total::Histogram { bounds, counts: counts.to_vec(), sum }
            }
            PointView::Exponential(exponential) => Total::Exponential(exponential.clone()),
            PointView::Summary(SummaryView { count, sum, quantiles, asked, .. }) => {
                Total::Summary { quantiles: quantiles.to_vec(), asked, count, sum }
            }
            _ => return None,
        })
    }

    /// To give to who reads.
    pub(super) fn view(&self) -> PointView<'_> {
        match self {
            Total::U64(value) => PointView::U64(*value),
            Total::I64(value) => PointView::I64(*value),
            Total::F64(value) => PointView::F64(*value),
            Total::Histogram { bounds, counts, sum } => {
                PointView::Histogram(BucketsView::of(bounds, counts, *sum))
            }
            Total::Exponential(exponential) => PointView::Exponential(exponential),
            Total::Summary { quantiles, asked, count, sum } => {
                PointView::Summary(SummaryView::of(*count, *sum, quantiles, asked))
            }
        }
    }

    /// Becomes this value. Memory is used again.
    pub(super) fn become_like(&mut self, value: &PointView<'_>) {
        match (self, *value) {
            (
                Total::Histogram { bounds, counts, sum },
                PointView::Histogram(BucketsView { bounds: others, counts: now, sum: and, .. }),
            ) => {
                (*bounds, *sum) = (others, and);
                counts.clear();
                counts.extend_from_slice(now);
            }
            (to, value) => {
                if let Some(value) = Total::of(&value) {
                    *to = value;
                }
            }
        }
    }

    /// Adds what another series of the same metric holds; exponential buckets become no more than `most` of either sign.
    pub(crate) fn add(&mut self, other: &PointView<'_>, most: Option<u32>) {
        match (&mut *self, *other) {
            (Total::U64(to), PointView::U64(value)) => *to = to.wrapping_add(value),
            (Total::I64(to), PointView::I64(value)) => *to = to.wrapping_add(value),
            (Total::F64(to), PointView::F64(value)) => *to += value,
            (
                Total::Histogram { bounds, counts, sum },
                PointView::Histogram(BucketsView { bounds: others, counts: more, sum: and, .. }),
            ) => {
                let down;
                let mut more = more;
                if !std::ptr::eq(*bounds, others) && *bounds != others {
                    let common: Vec<f64> =
                        bounds.iter().copied().filter(|bound| others.contains(bound)).collect();
                    let common = interned_bounds(&common).unwrap_or_default();
                    down = summed_down(others, more, common, and);
                    more = &down;
                    *counts = summed_down(bounds, counts, common, *sum);
                    *bounds = common;
                }
                counts.iter_mut().zip(more).for_each(|(to, count)| *to = to.wrapping_add(*count));
                *sum += and;
            }
            (Total::Exponential(to), PointView::Exponential(other)) => {
                to.add_up(other, most.unwrap_or(MOST_BUCKETS));
            }
            (
                Total::Summary { quantiles, asked, count, sum },
                PointView::Summary(SummaryView { count: more, sum: and, .. }),
            ) => {
                *asked = &[];
                // Those of all values together cannot be known.
                quantiles.clear();
                *count = count.wrapping_add(more);
                *sum += and;
            }
            // Some of them were too large for a whole number, as their unit is so small.
            (
                to @ (Total::U64(_) | Total::I64(_) | Total::F64(_)),
                other @ (PointView::U64(_) | PointView::I64(_) | PointView::F64(_)),
            ) => {
                *to = Total::F64(to.number() + number(&other));
            }
            // Kept in different buckets: what both know is how many there were, and their sum.
            (to, other) => {
                let other = Total::of(&other).and_then(|other| other.count_and_sum());
                if let (Some((count, sum)), Some((more, and))) = (to.count_and_sum(), other) {
                    let counts = vec![count.wrapping_add(more)];
                    *to = Total::Histogram { bounds: &[], counts, sum: sum + and };
                }
            }
        }
    }

    fn count_and_sum(&self) -> Option<(u64, f64)> {
        match self {
            Total::Histogram { counts, sum, .. } => {
                Some((counts.iter().fold(0u64, |all, count| all.wrapping_add(*count)), *sum))
            }
            Total::Exponential(exponential) => Some((exponential.count(), exponential.sum)),
            _ => None,
        }
    }

    /// What stands for two gauges, of which the other was set later or not.
    pub(super) fn merge(&mut self, other: &PointView<'_>, merge: GaugeMerge, is_newer: bool) {
        let is_better = match merge {
            GaugeMerge::Sum => return self.add(other, None),
            GaugeMerge::Newest => is_newer,
            GaugeMerge::Min => number(other) < self.number(),
            GaugeMerge::Max => number(other) > self.number(),
        };
        if is_better {
            self.become_like(other);
        }
    }

    /// How much was counted: the number, or how many values there were.
    pub(crate) fn amount(&self) -> f64 {
        match self {
            Total::Summary { count, .. } => *count as f64,
            _ => self.count_and_sum().map_or_else(|| self.number(), |(count, _)| count as f64),
        }
    }

    /// Makes a double that is less by what rounding comes to as large as this.
    pub(super) fn round_up_to(&mut self, least: f64) {
        if let Total::F64(value) = self
            && least.is_finite()
            && *value < least
            && least - *value <= least * 1e-12
        {
            *value = least;
        }
    }

    fn number(&self) -> f64 {
        number(&self.view())
    }
}

fn number(value: &PointView<'_>) -> f64 {
    match *value {
        PointView::U64(value) => value as f64,
        PointView::I64(value) => value as f64,
        PointView::F64(value) => value,
        _ => 0.0,
    }
}

/// Counts for fewer bounds, which are all among `from`.
fn summed_down(from: &'static [f64], counts: &[u64], to: &'static [f64], sum: f64) -> Vec<u64> {
    let mut down = Vec::new();
    BucketsView::of(from, counts, sum).counts_at(to, &mut down);
    down
}

/// A number in another unit: whole ones stay whole if the factor is, and they do not become too large for that.
pub(crate) fn scaled_number(value: PointView<'_>, scale: f64) -> PointView<'_> {
    let is_whole = scale.fract() == 0.0 && scale < 1e18;
    match value {
        PointView::U64(value) => {
            let whole = if is_whole { value.checked_mul(scale as u64) } else { None };
            whole.map_or_else(|| PointView::F64(scaled(value as f64, scale)), PointView::U64)
        }
        PointView::I64(value) => {
            let whole = if is_whole { value.checked_mul(scale as i64) } else { None };
            whole.map_or_else(|| PointView::F64(scaled(value as f64, scale)), PointView::I64)
        }
        PointView::F64(value) => PointView::F64(scaled(value, scale)),
        value => value,
    }
}

/// Of exemplars the newest of each bucket, lower ones first; of a number only the newest. More than this are never kept.
pub(super) fn newest(exemplars: &mut Vec<Exemplar>, value: &Total) {
    const MOST: usize = 64;
    exemplars.sort_by_key(|exemplar| Reverse(exemplar.time));
    match value {
        Total::Histogram { bounds, .. } => {
            let mut met = vec![false; bounds.len() + 1];
            exemplars.retain(|exemplar| {
                let bucket = bounds.partition_point(|bound| *bound < exemplar.value);
                !std::mem::replace(&mut met[bucket], true)
            });
        }
        Total::Exponential(_) => exemplars.truncate(MOST),
        _ => exemplars.truncate(1),
    }
    exemplars.sort_by(|a, b| a.value.total_cmp(&b.value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_that_is_too_large_in_another_unit_becomes_a_double_and_is_added_to_others() {
        let of = |value, scale| Total::of(&scaled_number(value, scale)).unwrap();
        let spelled = |total: &Total| format!("{total:?}");
        let cases = [
            (PointView::U64(1 << 60), 8.0, "U64(9223372036854775808)"),
            (PointView::U64(1 << 62), 8.0, "F64(3.6893488147419103e19)"),
            (PointView::I64(-(1 << 60)), 8.0, "I64(-9223372036854775808)"),
            (PointView::I64(-(1 << 62)), 8.0, "F64(-3.6893488147419103e19)"),
            (PointView::U64(5), 1e-3, "F64(0.005)"),
        ];
        for (value, scale, expected) in cases {
            assert_eq!(spelled(&of(value, scale)), expected);
        }
        for (first, second) in [(1 << 62, 1 << 61), (1 << 61, 1 << 62)] {
            let mut total = of(PointView::U64(first), 8.0);
            total.add(&of(PointView::U64(second), 8.0).view(), None);
            assert_eq!(spelled(&total), "F64(5.5340232221128655e19)");
        }
    }
}
