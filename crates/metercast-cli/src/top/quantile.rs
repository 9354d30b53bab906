//! The value below which a part of all values lies, from the buckets of a histogram.

/// The quantile `part`, from 0 to 1, where `buckets` say how many values there were up to each bound. A value lies evenly within its
/// bucket; those above the last bound are at that bound. `None` if there is no value.
pub(crate) fn quantile(part: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (_, count) = buckets.last().filter(|(_, count)| *count > 0.0)?;
    let rank = part * count;
    let at = buckets.iter().position(|(_, up_to)| *up_to >= rank && *up_to > 0.0)?;
    let (bound, up_to) = buckets[at];
    let (below, before) = match at.checked_sub(1) {
        Some(at) => buckets[at],
        // Values begin at zero, unless the first bound says that they do not.
        None if bound > 0.0 => (0.0, 0.0),
        None => return Some(bound),
    };
    if bound.is_infinite() {
        return (below.is_finite() && at > 0).then_some(below);
    }
    Some(below + (bound - below) * ((rank - before) / (up_to - before)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_evenly_within_their_buckets() {
        let buckets = [(1.0, 10.0), (2.0, 20.0), (f64::INFINITY, 40.0)];
        assert_eq!(quantile(0.25, &buckets), Some(1.0));
        assert_eq!(quantile(0.375, &buckets), Some(1.5));
        assert_eq!(quantile(0.125, &buckets), Some(0.5));
        assert_eq!(quantile(0.99, &buckets), Some(2.0), "above the last bound");
        assert_eq!(quantile(0.0, &buckets), Some(0.0));
    }

    #[test]
    fn without_values_or_bounds_there_is_none() {
        assert_eq!(quantile(0.5, &[]), None);
        assert_eq!(quantile(0.5, &[(1.0, 0.0), (f64::INFINITY, 0.0)]), None);
        assert_eq!(quantile(0.5, &[(f64::INFINITY, 3.0)]), None);
        assert_eq!(quantile(0.5, &[(-1.0, 3.0), (f64::INFINITY, 3.0)]), Some(-1.0));
    }
}
