//! Spans with the id of their connection.

use metercast_core::ValueRef;
use tracing::{Span, info_span};

use crate::connection::Connection;

pub(crate) fn of_connection(id: &str) -> Span {
    info_span!("ws.connection", conn_id = id)
}

pub(crate) fn of_message(connection: &Connection, kind: ValueRef<'static>) -> Span {
    info_span!(parent: connection.span(), "ws.message", conn_id = connection.id(), kind = %kind)
}

/// A span of one's own in that of a [`Connection`], with its id as `conn_id` and fields as `tracing` takes them. Make it before
/// `tokio::spawn`, which knows of no span, and give it to the future by `instrument`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use metercast_websocket::{SocketMetrics, connection_span};
/// use tracing::Instrument;
///
/// let connection = SocketMetrics::prefixed("buzz").build().unwrap().open();
/// let span = connection_span!(connection, "ws.req", sub_id = "s1");
/// tokio::spawn(async { /* answers */ }.instrument(span));
/// # });
/// ```
#[macro_export]
macro_rules! connection_span {
    ($connection:expr, $name:literal $(, $($fields:tt)*)?) => {{
        let connection: &$crate::Connection = &$connection;
        $crate::__private::tracing::info_span!(
            parent: connection.span(), $name, conn_id = connection.id() $(, $($fields)*)?
        )
    }};
}
