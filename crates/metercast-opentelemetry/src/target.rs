//! Where the instruments of a provider record: into the current store, or into one that was given.

use metercast_core::Store;

/// A store, or whichever is current.
#[derive(Clone, Debug, Default)]
pub(crate) enum Target {
    /// The store that is current where something is recorded.
    #[default]
    Current,
    /// This one.
    Given(Store),
}

impl Target {
    /// Runs `f` with the store as the current one.
    #[inline]
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        match self {
            Target::Current => f(),
            Target::Given(store) => store.scope(f),
        }
    }

    /// Says once what is wrong with a metric.
    #[cold]
    pub(crate) fn report(&self, metric: &str, message: &str) {
        match self {
            Target::Current => Store::current().report(metric, message),
            Target::Given(store) => store.report(metric, message),
        }
    }
}
