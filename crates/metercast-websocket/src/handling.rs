//! The handling of a message, to its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use metercast_core::ValueRef;
use pin_project_lite::pin_project;

use crate::connection::Connection;

pin_project! {
    /// A future that handles a message; made by [`Connection::handle`].
    ///
    /// Its time is recorded when it is done or dropped. It holds its connection.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Handling<F> {
        #[pin]
        future: Traced<F>,
        time: Time,
    }
}

/// Measures how long it lives.
struct Time {
    connection: Connection,
    kind: ValueRef<'static>,
    begun: Option<Instant>,
}

impl Time {
    fn end(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        let took = self.connection.store().now().saturating_duration_since(begun).as_secs_f64();
        let kind = Some(("kind", self.kind));
        self.connection.count(|parts| parts.seconds(parts.message_duration, took, kind));
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        self.end();
    }
}

impl<F: Future> Handling<F> {
    pub(crate) fn new(connection: Connection, kind: ValueRef<'static>, future: F) -> Handling<F> {
        #[cfg(feature = "tracing")]
        let future = tracing::Instrument::instrument(future, crate::span::of_message(&connection, kind));
        let begun = Some(connection.store().now());
        Handling { future, time: Time { connection, kind, begun } }
    }
}

#[cfg(feature = "tracing")]
type Traced<F> = tracing::instrument::Instrumented<F>;
#[cfg(not(feature = "tracing"))]
type Traced<F> = F;

impl<F: Future> Future for Handling<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let done = this.future.poll(context);
        if done.is_ready() {
            this.time.end();
        }
        done
    }
}

impl<F> fmt::Debug for Handling<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Time { connection, kind, .. } = &self.time;
        let mut debug = f.debug_struct("Handling");
        debug.field("connection", connection).field("kind", kind).finish_non_exhaustive()
    }
}
