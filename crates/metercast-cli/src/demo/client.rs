//! A small HTTP client: one connection, one request at a time.

use std::fmt;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, ToSocketAddrs};

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum ClientError {
    Connect(std::io::Error),
    Send(hyper::Error),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Connect(error) => write!(f, "cannot connect: {error}"),
            ClientError::Send(error) => write!(f, "the connection broke: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<hyper::Error> for ClientError {
    fn from(error: hyper::Error) -> ClientError {
        ClientError::Send(error)
    }
}

/// A connection that is kept from one request to the next.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

type Io = TokioIo<TcpStream>;

impl Connection {
    /// Connects.
    pub(crate) async fn open(to: impl ToSocketAddrs) -> Result<Connection, ClientError> {
        let (sender, connection) = connect(to).await?;
        // It ends when the sender is dropped; what breaks it, the sender hears.
        tokio::spawn(connection);
        Ok(Connection { sender })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, body })
    }
}

/// Sends a request on a connection of its own, and hangs up when `enough` returns; `None` if that came first.
pub(crate) async fn send_and_hang_up(
    to: impl ToSocketAddrs,
    request: Request<Full<Bytes>>,
    enough: impl Future<Output = ()>,
) -> Result<Option<Answer>, ClientError> {
    let (mut sender, connection) = connect(to).await?;
    let answer = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Some(Answer { status: head.status, body }))
    };
    // Whatever returns first, the connection is dropped with the others, and so closed.
    tokio::select! {
        biased;
        answer = answer => answer,
        Err(error) = connection => Err(error.into()),
        () = enough => Ok(None),
    }
}

async fn connect(
    to: impl ToSocketAddrs,
) -> Result<(SendRequest<Full<Bytes>>, http1::Connection<Io, Full<Bytes>>), ClientError> {
    let stream = TcpStream::connect(to).await.map_err(ClientError::Connect)?;
    let _ = stream.set_nodelay(true);
    Ok(http1::handshake(TokioIo::new(stream)).await?)
}
