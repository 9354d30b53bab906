//! What is known of a message of any library.

use metercast_core::labels;

labels! {
    /// What a message is, as the protocol knows it (RFC 6455, 5.2).
    pub enum MessageKind {
        /// Text.
        Text,
        /// Bytes.
        Binary,
        /// Asks whether somebody is there.
        Ping,
        /// Answers that.
        Pong,
        /// Ends the connection.
        Close,
        /// A part of a message.
        Frame,
    }
}

/// A message that a socket sends or receives. Those of [libraries](crate#features) are; others can be made one.
pub trait SocketMessage {
    /// What it is.
    fn kind(&self) -> MessageKind;

    /// How many bytes its content has, without its frame.
    fn size(&self) -> usize;
}

#[cfg(feature = "axum_0_8")]
impl SocketMessage for axum_0_8::extract::ws::Message {
    fn kind(&self) -> MessageKind {
        use axum_0_8::extract::ws::Message;
        match self {
            Message::Text(_) => MessageKind::Text,
            Message::Binary(_) => MessageKind::Binary,
            Message::Ping(_) => MessageKind::Ping,
            Message::Pong(_) => MessageKind::Pong,
            Message::Close(_) => MessageKind::Close,
        }
    }

    fn size(&self) -> usize {
        use axum_0_8::extract::ws::Message;
        match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
            // The code has two bytes.
            Message::Close(frame) => frame.as_ref().map_or(0, |frame| 2 + frame.reason.len()),
        }
    }
}

#[cfg(feature = "tungstenite_0_29")]
impl SocketMessage for tungstenite_0_29::Message {
    fn kind(&self) -> MessageKind {
        use tungstenite_0_29::Message;
        match self {
            Message::Text(_) => MessageKind::Text,
            Message::Binary(_) => MessageKind::Binary,
            Message::Ping(_) => MessageKind::Ping,
            Message::Pong(_) => MessageKind::Pong,
            Message::Close(_) => MessageKind::Close,
            Message::Frame(_) => MessageKind::Frame,
        }
    }

    fn size(&self) -> usize {
        use tungstenite_0_29::Message;
        match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
            Message::Close(frame) => frame.as_ref().map_or(0, |frame| 2 + frame.reason.len()),
            Message::Frame(frame) => frame.payload().len(),
        }
    }
}
