//! When something began, and where what it took is recorded.

use metercast_core::Store;
use tokio::time::Instant;

/// The time since something began. What it takes goes to the store that was current then.
///
/// Time is Tokio's, which never goes back, whatever happens to the clock of the machine.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    store: Store,
    begun: Instant,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { store: Store::current(), begun: Instant::now() }
    }

    /// Records where it began, and is told how long ago that is, in seconds.
    pub(crate) fn record(&self, record: impl FnOnce(f64)) {
        self.store.scope(|| record(self.begun.elapsed().as_secs_f64()));
    }
}
