//! How a client of NATS stands at one moment.

metercast_core::labels! {
    /// Whether a client of NATS has a connection.
    pub enum NatsStatus {
        /// It has one.
        Connected,
        /// It had one, and tries to get one again.
        Disconnected,
        /// It has never had one yet.
        Pending,
    }
}

/// How a client of NATS stands at one moment, and what it has done since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatsState {
    /// Whether it has a connection.
    pub status: NatsStatus,
    /// How often it got one.
    pub connects: u64,
    /// Messages that came.
    pub in_messages: u64,
    /// Messages that went.
    pub out_messages: u64,
    /// Bytes of the messages that came.
    pub in_bytes: u64,
    /// Bytes of the messages that went.
    pub out_bytes: u64,
}
