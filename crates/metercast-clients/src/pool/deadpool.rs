//! Pools of deadpool, whichever library's connections they hold.

/// For each version the same.
macro_rules! pool {
    ($feature:literal, $deadpool:ident) => {
        #[cfg(feature = $feature)]
        impl<M, W> super::Pool for $deadpool::managed::Pool<M, W>
        where
            M: $deadpool::managed::Manager + 'static,
            W: From<$deadpool::managed::Object<M>> + Send + Sync + 'static,
        {
            fn state(&self) -> super::PoolState {
                let status = self.status();
                super::PoolState::new(status.size as u64, status.available as u64)
                    .max(status.max_size as u64)
                    .waiting(status.waiting as u64)
            }
        }

        #[cfg(feature = $feature)]
        impl<M, W> super::Acquire for $deadpool::managed::Pool<M, W>
        where
            M: $deadpool::managed::Manager + 'static,
            W: From<$deadpool::managed::Object<M>> + Send + Sync + 'static,
        {
            type Connection = W;
            type Error = $deadpool::managed::PoolError<M::Error>;

            async fn acquire(&self) -> Result<W, Self::Error> {
                self.get().await
            }

            fn is_timeout(error: &Self::Error) -> bool {
                matches!(error, $deadpool::managed::PoolError::Timeout(_))
            }
        }
    };
}

pool!("deadpool_0_12", deadpool_0_12);
pool!("deadpool_0_13", deadpool_0_13);
