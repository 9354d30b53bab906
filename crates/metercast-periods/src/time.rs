//! What time it is for periods: the time of the store, without holding the store.

use std::time::SystemTime;

use metercast::{MockClock, Store};

use crate::window::seconds;

/// Back by no more than this, a clock was set right, and what comes is counted where it is; by more, it is believed.
pub(crate) const SLACK: u64 = 3_600;

/// The clock of a store. Callbacks that a store runs must not hold it.
#[derive(Clone, Debug)]
pub(crate) struct Time(Option<MockClock>);

impl Time {
    pub(crate) fn of(store: &Store) -> Time {
        Time(store.clock().cloned())
    }

    /// Seconds since 1970.
    #[inline]
    pub(crate) fn seconds(&self) -> u64 {
        seconds(self.0.as_ref().map_or_else(SystemTime::now, MockClock::time))
    }

    pub(crate) fn mocked(&self) -> Option<&MockClock> {
        self.0.as_ref()
    }
}
