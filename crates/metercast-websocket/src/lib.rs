//! WebSockets: connections and how they end, messages and bytes, back-pressure, authentication, and a span for each message that
//! carries the connection across `tokio::spawn`.
//!
//! ```
//! use metercast::{Log, PrometheusPage, Store};
//! use metercast_websocket::{CloseReason, SocketMetrics};
//!
//! metercast::labels! {
//!     enum Method { Token }
//!     enum Refusal { Expired, UnknownUser }
//! }
//!
//! # let store = Store::new();
//! # store.scope(|| {
//! let sockets = SocketMetrics::prefixed("buzz").build()?;
//!
//! let connection = sockets.accept(); // counted
//! connection.activate(); // and active from here on, such as after a challenge was sent
//! sockets.auth_attempt(Method::Token);
//! sockets.auth_failure(Refusal::Expired);
//! connection.close(CloseReason::AuthFailed);
//! drop(connection);
//!
//! let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
//! assert!(page.contains("\nbuzz_ws_connections_total 1\n"));
//! assert!(page.contains("\nbuzz_ws_connections_active 0\n"));
//! assert!(page.contains("\nbuzz_ws_connections_closed_total{reason=\"auth_failed\"} 1\n"));
//! assert!(page.contains("\nbuzz_auth_attempts_total{method=\"token\"} 1\n"));
//! assert!(page.contains("\nbuzz_auth_failures_total{reason=\"expired\"} 1\n"));
//! # Ok::<(), metercast_core::InstrumentError>(())
//! # }).unwrap();
//! ```
//!
//! A [`Connection`] is a guard of which there may be clones, in the tasks that read and write: it ends with the last of them, also when they
//! are cancelled or panic. A socket that is a `Stream` and a `Sink` of messages need not be counted by hand: [`Connection::measure`]
//! gives the same socket, measured. Whatever ends up in a label is a [`Word`], whose type knows all values
//! there are.
//!
//! # Features
//!
//! | feature | what for |
//! | --- | --- |
//! | `axum_0_8` | messages and errors of `axum::extract::ws` |
//! | `tungstenite_0_29` | messages and errors of tungstenite and tokio-tungstenite |
//! | `tracing` | spans: of a connection, of each message that is [handled](Connection::handle), and of one's own by `connection_span!` |
//!
//! None is on by default, and any of them can be on together.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod metrics;

mod closing;
mod connection;
mod sockets;

mod error;
mod message;
mod socket;

mod handling;
#[cfg(feature = "tracing")]
mod span;

pub use closing::CloseReason;
pub use connection::Connection;
pub use error::SocketError;
pub use handling::Handling;
pub use message::{MessageKind, SocketMessage};
pub use metercast_core::InstrumentError;
pub use metercast_core::label::Word;
pub use metrics::SocketMetrics;
pub use socket::MeasuredSocket;
pub use sockets::Sockets;

/// What the expansion of our macro names; not for use by hand.
#[cfg(feature = "tracing")]
#[doc(hidden)]
pub mod __private {
    pub use tracing;
}
