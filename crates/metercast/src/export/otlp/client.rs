//! The HTTP/1.1 client of one exporter: one request at a time, on a connection that is kept.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;

use super::answer::Answer;
use super::compress;
use super::connect::Connector;
use super::error::Cause;
use super::settings::Settings;

/// Sends requests to one URL. It has no clock: whoever drops the future of [`send`](Client::send) ends the request and
/// its connection, and the next request gets a new one.
pub(super) struct Client {
    connector: Connector,
    target: Uri,
    headers: HeaderMap,
    /// The connection of the last request, if the whole answer was read and the server keeps it open.
    kept: Option<Connection>,
    connected: bool,
    /// The header `date` of the last answer.
    #[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "nobody asks"))]
    date: Option<HeaderValue>,
    /// What had been written when the last request began.
    began_at: u64,
}

type Connection = SendRequest<Full<Bytes>>;

/// OTLP: a client reads at most 4 MiB of an answer.
pub(super) const ANSWER_LIMIT: usize = 4 << 20;

/// The product and, as the specification of OTLP exporters asks for, the exporter.
const USER_AGENT: &str =
    concat!("metercast/", env!("CARGO_PKG_VERSION"), " OTel-OTLP-Exporter-Rust/", env!("CARGO_PKG_VERSION"));

/// An error about a part of a request that is not shown: it may be a secret, and so may hyper's errors about it.
pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what} is not one of HTTP"))
}

/// The headers that every protocol has: whose request it is, and those that were given.
pub(super) fn headers(settings: &Settings) -> io::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in &settings.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("a header's name"))?;
        headers.insert(name, secret(value)?);
    }
    Ok(headers)
}

fn secret(value: &str) -> io::Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid("a header's value"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Client {
    /// A client that is not connected yet.
    ///
    /// # Errors
    ///
    /// Certificates that cannot be read; a path or header that HTTP cannot carry, which configuration has refused already.
    pub(super) fn new(settings: &Settings) -> io::Result<Client> {
        let connector = Connector::new(settings, "http/1.1")?;
        let mut headers = headers(settings)?;
        let host = HeaderValue::from_str(&settings.authority).map_err(|_| invalid("the host"))?;
        headers.insert(header::HOST, host);
        let content_type = settings.options.encoding.content_type();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(encoding) = compress::encoding(settings.compression) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let mut target = settings.path.clone();
        if let Some(proxy) = connector.reading_proxy() {
            // The proxy must know where to.
            target = format!("http://{}{target}", settings.authority);
            if let Some(authorization) = &proxy.authorization {
                headers.insert(header::PROXY_AUTHORIZATION, secret(authorization)?);
            }
        }
        let target = target.parse().map_err(|_| invalid("the path"))?;
        Ok(Client { connector, target, headers, kept: None, connected: false, date: None, began_at: 0 })
    }

    /// Whether the last request got as far as a connection.
    pub(super) fn connected(&self) -> bool {
        self.connected
    }

    /// What time it was for the server when it answered last, if it said so.
    #[cfg(feature = "serve")]
    pub(super) fn date(&self) -> Option<std::time::SystemTime> {
        httpdate::parse_http_date(self.date.as_ref()?.to_str().ok()?).ok()
    }

    /// How many bytes of the last request left, its head among them.
    pub(super) fn written(&self) -> u64 {
        self.connector.written() - self.began_at
    }

    /// Sends `body` and reads the answer, whatever its status. Redirects are not followed.
    ///
    /// A request goes out a second time only if nothing of it was sent the first time: the kept connection had been
    /// closed meanwhile, and hyper hands the request back. Once bytes have left, the server may have taken them.
    pub(super) async fn send(&mut self, body: Bytes) -> Result<Answer, Cause> {
        let mut request = self.request(body);
        self.connected = false;
        self.began_at = self.connector.written();
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
        let stream = self.connector.connect().await?;
        self.connected = true;
        let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // It runs on its own, so that a server's close is seen between requests. It ends with the connection.
        tokio::spawn(async move {
            // What goes wrong, the request learns too.
            let _ = driver.await;
        });
        let response = connection.send_request(request).await?;
        Ok(self.receive(connection, response).await)
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    async fn receive(&mut self, connection: Connection, response: Response<Incoming>) -> Answer {
        let (head, body) = response.into_parts();
        self.date = head.headers.get(header::DATE).cloned();
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
