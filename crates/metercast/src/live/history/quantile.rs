//! Quantiles of the values that came between two readings of a distribution, from its buckets.

use crate::view::Total;

/// The value below which this part of what came since `before` is, `q` from 0 to 1; `None` if nothing came, or if that is not known.
///
/// In buckets with bounds a value lies evenly between them; the lowest bucket begins at 0 if its bound is above that, and what is above the last bound is
/// at that bound. Both are as in Prometheus' `histogram_quantile`.
pub(super) fn between(before: Option<&Total>, now: &Total, q: f64) -> Option<f64> {
    match (before, now) {
        (None, Total::Histogram { bounds, counts, .. }) => of_buckets(bounds, counts, q),
        (
            Some(Total::Histogram { bounds: old, counts: before, .. }),
            Total::Histogram { bounds, counts, .. },
        ) => {
            if old != bounds || before.len() != counts.len() {
                return None;
            }
            let came: Option<Vec<u64>> =
                counts.iter().zip(before).map(|(now, before)| now.checked_sub(*before)).collect();
            of_buckets(bounds, &came?, q)
        }
        (None, Total::Exponential(now)) => now.quantile(q),
        (Some(Total::Exponential(before)), Total::Exponential(now)) => now.since(before).quantile(q),
        _ => None,
    }
}

fn of_buckets(bounds: &[f64], counts: &[u64], q: f64) -> Option<f64> {
    let count: u64 = counts.iter().sum();
    if count == 0 || bounds.is_empty() {
        return None;
    }
    let rank = q * count as f64;
    let mut below = 0.0;
    for (at, inside) in counts.iter().map(|count| *count as f64).enumerate() {
        if below + inside < rank || inside == 0.0 {
            below += inside;
            continue;
        }
        let Some(&upper) = bounds.get(at) else { break };
        let lower = match at.checked_sub(1) {
            Some(before) => bounds[before],
            None if upper > 0.0 => 0.0,
            None => return Some(upper),
        };
        return Some(lower + (upper - lower) * (rank - below) / inside);
    }
    bounds.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Prometheus 2.53 answers to `histogram_quantile` over the same buckets.
    #[test]
    fn quantiles_are_those_of_prometheus() {
        let cases: [(&[f64], &[u64], f64, f64); 9] = [
            (&[1.0, 2.0, 4.0], &[10, 10, 10, 0], 0.5, 1.5),
            (&[1.0, 2.0, 4.0], &[10, 10, 10, 0], 0.95, 3.7),
            (&[1.0, 2.0, 4.0], &[0, 0, 0, 5], 0.5, 4.0),
            (&[1.0, 2.0, 4.0], &[4, 0, 0, 0], 0.5, 0.5),
            (&[1.0, 2.0, 4.0], &[4, 0, 4, 0], 0.5, 1.0),
            (&[-2.0, 1.0], &[4, 0, 0], 0.5, -2.0),
            (&[-2.0, 1.0], &[0, 4, 0], 0.5, -0.5),
            (&[1.0, 2.0, 4.0], &[0, 1, 0, 0], 0.99, 1.99),
            (&[0.1], &[100, 0], 0.99, 0.099),
        ];
        for (bounds, counts, q, expected) in cases {
            let found = of_buckets(bounds, counts, q).unwrap();
            assert!((found - expected).abs() < 1e-9, "{bounds:?} {counts:?} {q}: {found}");
        }
        assert_eq!(of_buckets(&[1.0], &[0, 0], 0.5), None);
        assert_eq!(of_buckets(&[], &[3], 0.5), None);
    }
}
