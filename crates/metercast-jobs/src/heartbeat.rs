//! How long ago there was a sign of life.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use metercast_core::{InstrumentError, Kind, Observation, Store};

use crate::part::Name;

/// Signs of life, whose age is a gauge in seconds at each reading.
///
/// It is the time since the last [beat](Heartbeat::beat), or since this was made if there was none: so it grows from the start if
/// nothing ever comes, and an alert on it needs no other one for what is absent. It is taken when the store is read, by the store's clock,
/// so that it grows when whoever should beat hangs. The series is gone once the heartbeat and all its clones are dropped.
///
/// ```
/// use std::time::Duration;
/// use metercast::{InMemoryReader, MockClock, Store, snapshot::Point};
/// use metercast_jobs::Heartbeat;
///
/// let clock = MockClock::new();
/// let store = Store::with_clock(&clock);
/// # store.scope(|| {
/// let heartbeat = Heartbeat::observe("agent.heartbeat.age")?;
/// clock.advance(Duration::from_secs(5));
/// heartbeat.beat();
/// clock.advance(Duration::from_secs(2));
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// assert_eq!(snapshot.family("agent.heartbeat.age").unwrap().series[0].point, Point::F64(2.0));
/// # Ok::<(), metercast_core::InstrumentError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "dropping it ends the series"]
pub struct Heartbeat {
    last: LastBeat,
    store: Store,
    _observation: Arc<Observation>,
}

impl Heartbeat {
    /// A gauge of this name in the current store.
    ///
    /// # Errors
    ///
    /// If the name is not valid, or the process has as many instruments as it may.
    #[track_caller]
    pub fn observe(name: &str) -> Result<Heartbeat, InstrumentError> {
        let name = Name {
            name: name.to_owned(),
            kind: Kind::Gauge,
            unit: "s",
            description: "Time since the last sign of life",
            own: None,
        };
        let instrument = name.build(&[], true)?.instrument();
        let store = Store::current();
        let last = LastBeat(Arc::new(Last { origin: store.now(), nanos: AtomicU64::new(0) }));
        let observation = instrument.observe({
            let last = last.clone();
            // The store itself would be held for ever.
            move |observer| observer.set(last.age_at(Store::current().now()).as_secs_f64(), [])
        });
        Ok(Heartbeat { last, store, _observation: Arc::new(observation) })
    }

    /// A sign of life.
    pub fn beat(&self) {
        self.last.beat_at(self.store.now());
    }

    /// The time since the last one.
    pub fn age(&self) -> Duration {
        self.last.age_at(self.store.now())
    }

    /// When the last one was, for whoever judges it without keeping the series: such as a check of readiness.
    pub fn last(&self) -> LastBeat {
        self.last.clone()
    }
}

/// When a [`Heartbeat`] was heard last.
#[derive(Clone, Debug)]
pub struct LastBeat(Arc<Last>);

#[derive(Debug)]
struct Last {
    origin: Instant,
    /// Since the origin.
    nanos: AtomicU64,
}

impl LastBeat {
    /// The time from then to `now`, which is of the clock of the heartbeat's store; none if `now` is before it.
    pub fn age_at(&self, now: Instant) -> Duration {
        let last = Duration::from_nanos(self.0.nanos.load(Relaxed));
        now.saturating_duration_since(self.0.origin).saturating_sub(last)
    }

    fn beat_at(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.0.origin).as_nanos();
        // Of two at once the later one stays.
        self.0.nanos.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
    }
}
