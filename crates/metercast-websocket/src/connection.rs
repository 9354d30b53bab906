//! One connection, from its acceptance to its end, however that comes.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use metercast_core::label::Word;
use metercast_core::{Guard, Store, ValueRef};

use crate::closing::CloseReason;
use crate::handling::Handling;
use crate::socket::MeasuredSocket;
use crate::sockets::Parts;

/// A connection; made by [`Sockets::accept`](crate::Sockets::accept).
///
/// Clones are the same connection. When the last of them is dropped it has ended: as was [said](Connection::close) first, or as
/// `panicked` if the thread unwinds, or else as `aborted`. All of it is recorded into the store that was current when it was accepted.
#[derive(Clone)]
#[must_use = "dropping it ends the connection at once"]
pub struct Connection {
    open: Arc<Open>,
}

struct Open {
    parts: Arc<Parts>,
    id: Arc<str>,
    store: Store,
    accepted: Instant,
    active: OnceLock<Option<Guard>>,
    /// What was said first.
    closed: OnceLock<ValueRef<'static>>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Connection {
    pub(crate) fn new(parts: Arc<Parts>, id: Arc<str>) -> Connection {
        let store = Store::current();
        let accepted = store.now();
        #[cfg(feature = "tracing")]
        let span = crate::span::of_connection(&id);
        Connection {
            open: Arc::new(Open {
                parts,
                id,
                store,
                accepted,
                active: OnceLock::new(),
                closed: OnceLock::new(),
                #[cfg(feature = "tracing")]
                span,
            }),
        }
    }

    /// What tells it from others, in spans and logs.
    pub fn id(&self) -> &str {
        &self.open.id
    }

    /// The span of the connection, `ws.connection` with its id as `conn_id`; what its tasks do belongs in there.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use metercast_websocket::SocketMetrics;
    /// use tracing::Instrument;
    ///
    /// let connection = SocketMetrics::prefixed("buzz").build().unwrap().open();
    /// tokio::spawn(async { /* reads what the client says */ }.instrument(connection.span().clone()));
    /// # });
    /// ```
    #[cfg(feature = "tracing")]
    pub fn span(&self) -> &tracing::Span {
        &self.open.span
    }

    /// It is active from now on, until it ends. Doing so again changes nothing.
    pub fn activate(&self) {
        let Open { parts, store, active, .. } = &*self.open;
        active.get_or_init(|| store.scope(|| parts.guard(parts.active)));
    }

    /// Whether it was activated.
    pub fn is_active(&self) -> bool {
        self.open.active.get().is_some()
    }

    /// Why it ends: a [`CloseReason`], or a word of the application. What is said first stays, since what follows is mostly a
    /// consequence. It ends when the last clone is dropped.
    pub fn close(&self, reason: impl Word) {
        self.is_closed_for(reason);
    }

    /// It ends since the client did not keep up with what it was sent, which is counted, unless another reason was said before.
    pub fn close_slow(&self) {
        if self.is_closed_for(CloseReason::Backpressure) {
            self.count(|parts| parts.count(parts.disconnects, 1, None));
        }
    }

    /// It ends since the client did not say in time who it is, which is counted, unless another reason was said before.
    pub fn close_unauthenticated(&self) {
        if self.is_closed_for(CloseReason::AuthTimeout) {
            self.count(|parts| parts.count(parts.auth_timeouts, 1, None));
        }
    }

    /// Closes it, and tells whether that is the reason that was said first.
    fn is_closed_for(&self, reason: impl Word) -> bool {
        self.open.closed.set(reason.spelled()).is_ok()
    }

    /// Counts so many messages to the client that found no room in its queue, and were dropped.
    pub fn dropped(&self, messages: u64) {
        self.count(|parts| parts.count(parts.dropped, messages, None));
    }

    /// Counts so many messages that were sent at once.
    pub fn batch(&self, messages: usize) {
        self.count(|parts| parts.size(parts.batch_size, messages as u64));
    }

    /// Counts a message from the client, of so many bytes. A [measured socket](Self::measure) does so itself.
    pub fn received(&self, kind: impl Word, bytes: usize) {
        self.count(|parts| {
            parts.count(parts.messages_received, 1, Some(("kind", kind.spelled())));
            parts.count(parts.bytes_received, bytes as u64, None);
        });
    }

    /// Counts a message to the client, of so many bytes. A [measured socket](Self::measure) does so itself.
    pub fn sent(&self, kind: impl Word, bytes: usize) {
        self.count(|parts| {
            parts.count(parts.messages_sent, 1, Some(("kind", kind.spelled())));
            parts.count(parts.bytes_sent, bytes as u64, None);
        });
    }

    /// The socket of this connection, so that what goes through it is counted, and how it ends is known.
    pub fn measure<S>(&self, socket: S) -> MeasuredSocket<S> {
        MeasuredSocket::new(socket, self.clone())
    }

    /// A future that handles a message of this kind, whose time is measured however it ends: also if it is cancelled or panics. With the
    /// feature `tracing` it runs in a span `ws.message` with `kind` and the connection's id as `conn_id`, whose parent is the
    /// connection's; the span begins here, so the future may be spawned.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use metercast::{Log, PrometheusPage, Store};
    /// use metercast_websocket::SocketMetrics;
    ///
    /// metercast::labels! { enum Message { Event, Request } }
    ///
    /// let connection = SocketMetrics::prefixed("chat").build().unwrap().open();
    /// let handled = tokio::spawn(connection.handle(Message::Event, async { "taken" }));
    /// assert_eq!(handled.await.unwrap(), "taken");
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("\nchat_ws_message_duration_seconds_count{kind=\"event\"} 1\n"));
    /// # });
    /// ```
    pub fn handle<F: Future>(&self, kind: impl Word, future: F) -> Handling<F> {
        Handling::new(self.clone(), kind.spelled(), future)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.open.store
    }

    pub(crate) fn count(&self, record: impl FnOnce(&Parts)) {
        self.open.store.scope(|| record(&self.open.parts));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let reason = self.closed.get().copied().unwrap_or_else(|| {
            let is_panic = std::thread::panicking();
            if is_panic { CloseReason::Panicked } else { CloseReason::Aborted }.spelled()
        });
        let lived = self.store.now().saturating_duration_since(self.accepted);
        let parts = &self.parts;
        self.store.scope(|| {
            parts.count(parts.closed, 1, Some(("reason", reason)));
            parts.seconds(parts.connection_duration, lived.as_secs_f64(), None);
        });
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Open { id, closed, .. } = &*self.open;
        let mut debug = f.debug_struct("Connection");
        debug.field("id", id).field("is_active", &self.is_active()).field("closed", &closed.get()).finish()
    }
}
