//! Pools of bb8, whichever library's connections they hold.
//!
//! They say how many connections there are, and count what they did. Who waits they do not say: what bb8 calls pending includes every
//! request that was given up without a timeout, for ever. [`PoolTimes::watch`](crate::PoolTimes::watch) knows it.

/// For each version the same, but for what it knows.
macro_rules! pool {
    ($feature:literal, $bb8:ident, $state:ident, $with:expr) => {
        #[cfg(feature = $feature)]
        impl<M: $bb8::ManageConnection> super::Pool for $bb8::Pool<M> {
            fn state(&self) -> super::PoolState {
                use super::{ConnectionEnd, PoolState, PoolTotals};
                let $state = self.state();
                let counted = &$state.statistics;
                let totals = PoolTotals::new()
                    .waits(counted.get_waited)
                    .timeouts(counted.get_timed_out)
                    .wait_time(counted.get_wait_time)
                    .created(counted.connections_created)
                    .closed(ConnectionEnd::Broken, counted.connections_closed_broken)
                    .closed(ConnectionEnd::Invalid, counted.connections_closed_invalid)
                    .closed(ConnectionEnd::MaxLifetime, counted.connections_closed_max_lifetime)
                    .closed(ConnectionEnd::IdleTimeout, counted.connections_closed_idle_timeout);
                let state = PoolState::new($state.connections.into(), $state.idle_connections.into());
                let with: fn(&Self, &$bb8::Statistics, PoolState, PoolTotals) -> PoolState = $with;
                with(self, counted, state, totals)
            }
        }

        #[cfg(feature = $feature)]
        impl<M: $bb8::ManageConnection> super::Acquire for $bb8::Pool<M> {
            type Connection = $bb8::PooledConnection<'static, M>;
            type Error = $bb8::RunError<M::Error>;

            async fn acquire(&self) -> Result<Self::Connection, Self::Error> {
                self.get_owned().await
            }

            fn is_timeout(error: &Self::Error) -> bool {
                matches!(error, $bb8::RunError::TimedOut)
            }
        }
    };
}

// It tells neither how many there may be nor how often it was asked.
pool!("bb8_0_8", bb8_0_8, state, |_, _, state, totals| state.totals(totals));
pool!("bb8_0_9", bb8_0_9, state, |pool, counted, state, totals| {
    let config = pool.config();
    let state = state.max(config.max_size.into()).totals(totals.gets(counted.get_started));
    config.min_idle.map_or(state, |min| state.idle_min(min.into()))
});
