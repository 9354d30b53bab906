//! The HTTP/1.1 client of one exporter: one request at a time, on a connection that is kept.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

use super::error::Cause;
use super::settings::Settings;

/// Sends requests to one URL. It has no clock: whoever drops the future of [`send`](Client::send) ends the request and
/// its connection, and the next request gets a new one.
pub(super) struct Client {
    host: String,
    port: u16,
    path: Uri,
    headers: HeaderMap,
    /// The connection of the last request, if the whole answer was read and the server keeps it open.
    kept: Option<Connection>,
    connected: bool,
}

type Connection = SendRequest<Full<Bytes>>;

/// An answer that was read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body, or why there is none.
    pub(super) body: Result<Vec<u8>, Cause>,
}

/// OTLP: a client reads at most 4 MiB of an answer.
pub(super) const ANSWER_LIMIT: usize = 4 << 20;

/// The product and, as the specification of OTLP exporters asks for, the exporter.
const USER_AGENT: &str =
    concat!("metercast/", env!("CARGO_PKG_VERSION"), " OTel-OTLP-Exporter-Rust/", env!("CARGO_PKG_VERSION"));

impl Client {
    /// A client that is not connected yet.
    ///
    /// # Errors
    ///
    /// A path or header that HTTP cannot carry, which configuration has refused already.
    pub(super) fn new(settings: &Settings) -> io::Result<Client> {
        // The texts themselves may be secrets, and so may hyper's errors about them.
        let invalid =
            |what: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("{what} is not one of HTTP"));
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        for (name, value) in &settings.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("a header's name"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| invalid("a header's value"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let host = HeaderValue::from_str(&settings.authority).map_err(|_| invalid("the host"))?;
        headers.insert(header::HOST, host);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        if settings.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Client {
            host: settings.host.clone(),
            port: settings.port,
            path: settings.path.parse().map_err(|_| invalid("the path"))?,
            headers,
            kept: None,
            connected: false,
        })
    }

    /// Whether the last request got as far as a connection.
    pub(super) fn connected(&self) -> bool {
        self.connected
    }

    /// Sends `body` and reads the answer, whatever its status. Redirects are not followed.
    ///
    /// A request goes out a second time only if nothing of it was sent the first time: the kept connection had been
    /// closed meanwhile, and hyper hands the request back. Once bytes have left, the server may have taken them.
    pub(super) async fn send(&mut self, body: Bytes) -> Result<Answer, Cause> {
        let mut request = self.request(body);
        self.connected = false;
        // Taken out, so that a request that is dropped half-way drops its connection too.
        if let Some(mut kept) = self.kept.take().filter(|kept| !kept.is_closed()) {
            self.connected = true;
            match kept.try_send_request(request).await {
                Ok(response) => return Ok(self.receive(kept, response).await),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
            self.connected = false;
        }
        let mut connection = self.connect().await?;
        self.connected = true;
        let response = connection.send_request(request).await?;
        Ok(self.receive(connection, response).await)
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    async fn connect(&self) -> Result<Connection, Cause> {
        let resolve = |error| Cause::Resolve(Arc::new(error));
        let connect = |error| Cause::Connect(Arc::new(error));
        let addresses: Vec<_> =
            lookup_host((self.host.as_str(), self.port)).await.map_err(resolve)?.collect();
        let stream = TcpStream::connect(&addresses[..]).await.map_err(connect)?;
        // The head of a request should not wait for the body to fill a packet.
        stream.set_nodelay(true).map_err(connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It runs on its own, so that a server's close is seen between requests. It ends with the sender.
        tokio::spawn(async move {
            // What goes wrong, the request learns too.
            let _ = connection.await;
        });
        Ok(sender)
    }

    async fn receive(&mut self, connection: Connection, response: Response<Incoming>) -> Answer {
        let (head, body) = response.into_parts();
        let body = read(body).await;
        if body.is_ok() {
            // The connection's task has at most a note to make that it is ready for the next request. If it is not
            // ready then, the server has answered without reading the request, and the rest of that is in the way.
            if !connection.is_ready() {
                tokio::task::yield_now().await;
            }
            self.kept = Some(connection).filter(SendRequest::is_ready);
        }
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// The content type of what is sent and what is understood.
pub(super) const PROTOBUF: &str = "application/x-protobuf";

async fn read(mut body: Incoming) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if bytes.len() + data.len() > ANSWER_LIMIT {
                return Err(Cause::AnswerTooLarge { limit: ANSWER_LIMIT });
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
