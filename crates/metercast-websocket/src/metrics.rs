//! What the metrics of sockets are called: with a prefix, or in the user's own way.

use metercast_core::{Instrument, InstrumentError, KeyValue, Kind, NumberType};

use crate::sockets::{Parts, Sockets};

/// From a millisecond to ten seconds, for messages.
const MESSAGE_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];

/// From a second to a day, for connections.
const CONNECTION_BUCKETS: [f64; 10] =
    [0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0];

/// Which metrics tell of sockets, and what they are called.
///
/// [`prefixed`](SocketMetrics::prefixed) has all of them. Methods with a name add a metric, or give it that name instead;
/// [`new`](SocketMetrics::new) begins with none.
///
/// ```
/// use metercast::{Log, PrometheusPage, Store};
/// use metercast_websocket::SocketMetrics;
///
/// # let store = Store::new();
/// # store.scope(|| {
/// let sockets = SocketMetrics::new().active("chat_sockets").label("listener", "public").build()?;
/// let connection = sockets.open();
///
/// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
/// assert!(page.ends_with("\nchat_sockets{listener=\"public\"} 1\n"));
/// # Ok::<(), metercast_core::InstrumentError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is measured until `build`"]
pub struct SocketMetrics {
    names: Vec<(What, String)>,
    connection_buckets: Vec<f64>,
    message_buckets: Vec<f64>,
    labels: Vec<KeyValue>,
}

/// A metric that sockets can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Connections,
    Active,
    Closed,
    ConnectionDuration,
    MessagesReceived,
    MessagesSent,
    BytesReceived,
    BytesSent,
    MessageDuration,
    Dropped,
    Disconnects,
    BatchSize,
    AuthAttempts,
    AuthFailures,
    AuthTimeouts,
}

impl What {
    /// Its kind, unit and description.
    fn definition(self) -> (Kind, &'static str, &'static str) {
        use Kind::{Counter, Histogram, Summary, UpDownCounter};
        match self {
            What::Connections => (Counter, "{connection}", "WebSocket connections accepted"),
            What::Active => (UpDownCounter, "{connection}", "WebSocket connections that are open"),
            What::Closed => (Counter, "{connection}", "WebSocket connections that ended, by why"),
            What::ConnectionDuration => (Histogram, "s", "Time that WebSocket connections were there"),
            What::MessagesReceived => (Counter, "{message}", "WebSocket messages received"),
            What::MessagesSent => (Counter, "{message}", "WebSocket messages sent"),
            What::BytesReceived => (Counter, "By", "Content of WebSocket messages received"),
            What::BytesSent => (Counter, "By", "Content of WebSocket messages sent"),
            What::MessageDuration => (Histogram, "s", "Time that it took to handle a message"),
            What::Dropped => (Counter, "{message}", "Messages dropped because a client did not keep up"),
            What::Disconnects => {
                (Counter, "{connection}", "Connections ended because the client did not keep up")
            }
            What::BatchSize => (Summary, "{message}", "Messages that were sent at once"),
            What::AuthAttempts => (Counter, "{attempt}", "Attempts of clients to say who they are"),
            What::AuthFailures => (Counter, "{attempt}", "Such attempts that failed, by why"),
            What::AuthTimeouts => (
                Counter,
                "{connection}",
                "Connections ended because the client did not say in time who it is",
            ),
        }
    }
}

