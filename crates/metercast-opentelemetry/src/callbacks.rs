//! How long the callbacks of observable instruments are registered.

use std::cell::RefCell;
use std::fmt;

use metercast_core::Observation;

thread_local! {
    /// The callbacks that were registered within each [`with_callbacks`] that runs on this thread, the innermost last.
    static TAKEN: RefCell<Vec<Vec<Observation>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f`, and gives what it gave with the callbacks of all observable instruments that it built, which are registered
/// until the [`Callbacks`] are dropped.
///
/// Without it a callback is registered as long as its store lives, since the OpenTelemetry API in Rust has nothing to
/// unregister it with. What counts is that an instrument is built on this thread while `f` runs, with a provider of ours for
/// whichever version of the API; so it also holds for libraries that know nothing of metercast.
///
/// ```
/// use metercast_core::Store;
/// use metercast_opentelemetry::{meter_provider, with_callbacks};
/// use opentelemetry::metrics::MeterProvider;
///
/// let store = Store::new();
/// let meter = store.scope(|| meter_provider().meter("pool"));
/// let (_gauge, callbacks) = with_callbacks(|| {
///     meter.u64_observable_gauge("pool.size").with_callback(|size| size.observe(4, &[])).build()
/// });
/// assert_eq!(store.collect().len(), 1);
///
/// drop(callbacks);
/// assert_eq!(store.collect().len(), 0);
/// ```
pub fn with_callbacks<R>(f: impl FnOnce() -> R) -> (R, Callbacks) {
    /// Takes the callbacks also if `f` panics: then they end.
    struct Within;
    impl Within {
        fn take() -> Vec<Observation> {
            TAKEN.try_with(|taken| taken.borrow_mut().pop()).ok().flatten().unwrap_or_default()
        }
    }
    impl Drop for Within {
        fn drop(&mut self) {
            // Outside of the borrow: what a callback holds is somebody else's code.
            drop(Within::take());
        }
    }

    // Where the thread ends already nobody keeps them, and they stay.
    let _ = TAKEN.try_with(|taken| taken.borrow_mut().push(Vec::new()));
    let within = Within;
    let result = f();
    let observations = Within::take();
    std::mem::forget(within);
    (result, Callbacks { observations })
}

/// Leaves a callback registered until whoever built its instrument ends it, or its store ends.
pub(crate) fn keep(observation: Observation) {
    let mut left = Some(observation);
    let _ = TAKEN.try_with(|taken| {
        if let Some(callbacks) = taken.borrow_mut().last_mut() {
            callbacks.extend(left.take());
        }
    });
    if let Some(observation) = left {
        observation.forever();
    }
}

/// Keeps callbacks of observable instruments registered; made by [`with_callbacks`].
///
/// When it is dropped, what they observed is gone from the next reading on. Dropping does not wait for one that runs.
#[must_use = "dropping it ends the callbacks at once; keep it, or call `forever`"]
pub struct Callbacks {
    observations: Vec<Observation>,
}

impl Callbacks {
    /// Leaves them registered for as long as their store lives.
    pub fn forever(self) {
        self.observations.into_iter().for_each(Observation::forever);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.observations.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("count", &self.observations.len()).finish()
    }
}
