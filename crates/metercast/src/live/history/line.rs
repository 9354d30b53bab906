//! One number over time: 15 minutes second by second, and six hours in steps of 15 seconds.

/// Values at 1 s that are kept.
pub(crate) const SECONDS: usize = 15 * 60;

/// Seconds in a step of the six hours.
pub(crate) const STEP: u64 = 15;

/// Values in steps that are kept.
pub(crate) const STEPS: usize = 6 * 60 * 60 / STEP as usize;

/// The memory that a line takes, from its beginning to its end: 18,720 bytes.
pub(crate) const BYTES: usize = (SECONDS + STEPS) * size_of::<f64>();

/// A number over time. What is not known is NaN.
#[derive(Debug)]
pub(super) struct Line {
    /// The value of each second, at its number modulo the length.
    seconds: Box<[f64]>,
    /// The same of each step.
    steps: Box<[f64]>,
}

impl Line {
    /// One of which nothing is known yet.
    pub(super) fn new() -> Line {
        Line { seconds: vec![f64::NAN; SECONDS].into(), steps: vec![f64::NAN; STEPS].into() }
    }

    /// What it was in this second. `before` is the last one that was said; of those between nothing is known.
    pub(super) fn second(&mut self, before: u64, second: u64, value: Option<f64>) {
        put(&mut self.seconds, before, second, value);
    }

    /// What it was in this step.
    pub(super) fn step(&mut self, before: u64, step: u64, value: Option<f64>) {
        put(&mut self.steps, before, step, value);
    }

    /// The values of the last `count` seconds up to this one, the oldest first.
    pub(super) fn seconds(&self, until: u64, count: usize) -> impl Iterator<Item = f64> {
        last(&self.seconds, until, count)
    }

    /// The same of steps.
    pub(super) fn steps(&self, until: u64, count: usize) -> impl Iterator<Item = f64> {
        last(&self.steps, until, count)
    }
}

fn put(ring: &mut [f64], before: u64, at: u64, value: Option<f64>) {
    let length = ring.len() as u64;
    // A machine that slept for a week missed no more than everything.
    let first_missed = (before + 1).max(at.saturating_sub(length));
    for missed in first_missed..at {
        ring[(missed % length) as usize] = f64::NAN;
    }
    ring[(at % length) as usize] = value.unwrap_or(f64::NAN);
}

fn last(ring: &[f64], until: u64, count: usize) -> impl Iterator<Item = f64> {
    let length = ring.len() as u64;
    let first = (until + 1).saturating_sub(length.min(count as u64));
    (first..=until).map(move |at| ring[(at % length) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(values: impl Iterator<Item = f64>) -> Vec<String> {
        values.map(|value| value.to_string()).collect()
    }

    #[test]
    fn a_line_has_what_was_said_and_nothing_of_the_seconds_between() {
        let mut line = Line::new();
        line.second(0, 0, Some(1.0));
        line.second(0, 3, Some(4.0));
        line.second(3, 4, None);
        assert_eq!(spelled(line.seconds(4, 3)), ["NaN", "4", "NaN"]);
        assert_eq!(spelled(line.seconds(4, 100)), ["1", "NaN", "NaN", "4", "NaN"]);
    }

    #[test]
    fn a_line_keeps_fifteen_minutes_and_six_hours_and_forgets_what_a_long_sleep_missed() {
        let mut line = Line::new();
        for second in 0..2_000 {
            line.second(second.max(1) - 1, second, Some(second as f64));
            line.step(second.max(1) - 1, second, Some(second as f64));
        }
        let seconds: Vec<f64> = line.seconds(1_999, usize::MAX).collect();
        assert_eq!((seconds.len(), seconds[0], seconds[SECONDS - 1]), (900, 1_100.0, 1_999.0));
        let steps: Vec<f64> = line.steps(1_999, usize::MAX).collect();
        assert_eq!((steps.len(), steps[0], steps[STEPS - 1]), (1_440, 560.0, 1_999.0));
        line.second(1_999, 1_000_000, Some(7.0));
        let seconds: Vec<f64> = line.seconds(1_000_000, usize::MAX).collect();
        assert_eq!(seconds.iter().filter(|value| value.is_nan()).count(), SECONDS - 1);
        assert_eq!(BYTES, 18_720);
    }
}
