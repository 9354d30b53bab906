//! What is known of an error of any library.

use std::convert::Infallible;
use std::io::{self, ErrorKind};

/// Why reading from a socket or writing to it failed. Those of [libraries](crate#features) are; others can be made one.
pub trait SocketError {
    /// Whether the connection is gone, and no close frame has said so: the other end has ended, or the network between.
    fn is_abnormal(&self) -> bool;
}

impl SocketError for io::Error {
    fn is_abnormal(&self) -> bool {
        use ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable,
            NotConnected, TimedOut, UnexpectedEof,
        };
        matches!(
            self.kind(),
            BrokenPipe
                | ConnectionAborted
                | ConnectionReset
                | HostUnreachable
                | NetworkDown
                | NetworkUnreachable
                | NotConnected
                | TimedOut
                | UnexpectedEof
        )
    }
}

impl SocketError for Infallible {
    fn is_abnormal(&self) -> bool {
        match *self {}
    }
}

#[cfg(feature = "tungstenite_0_29")]
impl SocketError for tungstenite_0_29::Error {
    fn is_abnormal(&self) -> bool {
        use tungstenite_0_29::Error;
        use tungstenite_0_29::error::ProtocolError;
        match self {
            Error::Io(error) => error.is_abnormal(),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => true,
            _ => false,
        }
    }
}

#[cfg(feature = "axum_0_8")]
impl SocketError for axum_0_8::Error {
    fn is_abnormal(&self) -> bool {
        // What is inside is of the tungstenite that this axum has, which it does not show.
        let inside = std::error::Error::source(self);
        inside
            .and_then(|error| error.downcast_ref::<tungstenite_0_29::Error>())
            .is_some_and(SocketError::is_abnormal)
    }
}
