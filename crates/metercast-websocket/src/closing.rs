//! Why connections end.

use metercast_core::labels;

labels! {
    /// Why a connection ended. An application may have [reasons of its own](crate::Connection::close) beside them.
    pub enum CloseReason {
        /// The other end closed it.
        Peer,
        /// This end closed it.
        Local,
        /// The other end is gone without a close frame: the code 1006 of RFC 6455 (7.1.5).
        Abnormal,
        /// Reading or writing failed otherwise: the other end broke the protocol, or a message is too long.
        Error,
        /// The client did not keep up with what it was sent.
        Backpressure,
        /// The client is not who it says, or may not come.
        AuthFailed,
        /// The client did not say in time who it is.
        AuthTimeout,
        /// Nothing was heard of it for too long.
        IdleTimeout,
        /// The process ends.
        Shutdown,
        /// It was dropped by a panic.
        Panicked,
        /// It was dropped otherwise, and nobody said why.
        Aborted,
    }
}
