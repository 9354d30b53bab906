//! Pools of sqlx: they say how many connections there are and how many of them are idle, not who waits.

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
    };
}

pool!("sqlx_0_8", sqlx_0_8);
pool!("sqlx_0_9", sqlx_0_9);
