//! Readers that want to have seen what was recorded before it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::Store;

/// A reader that hands on what it reads, and may fail to. As long as it lives, no series of the store
/// [expires](crate::Store::set_expiry) that it has not [handed on](Self::has_seen) as it is.
///
/// ```
/// use std::time::{Duration, Instant};
/// use metercast_core::{Expiry, Store, u64_counter};
///
/// let store = Store::new();
/// store.set_expiry(Some(Expiry::after(Duration::ZERO)));
/// let witness = store.witness();
/// let side = String::from("buy");
/// store.scope(|| u64_counter!("orders.witnessed", "Orders placed", 1, "side" => side));
/// for _ in 0..3 {
///     assert_eq!(store.collect().len(), 1, "nobody has heard of it");
/// }
/// let began = Instant::now();
/// store.collect();
/// witness.has_seen(began);
/// store.collect();
/// assert!(store.collect().is_empty());
/// ```
#[derive(Debug)]
pub struct Witness(Arc<Mutex<Option<Instant>>>);

/// The witnesses of a store.
pub(crate) struct Witnesses(Mutex<Vec<Weak<Mutex<Option<Instant>>>>>);

impl Witness {
    /// What a reading that began then has read is where it belongs.
    pub fn has_seen(&self, began: Instant) {
        let mut last = lock(&self.0);
        *last = (*last).max(Some(began));
    }
}

impl Store {
    /// A witness of what happens in this store from now on.
    pub fn witness(&self) -> Witness {
        let seen = Arc::default();
        let mut all = lock(&self.inner().witnesses.0);
        all.retain(|witness| witness.strong_count() > 0);
        all.push(Arc::downgrade(&seen));
        Witness(seen)
    }
}

impl Witnesses {
    pub(crate) const fn new() -> Witnesses {
        Witnesses(Mutex::new(Vec::new()))
    }

    /// Whether all of them have seen what has been as it is `since` then, as a question that can be asked often.
    pub(crate) fn have_seen(&self) -> impl Fn(Instant) -> bool + use<> {
        let living: Vec<_> = lock(&self.0).iter().filter_map(Weak::upgrade).collect();
        // None is before all others.
        let least = living.iter().map(|seen| *lock(seen)).min();
        move |since| least.is_none_or(|least| least >= Some(since))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
