//! What a pool has done since it was made.

use std::time::Duration;

/// What a pool has done since it was made: numbers that only grow. What a pool does not count is left out, and is on no page.
///
/// ```
/// use metercast_clients::{ConnectionEnd, PoolState, PoolTotals};
///
/// let totals = PoolTotals::new().gets(100).waits(7).created(4).closed(ConnectionEnd::Broken, 1);
/// let state = PoolState::new(3, 1).totals(totals);
/// assert_eq!(state.used(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolTotals {
    pub(super) gets: Option<u64>,
    pub(super) waits: Option<u64>,
    pub(super) timeouts: Option<u64>,
    pub(super) wait_time: Option<Duration>,
    pub(super) created: Option<u64>,
    pub(super) closed: [Option<u64>; 4],
}

/// Why a pool closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// It did not work any more when it came back.
    Broken,
    /// It did not work any more when it was to be given out.
    Invalid,
    /// It was as old as connections may become.
    MaxLifetime,
    /// Nobody needed it for as long as connections may be idle.
    IdleTimeout,
}

impl PoolTotals {
    /// Nothing is counted.
    pub fn new() -> PoolTotals {
        PoolTotals::default()
    }

    /// So many times a connection was asked for.
    pub fn gets(self, gets: u64) -> PoolTotals {
        PoolTotals { gets: Some(gets), ..self }
    }

    /// So many of them had to wait, and got one.
    pub fn waits(self, waits: u64) -> PoolTotals {
        PoolTotals { waits: Some(waits), ..self }
    }

    /// So many of them were given up after the time that they may take.
    pub fn timeouts(self, timeouts: u64) -> PoolTotals {
        PoolTotals { timeouts: Some(timeouts), ..self }
    }

    /// So long all of them together have waited.
    pub fn wait_time(self, waited: Duration) -> PoolTotals {
        PoolTotals { wait_time: Some(waited), ..self }
    }

    /// So many connections were opened.
    pub fn created(self, connections: u64) -> PoolTotals {
        PoolTotals { created: Some(connections), ..self }
    }

    /// So many connections were closed for this reason.
    pub fn closed(mut self, end: ConnectionEnd, connections: u64) -> PoolTotals {
        self.closed[end as usize] = Some(connections);
        self
    }
}
