//! What was recorded of late: the window that a summary's quantiles are taken from.

use std::collections::VecDeque;
use std::time::Duration;

use super::Exponential;

/// A window of time that ends now, over one cumulative series.
///
/// Recording knows nothing of it: each reading brings everything since the start, the window keeps a few of them, and
/// the difference to one that is as old as the window is what happened since. So a window reaches back by its width,
/// and by up to a slice and the time between two readings more.
///
/// It keeps at most two readings more than it has slices.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    width: Duration,
    slice: Duration,
    /// Oldest first, a slice or more apart. Only the first may be as old as the window is wide.
    kept: VecDeque<Kept>,
}

/// A reading, and when it was made.
#[derive(Clone, Debug)]
struct Kept {
    at: Duration,
    total: Exponential,
}

impl Window {
    /// A window of this width which moves on in this many steps, at least one.
    pub(crate) fn new(width: Duration, slices: u32) -> Window {
        Window { width, slice: width / slices.max(1), kept: VecDeque::new() }
    }

    /// What was recorded within the window, given everything that was recorded up to `now`, a time on any clock that
    /// does not go back. What was there before the first reading is in the window until that reading leaves it.
    pub(crate) fn advance(&mut self, now: Duration, total: &Exponential) -> Exponential {
        let age = |kept: &Kept| now.saturating_sub(kept.at);
        // The newest that is old enough serves; those before it never will again.
        while self.kept.get(1).is_some_and(|second| age(second) >= self.width) {
            self.kept.pop_front();
        }
        let within = match self.kept.front() {
            Some(first) if age(first) >= self.width => total.since(&first.total),
            _ => total.clone(),
        };
        if self.kept.back().is_none_or(|last| age(last) >= self.slice) {
            self.kept.push_back(Kept { at: now, total: total.clone() });
        }
        within
    }

    /// How many readings it keeps.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}
