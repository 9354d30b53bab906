//! What is kept of many samples.

/// The middle of many samples, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) p10: f64,
    pub(crate) p90: f64,
}

impl Spread {
    /// Of at least one sample.
    pub(crate) fn of(mut samples: Vec<f64>) -> Spread {
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
        Spread { median: at(0.5), p10: at(0.1), p90: at(0.9) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_both_sides() {
        let samples = (0..=10).rev().map(f64::from).collect();
        assert_eq!(Spread::of(samples), Spread { median: 5.0, p10: 1.0, p90: 9.0 });
        assert_eq!(Spread::of(vec![7.0]), Spread { median: 7.0, p10: 7.0, p90: 7.0 });
    }
}
