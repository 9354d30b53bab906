//! How a pool stands at one moment.

use super::PoolTotals;

/// How a pool stands at one moment. What a pool does not say is left out, and is on no page.
///
/// ```
/// use metercast_clients::PoolState;
///
/// let state = PoolState::new(4, 3).max(10).waiting(2);
/// assert_eq!(state.used(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    pub(super) size: u64,
    pub(super) idle: u64,
    pub(super) max: Option<u64>,
    pub(super) idle_min: Option<u64>,
    pub(super) idle_max: Option<u64>,
    pub(super) waiting: Option<u64>,
    pub(super) totals: PoolTotals,
}

impl PoolState {
    /// So many connections are open, and so many of them are idle.
    ///
    /// Pools that count both one after the other may say more idle ones than there are; all are idle then.
    pub fn new(size: u64, idle: u64) -> PoolState {
        let (max, idle_min, idle_max, waiting) = (None, None, None, None);
        PoolState { size, idle: idle.min(size), max, idle_min, idle_max, waiting, totals: PoolTotals::new() }
    }

    /// So many may be open.
    pub fn max(self, max: u64) -> PoolState {
        PoolState { max: Some(max), ..self }
    }

    /// So many are kept open, idle if need be.
    pub fn idle_min(self, min: u64) -> PoolState {
        PoolState { idle_min: Some(min), ..self }
    }

    /// So many may be idle.
    pub fn idle_max(self, max: u64) -> PoolState {
        PoolState { idle_max: Some(max), ..self }
    }

    /// So many callers wait for one.
    pub fn waiting(self, callers: u64) -> PoolState {
        PoolState { waiting: Some(callers), ..self }
    }

    /// So much it has done since it was made.
    pub fn totals(self, totals: PoolTotals) -> PoolState {
        PoolState { totals, ..self }
    }

    /// How many are in use: those that are open and not idle.
    pub fn used(&self) -> u64 {
        self.size - self.idle
    }
}
