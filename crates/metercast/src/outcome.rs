//! What became of the exports of each exporter, for people who look: without the feature `live` nobody does, and nothing is kept.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "live")]
pub(crate) use kept::{Ended, Outcomes};

/// What became of the exports of one exporter. Clones are of the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    #[cfg(feature = "live")]
    kept: std::sync::Arc<std::sync::Mutex<Ended>>,
}

impl Outcome {
    /// An export has ended, well or with an error: its class, and what there is to say of it.
    #[cfg_attr(not(feature = "live"), allow(unused_variables, clippy::unused_self, reason = "nobody looks"))]
    pub(crate) fn ended(&self, took: Duration, error: Option<(&str, &dyn fmt::Display)>) {
        #[cfg(feature = "live")]
        self.now().end(took, error);
    }

    /// Points were handed over.
    #[cfg_attr(not(feature = "live"), allow(unused_variables, clippy::unused_self, reason = "nobody looks"))]
    pub(crate) fn handed_over(&self, points: u64) {
        #[cfg(feature = "live")]
        {
            self.now().points += points;
        }
    }
}

#[cfg(feature = "live")]
mod kept {
    use std::collections::BTreeMap;
    use std::fmt;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::time::{Duration, SystemTime};

    use super::Outcome;

    /// How the exports of one exporter have ended so far.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Ended {
        pub(crate) successes: u64,
        pub(crate) failures: u64,
        pub(crate) failures_in_a_row: u64,
        pub(crate) points: u64,
        pub(crate) last_success: Option<SystemTime>,
        pub(crate) last_attempt: Option<SystemTime>,
        pub(crate) took: Option<Duration>,
        /// Of the last export, if it failed.
        pub(crate) error: Option<Failure>,
    }

    /// Why an export failed.
    #[derive(Clone, Debug)]
    pub(crate) struct Failure {
        pub(crate) class: String,
        pub(crate) text: String,
        /// When the first of those in a row with this class was.
        pub(crate) since: SystemTime,
    }

    /// What became of the exports of all exporters, by name. What a reload gives other settings goes on under its name.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Outcomes(Arc<Mutex<BTreeMap<String, Outcome>>>);

    impl Outcomes {
        /// That of the exporter of this name.
        pub(crate) fn of(&self, name: &str) -> Outcome {
            self.all().entry(name.to_owned()).or_default().clone()
        }

        /// Forgets those that are gone.
        pub(crate) fn settle(&self, is_there: impl Fn(&str) -> bool) {
            self.all().retain(|name, _| is_there(name));
        }

        fn all(&self) -> MutexGuard<'_, BTreeMap<String, Outcome>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Outcome {
        /// How it is now.
        pub(crate) fn so_far(&self) -> Ended {
            self.now().clone()
        }

        pub(super) fn now(&self) -> MutexGuard<'_, Ended> {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Ended {
        pub(super) fn end(&mut self, took: Duration, error: Option<(&str, &dyn fmt::Display)>) {
            let now = SystemTime::now();
            (self.last_attempt, self.took) = (Some(now), Some(took));
            let Some((class, text)) = error else {
                self.successes += 1;
                (self.failures_in_a_row, self.last_success, self.error) = (0, Some(now), None);
                return;
            };
            self.failures += 1;
            self.failures_in_a_row += 1;
            let before = self.error.take().filter(|before| before.class == class);
            let since = before.map_or(now, |before| before.since);
            self.error = Some(Failure { class: class.to_owned(), text: text.to_string(), since });
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_error_stands_until_an_export_succeeds_and_says_since_when_it_is_the_same() {
            let outcomes = Outcomes::default();
            let outcome = outcomes.of("central");
            let second = Duration::from_secs(1);
            outcome.ended(second, Some(("401", &"no token")));
            let first = outcome.so_far().error.unwrap();
            outcome.ended(second, Some(("401", &"still no token")));
            let again = outcomes.of("central").so_far();
            let error = again.error.unwrap();
            assert_eq!((error.text.as_str(), error.since), ("still no token", first.since));
            assert_eq!((again.failures, again.failures_in_a_row, again.successes), (2, 2, 0));
            outcome.handed_over(7);
            outcome.ended(second, None);
            let well = outcome.so_far();
            assert!(well.error.is_none() && well.last_success.is_some() && well.points == 7);
            assert_eq!((well.failures, well.failures_in_a_row, well.successes), (2, 0, 1));
            outcomes.settle(|name| name != "central");
            assert_eq!(outcomes.of("central").so_far().failures, 0);
        }
    }
}
