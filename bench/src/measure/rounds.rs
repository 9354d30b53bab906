//! Rounds: each subject has one batch in each, so that what disturbs the machine disturbs them all.

use std::time::{Duration, Instant};

use super::Spread;

/// How long a batch of short operations takes: long against the clock's own cost, short against a time slice.
pub(crate) const BATCH: Duration = Duration::from_micros(1500);

/// The samples of the subjects of one case, round by round.
pub(crate) struct Rounds {
    most: usize,
    budget: Option<Duration>,
}

impl Rounds {
    /// Exactly so many.
    pub(crate) fn exactly(rounds: usize) -> Rounds {
        Rounds { most: rounds, budget: None }
    }

    /// At most so many, and at least one; no new round begins when the time is up.
    pub(crate) fn within(rounds: usize, budget: Duration) -> Rounds {
        Rounds { most: rounds, budget: Some(budget) }
    }

    /// `batch` is called with the number of a subject and gives one sample.
    pub(crate) fn run(&self, subjects: usize, mut batch: impl FnMut(usize) -> f64) -> Vec<Spread> {
        let mut samples = vec![Vec::with_capacity(self.most); subjects];
        let begun = Instant::now();
        for round in 0..self.most {
            if round > 0 && self.budget.is_some_and(|budget| begun.elapsed() > budget) {
                break;
            }
            // Not always the same neighbour, whose leftovers in the caches would be in one subject's figures only.
            for step in 0..subjects {
                let subject = (step + round) % subjects;
                samples[subject].push(batch(subject));
            }
        }
        samples.into_iter().map(Spread::of).collect()
    }
}

/// How many operations make a batch; on the way to it everything is warmed up.
pub(crate) fn calibrate(mut run: impl FnMut(u64) -> Duration) -> u64 {
    let mut times = 512;
    loop {
        let took = run(times);
        if took >= BATCH / 4 {
            let each = took.as_secs_f64() / times as f64;
            let fit = ((BATCH.as_secs_f64() / each) as u64).max(1);
            run(fit);
            return fit;
        }
        times *= 4;
        assert!(times < 1 << 40, "a loop that takes no time is not there");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_a_batch_in_every_round() {
        let mut order = Vec::new();
        let spreads = Rounds::exactly(3).run(2, |subject| {
            order.push(subject);
            subject as f64
        });
        assert_eq!(order, [0, 1, 1, 0, 0, 1]);
        assert_eq!((spreads[0].median, spreads[1].median), (0.0, 1.0));
    }

    #[test]
    fn one_round_is_made_whatever_it_takes() {
        let spreads = Rounds::within(9, Duration::ZERO).run(1, |_| {
            // What takes longer than nothing: the time is given away here, not waited for.
            std::thread::sleep(Duration::from_millis(1));
            4.0
        });
        assert_eq!(spreads, [Spread::of(vec![4.0])]);
    }

    #[test]
    fn a_batch_is_as_long_as_it_should_be() {
        let times = calibrate(|times| Duration::from_nanos(times * 10));
        assert!((149_000..=151_000).contains(&times), "{times}");
    }
}
