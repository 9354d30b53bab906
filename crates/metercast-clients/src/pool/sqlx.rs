//! Pools of sqlx: they say how many connections there are and how many of them are idle, not who waits, which
//! [`PoolTimes::watch`](crate::PoolTimes::watch) knows.

/// For each version the same.
macro_rules! pool {
    ($feature:literal, $sqlx:ident) => {
        #[cfg(feature = $feature)]
        impl<D: $sqlx::Database> super::Pool for $sqlx::Pool<D> {
            fn state(&self) -> super::PoolState {
                // Idle ones first: connections that are opened in between are in use, so none is counted as such that is not.
                let idle = self.num_idle() as u64;
                super::PoolState::new(self.size().into(), idle)
                    .max(self.options().get_max_connections().into())
                    .idle_min(self.options().get_min_connections().into())
            }
        }

        #[cfg(feature = $feature)]
        impl<D: $sqlx::Database> super::Acquire for $sqlx::Pool<D> {
            type Connection = $sqlx::pool::PoolConnection<D>;
            type Error = $sqlx::Error;

            async fn acquire(&self) -> Result<Self::Connection, Self::Error> {
                $sqlx::Pool::acquire(self).await
            }

            fn is_timeout(error: &Self::Error) -> bool {
                matches!(error, $sqlx::Error::PoolTimedOut)
            }
        }
    };
}

pool!("sqlx_0_8", sqlx_0_8);
pool!("sqlx_0_9", sqlx_0_9);
