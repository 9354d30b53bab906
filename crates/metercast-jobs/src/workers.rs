//! Which workers are there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metercast_core::{InstrumentError, Kind, Observation, Store};

use crate::part::Name;

/// How many are known at once.
const MOST: usize = 10_000;

/// Which workers count as there; made by [`Workers::observe`]. Clones are the same.
///
/// A worker is there as long as somebody holds a [`ConnectedWorker`] of his, and for the set's time after he was
/// [heard of](WorkerSet::heard). Both count him once.
#[derive(Clone)]
pub struct WorkerSet {
    set: Arc<Set>,
    store: Store,
    _observation: Arc<Observation>,
}

struct Set {
    ttl: Duration,
    workers: Mutex<BTreeMap<Box<str>, Known>>,
}

/// What is known of a worker.
#[derive(Default)]
struct Known {
    connections: usize,
    heard: Option<Instant>,
}

impl Known {
    fn is_there(&self, now: Instant, ttl: Duration) -> bool {
        let is_fresh = |heard: Instant| now.saturating_duration_since(heard) < ttl;
        self.connections > 0 || self.heard.is_some_and(is_fresh)
    }
}

impl Set {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Known>> {
        // Each change is a whole one.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, now: Instant) -> usize {
        let mut workers = self.lock();
        workers.retain(|_, worker| worker.is_there(now, self.ttl));
        workers.len()
    }

    /// Changes what is known of a worker, whom there may be no room for.
    fn change(&self, name: &str, now: Instant, change: impl FnOnce(&mut Known)) -> bool {
        let mut workers = self.lock();
        if let Some(known) = workers.get_mut(name) {
            change(known);
            return true;
        }
        if workers.len() >= MOST {
            workers.retain(|_, worker| worker.is_there(now, self.ttl));
        }
        let is_room = workers.len() < MOST;
        if is_room {
            change(workers.entry(name.into()).or_default());
        }
        is_room
    }
}

/// How a [`WorkerSet`] is to be counted.
///
/// ```
/// use std::time::Duration;
/// use metercast::{InMemoryReader, MockClock, Store, snapshot::Point};
/// use metercast_jobs::Workers;
///
/// let clock = MockClock::new();
/// let store = Store::with_clock(&clock);
/// # store.scope(|| {
/// let workers = Workers::within(Duration::from_secs(3)).observe("shop.workers.connected")?;
/// workers.heard("w1"); // a heartbeat came
/// let connection = workers.connect("w2");
///
/// let connected = || {
///     let snapshot = InMemoryReader::new(Store::current()).collect();
///     snapshot.family("shop.workers.connected").unwrap().series[0].point.clone()
/// };
/// assert_eq!(connected(), Point::I64(2));
/// clock.advance(Duration::from_secs(3));
/// assert_eq!(connected(), Point::I64(1));
/// drop(connection);
/// assert_eq!(connected(), Point::I64(0));
/// # Ok::<(), metercast_core::InstrumentError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is counted until `observe`"]
pub struct Workers {
    ttl: Duration,
}

impl Workers {
    /// A worker is there for this long after he was heard of: a few intervals of his heartbeat.
    pub fn within(ttl: Duration) -> Workers {
        Workers { ttl }
    }

    /// Counts them in the current store at each reading, by its clock, as an up-down counter of this name, until the set and all its
    /// clones are dropped.
    ///
    /// # Errors
    ///
    /// If the name is not valid, or the process has as many instruments as it may.
    #[track_caller]
    pub fn observe(self, name: &str) -> Result<WorkerSet, InstrumentError> {
        let name = Name {
            name: name.to_owned(),
            kind: Kind::UpDownCounter,
            unit: "{worker}",
            description: "Workers that are connected",
            own: None,
        };
        let instrument = name.build(&[], true)?.instrument();
        let store = Store::current();
        let set = Arc::new(Set { ttl: self.ttl, workers: Mutex::default() });
        let observation = instrument.observe({
            let set = Arc::clone(&set);
            move |observer| {
                let count = set.count(Store::current().now());
                observer.set(i64::try_from(count).unwrap_or(i64::MAX), []);
            }
        });
        Ok(WorkerSet { set, store, _observation: Arc::new(observation) })
    }
}

impl WorkerSet {
    /// There was a sign of life. Of more than 10,000 workers at once, those who come last are not counted, which is returned.
    pub fn heard(&self, name: &str) -> bool {
        self.heard_before(name, Duration::ZERO)
    }

    /// There was a sign of life that long ago, as a listing of heartbeats tells. An earlier one changes nothing.
    pub fn heard_before(&self, name: &str, ago: Duration) -> bool {
        let now = self.store.now();
        let Some(at) = now.checked_sub(ago) else { return false };
        self.set.change(name, now, |known| known.heard = known.heard.max(Some(at)))
    }

    /// He said that he goes, or his heartbeat is gone. Connections that are held still count.
    pub fn left(&self, name: &str) {
        let mut workers = self.set.lock();
        if let Some(known) = workers.get_mut(name) {
            known.heard = None;
            if known.connections == 0 {
                workers.remove(name);
            }
        }
    }

    /// Counts a worker until what is returned is dropped. Several connections of one name are one worker. It counts nobody where 10,000
    /// others are there.
    #[must_use = "dropping it ends the connection at once"]
    pub fn connect(&self, name: &str) -> ConnectedWorker {
        let is_counted = self.set.change(name, self.store.now(), |known| known.connections += 1);
        ConnectedWorker { set: is_counted.then(|| Arc::clone(&self.set)), name: name.into() }
    }

    /// Whether he is there.
    pub fn has(&self, name: &str) -> bool {
        self.set.lock().get(name).is_some_and(|worker| worker.is_there(self.store.now(), self.set.ttl))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.set.count(self.store.now())
    }
}

impl fmt::Debug for WorkerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerSet").field("ttl", &self.set.ttl).field("count", &self.count()).finish()
    }
}

/// A worker who is connected; made by [`WorkerSet::connect`].
#[must_use = "dropping it ends the connection at once"]
pub struct ConnectedWorker {
    set: Option<Arc<Set>>,
    name: Box<str>,
}

impl Drop for ConnectedWorker {
    fn drop(&mut self) {
        let Some(set) = &self.set else { return };
        let mut workers = set.lock();
        if let Some(known) = workers.get_mut(&self.name) {
            known.connections = known.connections.saturating_sub(1);
            if known.connections == 0 && known.heard.is_none() {
                workers.remove(&self.name);
            }
        }
    }
}

impl fmt::Debug for ConnectedWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectedWorker").field("name", &self.name).finish_non_exhaustive()
    }
}