/// A method that names a metric.
macro_rules! named {
    ($($(#[$doc:meta])* $method:ident => $what:ident;)+) => { $(
        $(#[$doc])*
        pub fn $method(self, name: &str) -> SocketMetrics {
            self.named(What::$what, name)
        }
    )+ };
}

impl SocketMetrics {
    /// None yet.
    pub fn new() -> SocketMetrics {
        SocketMetrics {
            names: Vec::new(),
            connection_buckets: CONNECTION_BUCKETS.to_vec(),
            message_buckets: MESSAGE_BUCKETS.to_vec(),
            labels: Vec::new(),
        }
    }

    /// All of them, with names that begin with this and a dot; with nothing, if it is empty.
    ///
    /// | name | on a Prometheus page, of `buzz` | |
    /// | --- | --- | --- |
    /// | `ws.connections` | `buzz_ws_connections_total` | accepted |
    /// | `ws.connections.active` | `buzz_ws_connections_active` | open |
    /// | `ws.connections.closed` | `buzz_ws_connections_closed_total{reason}` | ended, by [why](crate::CloseReason) |
    /// | `ws.connection.duration` | `buzz_ws_connection_duration_seconds` | from the start to the end |
    /// | `ws.messages.received`, `ws.messages.sent` | `buzz_ws_messages_received_total{kind}` | by [kind](crate::MessageKind) |
    /// | `ws.received`, `ws.sent` | `buzz_ws_received_bytes_total` | bytes of their content |
    /// | `ws.message.duration` | `buzz_ws_message_duration_seconds{kind}` | how long messages were [handled](crate::Connection::handle) |
    /// | `ws.backpressure.dropped` | `buzz_ws_backpressure_dropped_total` | messages that found no room in a queue |
    /// | `ws.backpressure.disconnects` | `buzz_ws_backpressure_disconnects_total` | connections ended for it |
    /// | `ws.send.batch_size` | `buzz_ws_send_batch_size{quantile}` | messages sent at once |
    /// | `ws.auth.timeouts` | `buzz_ws_auth_timeouts_total` | connections ended for not authenticating in time |
    /// | `auth.attempts` | `buzz_auth_attempts_total{method}` | attempts |
    /// | `auth.failures` | `buzz_auth_failures_total{reason}` | failures |
    pub fn prefixed(prefix: &str) -> SocketMetrics {
        let name = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        SocketMetrics::new()
            .connections(&name("ws.connections"))
            .active(&name("ws.connections.active"))
            .closed(&name("ws.connections.closed"))
            .connection_duration(&name("ws.connection.duration"))
            .messages_received(&name("ws.messages.received"))
            .messages_sent(&name("ws.messages.sent"))
            .bytes_received(&name("ws.received"))
            .bytes_sent(&name("ws.sent"))
            .message_duration(&name("ws.message.duration"))
            .dropped(&name("ws.backpressure.dropped"))
            .disconnects(&name("ws.backpressure.disconnects"))
            .batch_size(&name("ws.send.batch_size"))
            .auth_timeouts(&name("ws.auth.timeouts"))
            .auth_attempts(&name("auth.attempts"))
            .auth_failures(&name("auth.failures"))
    }

    named! {
        /// A counter of this name with the connections accepted.
        connections => Connections;
        /// An up-down counter of this name with the connections that are [active](crate::Connection::activate).
        active => Active;
        /// A counter of this name with the connections that ended, by `reason`.
        closed => Closed;
        /// A histogram of this name with how long connections were there, in seconds.
        connection_duration => ConnectionDuration;
        /// A counter of this name with the messages received, by `kind`.
        messages_received => MessagesReceived;
        /// A counter of this name with the messages sent, by `kind`.
        messages_sent => MessagesSent;
        /// A counter of this name with the bytes in messages received, without their frames.
        bytes_received => BytesReceived;
        /// A counter of this name with the bytes in messages sent, without their frames.
        bytes_sent => BytesSent;
        /// A histogram of this name with how long it took to [handle](crate::Connection::handle) messages, in seconds, by `kind`.
        message_duration => MessageDuration;
        /// A counter of this name with the messages [dropped](crate::Connection::dropped) since a client did not keep up.
        dropped => Dropped;
        /// A counter of this name with the connections [ended](crate::Connection::close_slow) since the client did not keep up.
        disconnects => Disconnects;
        /// A summary of this name with how many messages were [sent at once](crate::Connection::batch).
        batch_size => BatchSize;
        /// A counter of this name with the connections [ended](crate::Connection::close_unauthenticated) since the client did not say in
        /// time who it is.
        auth_timeouts => AuthTimeouts;
        /// A counter of this name with the [attempts](crate::Sockets::auth_attempt) to authenticate, by `method`.
        auth_attempts => AuthAttempts;
        /// A counter of this name with the [failures](crate::Sockets::auth_failure) to authenticate, by `reason`.
        auth_failures => AuthFailures;
    }

    /// With these upper bounds of the buckets of connections, in seconds, finite and increasing, at most 510. Without, from a tenth
    /// of a second to a day.
    pub fn connection_buckets(mut self, bounds: &[f64]) -> SocketMetrics {
        self.connection_buckets = bounds.to_vec();
        self
    }

    /// With these upper bounds of the buckets of messages, in seconds, finite and increasing, at most 510. Without, from a millisecond
    /// to ten seconds.
    pub fn message_buckets(mut self, bounds: &[f64]) -> SocketMetrics {
        self.message_buckets = bounds.to_vec();
        self
    }

    /// With this label on all of them.
    pub fn label(mut self, key: &str, value: &str) -> SocketMetrics {
        self.labels.push(KeyValue::new(key.to_owned(), value.to_owned()));
        self
    }

    /// The sockets, to be recorded. Each recording goes to the store that is current, those of a connection to that which was when it
    /// was accepted.
    ///
    /// # Errors
    ///
    /// If a name or the buckets are not valid, or the process has as many instruments as it may.
    #[track_caller]
    pub fn build(&self) -> Result<Sockets, InstrumentError> {
        let parts = Parts {
            connections: self.part(What::Connections)?,
            active: self.part(What::Active)?,
            closed: self.part(What::Closed)?,
            connection_duration: self.part(What::ConnectionDuration)?,
            messages_received: self.part(What::MessagesReceived)?,
            messages_sent: self.part(What::MessagesSent)?,
            bytes_received: self.part(What::BytesReceived)?,
            bytes_sent: self.part(What::BytesSent)?,
            message_duration: self.part(What::MessageDuration)?,
            dropped: self.part(What::Dropped)?,
            disconnects: self.part(What::Disconnects)?,
            batch_size: self.part(What::BatchSize)?,
            auth_attempts: self.part(What::AuthAttempts)?,
            auth_failures: self.part(What::AuthFailures)?,
            auth_timeouts: self.part(What::AuthTimeouts)?,
            labels: self.labels.clone(),
        };
        Ok(Sockets::new(parts))
    }

    fn named(mut self, what: What, name: &str) -> SocketMetrics {
        self.names.retain(|(named, _)| *named != what);
        self.names.push((what, name.to_owned()));
        self
    }

    #[track_caller]
    fn part(&self, what: What) -> Result<Option<Instrument>, InstrumentError> {
        let Some((_, name)) = self.names.iter().find(|(named, _)| *named == what) else { return Ok(None) };
        let (kind, unit, description) = what.definition();
        let number = match kind {
            Kind::Counter | Kind::Summary => NumberType::U64,
            Kind::UpDownCounter => NumberType::I64,
            _ => NumberType::F64,
        };
        let mut builder = Instrument::builder(kind, number, name.clone()).unit(unit).description(description);
        if kind == Kind::Histogram {
            let is_connection = what == What::ConnectionDuration;
            builder =
                builder.bounds(if is_connection { &self.connection_buckets } else { &self.message_buckets });
        }
        builder.build().map(Some)
    }
}

impl Default for SocketMetrics {
    fn default() -> SocketMetrics {
        SocketMetrics::new()
    }
}
