//! A pool that connections can be had from.

use std::future::Future;

use super::Pool;

/// A pool that connections can be had from, for [`PoolTimes::acquire`](crate::PoolTimes::acquire): those of sqlx, deadpool and bb8,
/// with the feature of their version.
pub trait Acquire: Pool {
    /// What is had.
    type Connection;
    /// Why there is none.
    type Error;

    /// Waits for a connection, as long as the pool allows.
    fn acquire(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// Whether the wait took longer than the pool allows.
    fn is_timeout(error: &Self::Error) -> bool;
}
