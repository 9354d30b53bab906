//! A socket whose messages are counted.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use pin_project_lite::pin_project;

use crate::closing::CloseReason;
use crate::connection::Connection;
use crate::error::SocketError;
use crate::message::{MessageKind, SocketMessage};

pin_project! {
    /// A socket of a [`Connection`]; made by [`Connection::measure`].
    ///
    /// It is the `Stream` and the `Sink` that the socket is, and can be split as that can. Messages received are counted as they come,
    /// messages sent when the socket has taken them. It says why the connection ends, if nobody did before: a close frame that
    /// comes and the end of the stream are the peer's doing, a close frame that is sent and the end of the sink are ours; a peer who is gone
    /// without a close frame is [`Abnormal`](CloseReason::Abnormal), as far as the [error](crate::SocketError) says so, and anything else that fails is an error.
    #[derive(Debug)]
    pub struct MeasuredSocket<S> {
        #[pin]
        socket: S,
        connection: Connection,
    }
}

impl<S> MeasuredSocket<S> {
    pub(crate) fn new(socket: S, connection: Connection) -> MeasuredSocket<S> {
        MeasuredSocket { socket, connection }
    }

    /// The connection that it is of.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The socket itself; what it is made to do is not counted.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// The socket itself; what it is made to do is not counted.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The socket itself, no longer measured.
    pub fn into_inner(self) -> S {
        self.socket
    }
}

impl<S, M, E> Stream for MeasuredSocket<S>
where
    S: Stream<Item = Result<M, E>>,
    M: SocketMessage,
    E: SocketError,
{
    type Item = Result<M, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let next = ready!(this.socket.poll_next(context));
        match &next {
            Some(Ok(message)) => {
                let kind = message.kind();
                this.connection.received(kind, message.size());
                if kind == MessageKind::Close {
                    this.connection.close(CloseReason::Peer);
                }
            }
            Some(Err(error)) => this.connection.close(reason(error)),
            None => this.connection.close(CloseReason::Peer),
        }
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.socket.size_hint()
    }
}

impl<S, M> Sink<M> for MeasuredSocket<S>
where
    S: Sink<M>,
    S::Error: SocketError,
    M: SocketMessage,
{
    type Error = S::Error;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let this = self.project();
        this.socket.poll_ready(context).map(|done| noted(this.connection, done))
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), S::Error> {
        let this = self.project();
        let (kind, size) = (message.kind(), message.size());
        noted(this.connection, this.socket.start_send(message))?;
        this.connection.sent(kind, size);
        if kind == MessageKind::Close {
            this.connection.close(CloseReason::Local);
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let this = self.project();
        this.socket.poll_flush(context).map(|done| noted(this.connection, done))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let this = self.project();
        let done = ready!(this.socket.poll_close(context));
        if done.is_ok() {
            this.connection.close(CloseReason::Local);
        }
        Poll::Ready(noted(this.connection, done))
    }
}

/// What failed ended the connection, unless something else did before.
fn noted<E: SocketError>(connection: &Connection, done: Result<(), E>) -> Result<(), E> {
    if let Err(error) = &done {
        connection.close(reason(error));
    }
    done
}

fn reason(error: &impl SocketError) -> CloseReason {
    if error.is_abnormal() { CloseReason::Abnormal } else { CloseReason::Error }
}
