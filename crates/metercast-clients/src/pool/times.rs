//! How long callers wait for a connection of a pool and use it, and how long it takes to open one.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metercast_core::metrics;

use super::{Acquire, Pool, PoolState};
use crate::clock::Clock;

metrics! {
    /// Time it took to get a connection from the pool
    static WAIT_TIME: Histogram<f64> = "db.client.connection.wait_time" {
        unit: "s",
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
        labels: { "db.client.connection.pool.name": &str }
    };
    /// Time between borrowing a connection and returning it to the pool
    static USE_TIME: Histogram<f64> = "db.client.connection.use_time" {
        unit: "s",
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
        labels: { "db.client.connection.pool.name": &str }
    };
    /// Time it took to open a connection
    static CREATE_TIME: Histogram<f64> = "db.client.connection.create_time" {
        unit: "s",
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
        labels: { "db.client.connection.pool.name": &str }
    };
    /// Waits for a connection that were given up
    static TIMEOUTS: Counter<u64> = "db.client.connection.timeouts" {
        unit: "{timeout}", labels: { "db.client.connection.pool.name": &str }
    };
}

/// Measures how long callers wait for a connection, and how long they use it: `db.client.connection.wait_time`, `.use_time`,
/// `.create_time` and `.timeouts` of the semantic conventions, of a pool of this name. Clones measure together.
///
/// [`acquire`](PoolTimes::acquire) does all of it for pools of sqlx, deadpool and bb8; [`wait`](PoolTimes::wait),
/// [`in_use`](PoolTimes::in_use) and [`create`](PoolTimes::create) for any other.
///
/// ```
/// use metercast::{InMemoryReader, Store};
/// use metercast_clients::PoolTimes;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # #[derive(Debug)] enum PoolError { TimedOut }
/// # struct Pool; impl Pool { async fn get(&self) -> Result<Vec<u8>, PoolError> { Ok(Vec::new()) } }
/// # let pool = Pool;
/// let times = PoolTimes::new("orders");
/// let connection = times.wait(pool.get(), |error| matches!(error, PoolError::TimedOut)).await;
/// let connection = times.in_use(connection.unwrap());
/// assert_eq!(connection.len(), 0); // it is used as the connection that it is
/// drop(connection);
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// assert_eq!(snapshot.family("db.client.connection.wait_time").unwrap().series.len(), 1);
/// assert_eq!(snapshot.family("db.client.connection.use_time").unwrap().series.len(), 1);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PoolTimes {
    pool: Arc<TimedPool>,
}

#[derive(Debug)]
struct TimedPool {
    name: Box<str>,
    waiting: AtomicU64,
}

impl PoolTimes {
    /// Of the pool of this name, which is the label `db.client.connection.pool.name`.
    pub fn new(pool: &str) -> PoolTimes {
        PoolTimes { pool: Arc::new(TimedPool { name: pool.into(), waiting: AtomicU64::new(0) }) }
    }

    /// Gets a connection of a pool: measures the [wait](PoolTimes::wait), and then its [use](PoolTimes::in_use).
    ///
    /// # Errors
    ///
    /// Those of the pool.
    pub async fn acquire<P: Acquire>(&self, pool: &P) -> Result<InUse<P::Connection>, P::Error> {
        self.wait(pool.acquire(), P::is_timeout).await.map(|connection| self.in_use(connection))
    }

    /// Waits for a connection. What it took is recorded in seconds if there is one, and a timeout is counted if `is_timeout` calls the
    /// error one. A wait that is broken off, and one that fails otherwise, is neither.
    ///
    /// # Errors
    ///
    /// Those of the pool.
    pub async fn wait<C, E>(
        &self,
        connection: impl Future<Output = Result<C, E>>,
        is_timeout: impl FnOnce(&E) -> bool,
    ) -> Result<C, E> {
        let (clock, waiting) = (Clock::start(), Waiting::new(&self.pool));
        let connection = connection.await;
        drop(waiting);
        match &connection {
            Ok(_) => clock.record(|seconds| WAIT_TIME.record(seconds, (&*self.pool.name,))),
            Err(error) if is_timeout(error) => clock.record(|_| TIMEOUTS.add(1, (&*self.pool.name,))),
            Err(_) => {}
        }
        connection
    }

    /// Opens a connection, such as in a pool's manager. What it took is recorded in seconds if there is one.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn create<C, E>(&self, connection: impl Future<Output = Result<C, E>>) -> Result<C, E> {
        let clock = Clock::start();
        let connection = connection.await?;
        clock.record(|seconds| CREATE_TIME.record(seconds, (&*self.pool.name,)));
        Ok(connection)
    }

    /// A connection that is in use from now on, until it is dropped: the time is recorded in seconds.
    pub fn in_use<C>(&self, connection: C) -> InUse<C> {
        InUse { connection, _time: UseTime { clock: Clock::start(), pool: Arc::clone(&self.pool) } }
    }

    /// How many callers wait now.
    pub fn waiting(&self) -> u64 {
        self.pool.waiting.load(Ordering::Relaxed)
    }

    /// The pool, with those who wait through this if it does not say itself who waits: sqlx and bb8 do not.
    ///
    /// ```
    /// # use metercast::{InMemoryReader, Store, snapshot::Point};
    /// use metercast_clients::{PoolMetrics, PoolState, PoolTimes};
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// # let pool = || PoolState::new(4, 3);
    /// let times = PoolTimes::new("orders");
    /// PoolMetrics::semantic("orders").observe(times.watch(pool))?.forever();
    ///
    /// let snapshot = InMemoryReader::new(Store::current()).collect();
    /// let waiting = &snapshot.family("db.client.connection.pending_requests").unwrap().series[0];
    /// assert_eq!(waiting.point, Point::I64(0));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    pub fn watch(&self, pool: impl Pool) -> impl Pool {
        let times = self.clone();
        move || {
            let state: PoolState = pool.state();
            if state.waiting.is_some() { state } else { state.waiting(times.waiting()) }
        }
    }
}

/// A connection in use, made by [`PoolTimes::in_use`]. When it is dropped the time of its use is recorded and the connection goes
/// where it would go without this.
#[must_use = "a connection that is dropped at once was not used"]
#[derive(Debug)]
pub struct InUse<C> {
    // Dropped first: the time is recorded before others get the connection.
    _time: UseTime,
    connection: C,
}

impl<C> InUse<C> {
    /// The connection alone: its use ends here, for all that is recorded.
    pub fn into_inner(self) -> C {
        self.connection
    }
}

impl<C> Deref for InUse<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C> DerefMut for InUse<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}

/// Records the time of a use when it is dropped.
#[derive(Debug)]
struct UseTime {
    clock: Clock,
    pool: Arc<TimedPool>,
}

impl Drop for UseTime {
    fn drop(&mut self) {
        self.clock.record(|seconds| USE_TIME.record(seconds, (&*self.pool.name,)));
    }
}

/// A caller who waits.
struct Waiting<'a>(&'a AtomicU64);

impl Waiting<'_> {
    fn new(pool: &TimedPool) -> Waiting<'_> {
        pool.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&pool.waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
