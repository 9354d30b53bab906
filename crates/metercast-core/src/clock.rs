//! What time it is: the system's, or what a test says.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that stands still until it is advanced, for the tests of what depends on time: in a store
/// [made with it](crate::Store::with_clock) timers, start times, the windows of summaries, the expiry of series and exporters that
/// work at an interval go by it. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use metercast_core::{MockClock, Store, metrics, reading::Point};
///
/// metrics! {
///     /// Time to settle.
///     static SETTLE: Histogram<f64> = "settle.mocked" { unit: "s", buckets: [1.0, 60.0] };
/// }
///
/// let clock = MockClock::new();
/// let store = Store::with_clock(&clock);
/// store.scope(|| {
///     let _timer = SETTLE.start();
///     clock.advance(Duration::from_secs(30));
/// });
/// let Point::Histogram(buckets) = &store.collect()[0].series[0].point else { panic!() };
/// assert_eq!((&buckets.counts[..], buckets.sum), (&[0, 1, 0][..], 30.0));
/// ```
#[derive(Clone)]
pub struct MockClock(Arc<Mocked>);

struct Mocked {
    began: Instant,
    began_at: SystemTime,
    /// In nanoseconds.
    passed: AtomicU64,
    next: AtomicU64,
    /// Those who wait for time to pass, by number.
    waiting: Mutex<Vec<(u64, Wake)>>,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

impl MockClock {
    /// A clock that stands still at the time that it is now.
    #[expect(clippy::new_without_default, reason = "two new clocks differ")]
    pub fn new() -> MockClock {
        MockClock::at(SystemTime::now())
    }

    /// A clock that stands still at this time.
    pub fn at(time: SystemTime) -> MockClock {
        MockClock(Arc::new(Mocked {
            began: Instant::now(),
            began_at: time,
            passed: AtomicU64::new(0),
            next: AtomicU64::new(0),
            waiting: Mutex::new(Vec::new()),
        }))
    }

    /// Lets time pass, 584 years at most in all, and wakes who waits for it. What they do then, they do on their own threads.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let _ = self.0.passed.fetch_update(AcqRel, Acquire, |passed| Some(passed.saturating_add(by)));
        let waiting: Vec<_> = self.waiting().iter().map(|(_, wake)| Arc::clone(wake)).collect();
        waiting.iter().for_each(|wake| wake());
    }

    /// How much time has passed.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.0.passed.load(Acquire))
    }

    /// The moment that it is, to compare with others of this clock.
    pub fn now(&self) -> Instant {
        self.0.began.checked_add(self.elapsed()).unwrap_or(self.0.began)
    }

    /// The time that it is.
    pub fn time(&self) -> SystemTime {
        self.0.began_at.checked_add(self.elapsed()).unwrap_or(self.0.began_at)
    }

    /// Calls `wake` whenever time has passed, as long as what is returned lives. For who waits; not for use by hand.
    #[doc(hidden)]
    pub fn on_advance(&self, wake: impl Fn() + Send + Sync + 'static) -> OnAdvance {
        let number = self.0.next.fetch_add(1, Relaxed);
        self.waiting().push((number, Arc::new(wake)));
        OnAdvance { clock: self.clone(), number }
    }

    /// The same before all others: for who does within `wake` what is due, and others hand over.
    #[doc(hidden)]
    pub fn on_advance_first(&self, wake: impl Fn() + Send + Sync + 'static) -> OnAdvance {
        let number = self.0.next.fetch_add(1, Relaxed);
        self.waiting().insert(0, (number, Arc::new(wake)));
        OnAdvance { clock: self.clone(), number }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Wake)>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MockClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockClock").field("elapsed", &self.elapsed()).finish_non_exhaustive()
    }
}

/// Is told when a clock advances, until it is dropped.
#[doc(hidden)]
#[derive(Debug)]
pub struct OnAdvance {
    clock: MockClock,
    number: u64,
}

impl Drop for OnAdvance {
    fn drop(&mut self) {
        let mut waiting = self.clock.waiting();
        let at = waiting.iter().position(|(number, _)| *number == self.number);
        // The others stay in their order.
        let gone = at.map(|at| waiting.remove(at));
        drop(waiting);
        // What it holds is somebody else's.
        drop(gone);
    }
}

/// The clock of a store.
pub(crate) struct Clock(OnceLock<MockClock>);

impl Clock {
    /// The system's.
    pub(crate) const fn new() -> Clock {
        Clock(OnceLock::new())
    }

    /// From now on that of a test, unless it is another's already.
    pub(crate) fn set(&self, clock: &MockClock) {
        let _ = self.0.set(clock.clone());
    }

    pub(crate) fn mocked(&self) -> Option<&MockClock> {
        self.0.get()
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        self.mocked().map_or_else(Instant::now, MockClock::now)
    }

    pub(crate) fn time(&self) -> SystemTime {
        self.mocked().map_or_else(SystemTime::now, MockClock::time)
    }

    /// The time in nanoseconds since 1970.
    pub(crate) fn unix_nanos(&self) -> u64 {
        self.time().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stands_still_until_it_is_advanced_and_wakes_who_waits() {
        let clock = MockClock::at(UNIX_EPOCH);
        let (woken, other) = (Arc::new(AtomicU64::new(0)), clock.clone());
        let of_wake = Arc::clone(&woken);
        let waits = clock.on_advance(move || _ = of_wake.fetch_add(1, Relaxed));
        let of_first = Arc::clone(&woken);
        let first =
            clock.on_advance_first(move || assert_eq!(of_first.load(Relaxed), 0, "before the others"));
        let before = clock.now();
        other.advance(Duration::from_secs(3));
        assert_eq!((clock.elapsed(), clock.now() - before), (Duration::from_secs(3), Duration::from_secs(3)));
        assert_eq!(clock.time(), UNIX_EPOCH + Duration::from_secs(3));
        drop((waits, first));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(woken.load(Relaxed), 1);
        assert!(clock.now() >= before && clock.time() >= UNIX_EPOCH, "there is no panic at the end of time");
    }
}
