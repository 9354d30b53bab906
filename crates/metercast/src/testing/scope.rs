//! A store of its own for a test, so that tests in one process know nothing of each other.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use metercast_core::{Entered, InStore, Store, StoreFutureExt};

use super::escapes::Scope;

/// Runs `f` with a new store as the current one on this thread, and gives it that store.
///
/// ```
/// use metercast::{assert_counter, testing::isolated, u64_counter};
///
/// isolated(|_| {
///     u64_counter!("test", "test description", 1, "attr" => "val");
///     assert_counter!("test", 1, "attr" => "val");
/// });
/// ```
#[track_caller]
pub fn isolated<R>(f: impl FnOnce(&Store) -> R) -> R {
    let scope = Scope::of(Store::new());
    let ending = Ending(&scope);
    scope.is_run_here();
    let result = scope.store().scope(|| f(scope.store()));
    drop(ending);
    scope.end();
    result
}

/// Says what went past a scope even if its code panics.
struct Ending<'a>(&'a Scope);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}

/// Makes a new store the current one on this thread until what is returned is dropped: one line for a test that is not async, or
/// whose future stays on its thread, as that of `#[tokio::test]` does.
///
/// ```
/// use metercast::{assert_counter, testing, u64_counter};
///
/// let _metrics = testing::scope();
/// u64_counter!("test", "test description", 1, "attr" => "val");
/// assert_counter!("test", 1, "attr" => "val");
/// ```
#[must_use = "the scope ends when this is dropped: let _metrics = testing::scope();"]
pub fn scope() -> TestScope {
    scope_in(Store::new())
}

/// The same with a store of one's own, such as one that goes by a [`MockClock`](super::MockClock).
///
/// ```
/// use std::time::Duration;
/// use metercast::{Store, assert_histogram_sum, metrics, testing};
///
/// metrics! {
///     /// Time to settle.
///     static SETTLE: Histogram<f64> = "settle.duration" { unit: "s" };
/// }
///
/// let clock = testing::MockClock::new();
/// let _metrics = testing::scope_in(Store::with_clock(&clock));
/// let timer = SETTLE.start();
/// clock.advance(Duration::from_millis(1_500));
/// drop(timer);
/// assert_histogram_sum!("settle.duration", 1.5);
/// ```
#[must_use = "the scope ends when this is dropped"]
pub fn scope_in(store: Store) -> TestScope {
    let scope = Scope::of(store);
    scope.is_run_here();
    TestScope { entered: Some(scope.store().enter()), scope }
}

/// The scope of a test until it is dropped; made by [`scope`].
#[must_use = "the scope ends when this is dropped: let _metrics = testing::scope();"]
pub struct TestScope {
    /// Taken when it ends.
    entered: Option<Entered>,
    scope: Arc<Scope>,
}

impl TestScope {
    /// Its store.
    pub fn store(&self) -> &Store {
        self.scope.store()
    }

    /// The same, failing the test if a recording goes past it: as [`deny_escapes`](super::deny_escapes).
    pub fn deny_escapes(self) -> TestScope {
        self.scope.deny_escapes();
        self
    }
}

impl Drop for TestScope {
    fn drop(&mut self) {
        self.entered.take();
        self.scope.end();
    }
}

impl fmt::Debug for TestScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestScope").field("store", self.store()).finish_non_exhaustive()
    }
}

/// Puts futures into a store's scope; it works on any runtime, and holds over every `.await`.
pub trait FutureMetricsExt: Future + Sized {
    /// This future, recording into a new store of its own.
    fn with_metrics(self) -> WithMetrics<Self> {
        self.with_metrics_in(Store::new())
    }

    /// The same with a store of one's own, such as one that goes by a [`MockClock`](super::MockClock).
    fn with_metrics_in(self, store: Store) -> WithMetrics<Self> {
        let scope = Scope::of(store);
        WithMetrics { future: self.in_store(scope.store().clone()), scope }
    }

    /// This future, recording into the store that is current now. Spawned tasks are futures of their own and do not
    /// inherit a scope: wrap what is spawned. It may stand in production code, where the store stays the same.
    fn with_current_meter_provider(self) -> WithCurrentMeterProvider<Self> {
        let scope = Scope::current().as_ref().map(Arc::downgrade);
        WithCurrentMeterProvider { future: self.in_store(Store::current()), scope }
    }
}

impl<F: Future> FutureMetricsExt for F {}

/// Puts closures into a store's scope, for threads and `spawn_blocking`.
pub trait ClosureMetricsExt<R>: FnOnce() -> R + Sized {
    /// This closure, recording into the store that is current now, on whichever thread it runs.
    ///
    /// ```
    /// use metercast::testing::{ClosureMetricsExt, isolated};
    /// use metercast::{assert_counter, u64_counter};
    ///
    /// isolated(|_| {
    ///     let work = || u64_counter!("orders.placed", "Orders accepted", 1);
    ///     std::thread::spawn(work.with_current_meter_provider()).join().unwrap();
    ///     assert_counter!("orders.placed", 1);
    /// });
    /// ```
    fn with_current_meter_provider(self) -> impl FnOnce() -> R + use<Self, R> {
        let (store, scope) = (Store::current(), Scope::current().as_ref().map(Arc::downgrade));
        move || {
            run_here(scope.as_ref());
            store.scope(self)
        }
    }
}

impl<R, F: FnOnce() -> R> ClosureMetricsExt<R> for F {}

fn run_here(scope: Option<&Weak<Scope>>) {
    if let Some(scope) = scope.and_then(Weak::upgrade) {
        scope.is_run_here();
    }
}

/// A future with a store of its own; made by [`FutureMetricsExt::with_metrics`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct WithMetrics<F: Future> {
    future: InStore<F>,
    scope: Arc<Scope>,
}

impl<F: Future> WithMetrics<F> {
    /// Its store.
    pub fn store(&self) -> &Store {
        self.scope.store()
    }

    /// The same, failing the test if a recording goes past it: as [`deny_escapes`](super::deny_escapes).
    pub fn deny_escapes(self) -> WithMetrics<F> {
        self.scope.deny_escapes();
        self
    }
}

impl<F: Future> Future for WithMetrics<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.scope.is_run_here();
        let polled = Pin::new(&mut self.future).poll(context);
        if polled.is_ready() {
            self.scope.end();
        }
        polled
    }
}

impl<F: Future> Drop for WithMetrics<F> {
    fn drop(&mut self) {
        // It was cancelled, or panicked; otherwise it has ended.
        self.scope.end();
    }
}

impl<F: Future> fmt::Debug for WithMetrics<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithMetrics").field("store", self.store()).finish_non_exhaustive()
    }
}

/// A future in the store that was current when it was made; made by [`FutureMetricsExt::with_current_meter_provider`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct WithCurrentMeterProvider<F: Future> {
    future: InStore<F>,
    /// Weak, since what is spawned may outlive the test.
    scope: Option<Weak<Scope>>,
}

impl<F: Future> Future for WithCurrentMeterProvider<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        run_here(self.scope.as_ref());
        Pin::new(&mut self.future).poll(context)
    }
}

impl<F: Future> fmt::Debug for WithCurrentMeterProvider<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithCurrentMeterProvider").field("future", &self.future).finish()
    }
}
