//! What clients counted: how often what came of what they did.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Counts by service and what came of it, such as `relay` and `item 200`.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
    changed: Condvar,
}

impl Tally {
    /// One more.
    pub(crate) fn add(&self, service: &'static str, what: impl Into<String>) {
        *self.counts().entry((service, what.into())).or_default() += 1;
        self.changed.notify_all();
    }

    /// How often this came of it.
    pub fn get(&self, service: &'static str, what: &str) -> u64 {
        self.counts().get(&(service, what.to_owned())).copied().unwrap_or(0)
    }

    /// How often something came of it that begins so.
    pub fn sum(&self, service: &'static str, start: &str) -> u64 {
        let counts = self.counts();
        counts
            .iter()
            .filter(|((of, what), _)| *of == service && what.starts_with(start))
            .map(|(_, n)| n)
            .sum()
    }

    /// All that clients did. What stands in parentheses is a part of something that is counted already.
    pub fn all(&self) -> u64 {
        self.counts().iter().filter(|((_, what), _)| !what.starts_with('(')).map(|(_, number)| number).sum()
    }

    /// All counts: of which service, what, how often.
    pub fn each(&self) -> Vec<(&'static str, String, u64)> {
        self.counts().iter().map(|((service, what), number)| (*service, what.clone(), *number)).collect()
    }

    /// Waits until this came of it so often, and says whether it did.
    pub fn reaches(&self, service: &'static str, what: &str, number: u64, limit: Duration) -> bool {
        let (end, key) = (Instant::now() + limit, (service, what.to_owned()));
        let mut counts = self.counts();
        while counts.get(&key).is_none_or(|count| *count < number) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            counts = self.changed.wait_timeout(counts, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<(&'static str, String), u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_found_by_what_it_begins_with() {
        let tally = Tally::default();
        tally.add("relay", "item 200");
        tally.add("relay", "item 502");
        tally.add("router", "item 200");
        tally.add("router", "(bytes)");
        assert_eq!((tally.sum("relay", "item "), tally.get("relay", "item 200"), tally.all()), (2, 1, 3));
        assert!(tally.reaches("relay", "item 502", 1, Duration::ZERO));
        assert!(!tally.reaches("relay", "item 502", 2, Duration::ZERO));
    }
}
