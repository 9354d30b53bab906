//! Gauges that are set all at once: each set is one value that is swapped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::observed::Points;
use crate::definition::Definition;

/// The gauge sets of a store, by the number of their definition.
pub(crate) struct GaugeSets(Mutex<Option<Sets>>);

type Sets = HashMap<u32, Arc<Points>>;

impl GaugeSets {
    pub(crate) const fn new() -> GaugeSets {
        GaugeSets(Mutex::new(None))
    }

    /// The set of this metric, if there is one.
    pub(crate) fn get(&self, definition: &Definition) -> Option<Arc<Points>> {
        self.lock().as_ref()?.get(&definition.id).map(Arc::clone)
    }

    /// Puts these points in place of whatever the metric had.
    pub(crate) fn replace(&self, points: Arc<Points>) {
        let old = self.lock().get_or_insert_default().insert(points.definition().id, points);
        // Not under the lock: a large set takes a while to free.
        drop(old);
    }

    /// Removes the set of this metric.
    pub(crate) fn remove(&self, definition: &Definition) {
        let old = self.lock().as_mut().and_then(|sets| sets.remove(&definition.id));
        drop(old);
    }

    /// All sets as they are now.
    pub(crate) fn all(&self) -> Sets {
        self.lock().clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
