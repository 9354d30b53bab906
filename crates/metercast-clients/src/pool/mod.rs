//! Pools of connections: how they stand, and what that is called.

mod acquire;
#[cfg(any(feature = "bb8_0_8", feature = "bb8_0_9"))]
mod bb8;
#[cfg(any(feature = "deadpool_0_12", feature = "deadpool_0_13"))]
mod deadpool;
mod metrics;
mod observation;
#[cfg(any(feature = "sqlx_0_8", feature = "sqlx_0_9"))]
mod sqlx;
mod state;
mod times;
mod totals;

pub use acquire::Acquire;
pub use metrics::PoolMetrics;
pub use observation::PoolObservation;
pub use state::PoolState;
pub use times::{InUse, PoolTimes};
pub use totals::{ConnectionEnd, PoolTotals};

/// A pool that can be asked how it stands, at once and without waiting.
///
/// Pools of sqlx, deadpool and bb8 are such, with the feature of their version. They are cheap to clone: give a clone. Of any other a
/// closure says it.
pub trait Pool: Send + Sync + 'static {
    /// How it stands now.
    fn state(&self) -> PoolState;
}

impl<F: Fn() -> PoolState + Send + Sync + 'static> Pool for F {
    fn state(&self) -> PoolState {
        self()
    }
}
