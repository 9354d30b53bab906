//! How long callers wait for a connection of a pool.

use std::future::Future;

use metercast_core::metrics;

metrics! {
    /// Time it took to get a connection from the pool
    static WAIT_TIME: Histogram<f64> = "db.client.connection.wait_time" {
        unit: "s",
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
        labels: { "db.client.connection.pool.name": &str }
    };
    /// Waits for a connection that were given up
    static TIMEOUTS: Counter<u64> = "db.client.connection.timeouts" {
        unit: "{timeout}", labels: { "db.client.connection.pool.name": &str }
    };
}

/// Measures how long callers wait for a connection: `db.client.connection.wait_time` and `.timeouts` of the semantic conventions.
///
/// ```
/// use metercast::{InMemoryReader, Store};
/// use metercast_clients::PoolWaits;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # #[derive(Debug)] enum PoolError { TimedOut }
/// # struct Pool; impl Pool { async fn acquire(&self) -> Result<(), PoolError> { Ok(()) } }
/// # let pool = Pool;
/// let waits = PoolWaits::new("orders");
/// let connection = waits.wait(pool.acquire(), |error| matches!(error, PoolError::TimedOut)).await;
/// # connection.unwrap();
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// assert_eq!(snapshot.family("db.client.connection.wait_time").unwrap().series.len(), 1);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PoolWaits {
    pool: Box<str>,
}

impl PoolWaits {
    /// Of the pool of this name, which is the label `db.client.connection.pool.name`.
    pub fn new(pool: &str) -> PoolWaits {
        PoolWaits { pool: pool.into() }
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
        let begun = tokio::time::Instant::now();
        let connection = connection.await;
        match &connection {
            Ok(_) => WAIT_TIME.record(begun.elapsed().as_secs_f64(), (&*self.pool,)),
            Err(error) if is_timeout(error) => TIMEOUTS.add(1, (&*self.pool,)),
            Err(_) => {}
        }
        connection
    }
}
