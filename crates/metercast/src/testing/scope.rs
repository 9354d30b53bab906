//! A store of its own for a test, so that tests in one process know nothing of each other.

use std::future::Future;

use metercast_core::{InStore, Store, StoreFutureExt};

/// Runs `f` with a new store as the current one on this thread, and gives it that store.
///
/// ```
/// use metercast::{assert_counter, testing::isolated, u64_counter};
///
/// isolated(|_| {
///     u64_counter!("test", "test description", 1, "attr" => "val");
///     assert_counter!("test", 1, "attr" => "val");
/// });
/// ```
pub fn isolated<R>(f: impl FnOnce(&Store) -> R) -> R {
    let store = Store::new();
    store.scope(|| f(&store))
}

/// Puts futures into a store's scope; it works on any runtime, and holds over every `.await`.
pub trait FutureMetricsExt: Future + Sized {
    /// This future, recording into a new store of its own.
    fn with_metrics(self) -> InStore<Self> {
        self.in_store(Store::new())
    }

    /// This future, recording into the store that is current now. Spawned tasks are futures of their own and do not
    /// inherit a scope: wrap what is spawned.
    fn with_current_meter_provider(self) -> InStore<Self> {
        self.in_store(Store::current())
    }
}

impl<F: Future> FutureMetricsExt for F {}
