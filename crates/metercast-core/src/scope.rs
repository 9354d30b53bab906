//! Which store is current while a future runs, on any runtime and any thread.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::store::Store;

/// Puts futures into a store's scope.
pub trait StoreFutureExt: Future + Sized {
    /// This future, polled and dropped with `store` as the current store, wherever it runs.
    ///
    /// Tasks that it spawns are futures of their own: wrap them as well, with [`Store::current`].
    fn in_store(self, store: Store) -> InStore<Self> {
        InStore { future: Some(Box::pin(self)), store }
    }
}

impl<F: Future> StoreFutureExt for F {}

/// A future in the scope of a store; made by [`StoreFutureExt::in_store`].
pub struct InStore<F: Future> {
    /// Boxed, so that it can be moved out and dropped inside the scope. `None` once it has been.
    future: Option<Pin<Box<F>>>,
    store: Store,
}

impl<F: Future> Future for InStore<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let future = this.future.as_mut().expect("a future is not polled after it was dropped");
        this.store.scope(|| future.as_mut().poll(context))
    }
}

impl<F: Future> Drop for InStore<F> {
    fn drop(&mut self) {
        // What a cancelled future holds (guards, timers) records into the same store as the future did.
        let future = self.future.take();
        self.store.scope(|| drop(future));
    }
}

impl<F: Future> fmt::Debug for InStore<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InStore").field("store", &self.store).finish_non_exhaustive()
    }
}
