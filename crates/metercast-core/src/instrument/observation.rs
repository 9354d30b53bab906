//! The registration of a callback, as its owner holds it.

use std::fmt;
use std::sync::Weak;

use crate::store::observables::Shared;

/// Keeps a callback registered; made by `observe` of the observable instruments.
///
/// When it is dropped, what the callback observed is gone from the next reading on. Dropping does not wait: a run that
/// has begun goes on to its end, and frees what the callback holds. So it may be dropped anywhere, also inside its
/// own callback. It may outlive its store, whose end ends the callback too.
#[must_use = "dropping the observation ends it at once; keep it, or call `forever`"]
pub struct Observation {
    metric: &'static str,
    store: Weak<Shared>,
    key: u64,
}

impl Observation {
    pub(crate) fn new(metric: &'static str, store: Weak<Shared>, key: u64) -> Observation {
        Observation { metric, store, key }
    }

    /// Of a metric whose definition is not valid.
    pub(crate) fn of_nothing(metric: &'static str) -> Observation {
        Observation::new(metric, Weak::new(), 0)
    }

    /// Leaves the callback registered for as long as its store lives.
    pub fn forever(mut self) {
        self.store = Weak::new();
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if let Some(store) = self.store.upgrade() {
            store.remove(self.key);
        }
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").field("metric", &self.metric).finish_non_exhaustive()
    }
}
