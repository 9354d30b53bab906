//! A clock that records into a histogram when it is dropped.

use std::fmt;
use std::time::{Duration, Instant};

use crate::held::Distribution;
use crate::label::ValueRef;
use crate::number::NumberType;
use crate::site::Site;
use crate::store::Store;
use crate::unit::per_second;

/// Measures how long it lives; made by [`Histogram::start`](crate::Histogram::start).
///
/// It records in the histogram's unit: `s`, `ms`, `us`, `ns`, `min`, `h` or `d`, and seconds for any other. Whole-number
/// histograms round. It remembers the store that it was started in.
#[must_use = "dropping the timer records the time at once"]
pub struct Timer {
    cell: Option<Distribution>,
    /// How many of the unit are in a second.
    per_second: f64,
    whole: bool,
    store: Store,
    started: Instant,
}

impl Timer {
    pub(crate) fn start(site: &Site, labels: &[ValueRef<'_>], number: NumberType) -> Timer {
        let cell = site.bind_histogram(&site.spelled(labels));
        let per_second = per_second(site.descriptor().unit);
        let whole = number != NumberType::F64;
        let store = Store::current();
        let started = store.now();
        Timer { cell, per_second, whole, store, started }
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.store.now().saturating_duration_since(self.started)
    }

    /// Stops the clock and records nothing. The series is there all the same, with what it had.
    pub fn discard(mut self) {
        if let Some(cell) = self.cell.take() {
            self.store.scope(|| cell.let_go());
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(cell) = self.cell else { return };
        let mut value = self.elapsed().as_secs_f64() * self.per_second;
        if self.whole {
            value = value.round();
        }
        self.store.scope(|| {
            cell.sample(value);
            cell.let_go();
        });
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("started", &self.started).finish_non_exhaustive()
    }
}
