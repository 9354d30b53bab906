//! The gRPC client of one exporter: unary calls by tonic, over an HTTP/2 connection of our own.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::body::Body;
use tonic::client::Grpc as Caller;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Status};

use super::answer::{Accepted, Answer, partial_success, quotable};
use super::client::{ANSWER_LIMIT, headers, invalid};
use super::connect::{Connector, refusal};
use super::error::{Cause, Code, Failure};
use super::fields::{Field, Fields, Malformed};
use super::known::{self, Refusal};
use super::settings::Settings;
use crate::config::{Compression, Signal};

/// Calls the service of one receiver that takes the signal. As the HTTP client it has no clock.
pub(super) struct Grpc {
    connector: Connector,
    origin: Uri,
    headers: HeaderMap,
    compression: Option<CompressionEncoding>,
    /// The connection of the last call, if that ended well.
    kept: Option<Connection>,
    connected: bool,
    /// What had been written when the last call began.
    began_at: u64,
}

/// The method that takes a signal.
fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    }
}

impl Grpc {
    /// A client that is not connected yet.
    ///
    /// # Errors
    ///
    /// As those of the HTTP client.
    pub(super) fn new(settings: &Settings) -> io::Result<Grpc> {
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{}", settings.authority);
        Ok(Grpc {
            connector: Connector::new(settings, "h2")?,
            origin: origin.parse().map_err(|_| invalid("the host"))?,
            headers: headers(settings)?,
            compression: match settings.compression {
                Compression::None => None,
                Compression::Gzip => Some(CompressionEncoding::Gzip),
                #[cfg(feature = "zstd")]
                Compression::Zstd => Some(CompressionEncoding::Zstd),
                // The configuration refuses it.
                #[cfg(not(feature = "zstd"))]
                Compression::Zstd => None,
            },
            kept: None,
            connected: false,
            began_at: 0,
        })
    }

    /// Whether the last call got as far as a connection.
    pub(super) fn connected(&self) -> bool {
        self.connected
    }

    /// How many bytes of the last call left; `None` if they cannot be compared with the message, which is packed.
    pub(super) fn written(&self) -> Option<u64> {
        self.compression.is_none().then(|| self.connector.written() - self.began_at)
    }

    /// Sends a message and reads the answer.
    pub(super) async fn send(
        &mut self,
        message: Bytes,
        points: u64,
        settings: &Settings,
    ) -> Result<Accepted, Failure> {
        self.connected = false;
        self.began_at = self.connector.written();
        // Taken out, so that a call that is dropped half-way drops its connection too.
        let kept = self.kept.take().filter(|kept| !kept.sender.is_closed());
        let connection = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        self.connected = true;
        let mut caller = Caller::with_origin(connection.clone(), self.origin.clone())
            .max_decoding_message_size(ANSWER_LIMIT);
        if let Some(compression) = self.compression {
            caller = caller.send_compressed(compression);
        }
        let metadata = MetadataMap::from_headers(self.headers.clone());
        let request = tonic::Request::from_parts(metadata, Extensions::default(), message);
        let path = hyper::http::uri::PathAndQuery::from_static(method(settings.signal));
        let called = match caller.ready().await {
            Ok(()) => caller.unary(request, path, Raw).await,
            Err(error) => Err(Status::from_error(Box::new(error))),
        };
        match called {
            Ok(response) => {
                self.kept = Some(connection);
                Ok(match partial_success(&response.into_inner()) {
                    Ok((rejected, says)) => Accepted::but(rejected, &says, points, settings),
                    Err(Malformed) => Accepted { foreign: true, ..Accepted::default() },
                })
            }
            Err(status) => {
                let mut failure = failure(&status, points, settings);
                match failure.cause {
                    // It is the answer that is too large, which tonic says in the same words as a receiver of a request.
                    Cause::Grpc { too_large: true, .. } if connection.answers.load(Ordering::Relaxed) => {
                        failure = Cause::AnswerTooLarge { limit: ANSWER_LIMIT }.into();
                    }
                    Cause::Grpc { .. } | Cause::Status { .. } => self.kept = Some(connection),
                    Cause::Lost(_) => {
                        // The connection's task has at most a note to make.
                        tokio::task::yield_now().await;
                        if let Some(error) = connection.end.get() {
                            failure = broken(error).into();
                        }
                    }
                    _ => {}
                }
                Err(failure)
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, Cause> {
        let stream = self.connector.connect().await?;
        self.connected = true;
        let (sender, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        // It ends with the connection.
        let end = Arc::new(OnceLock::new());
        tokio::spawn({
            let end = Arc::clone(&end);
            async move {
                if let Err(error) = driver.await {
                    let _ = end.set(error);
                }
            }
        });
        Ok(Connection { sender, end, answers: Arc::default() })
    }
}

/// A connection as tonic wants it.
#[derive(Clone)]
struct Connection {
    sender: SendRequest<Body>,
    /// Why it ended, of which a call learns only that it did.
    end: Arc<OnceLock<hyper::Error>>,
    /// Whether a message came with the last answer, and not a status alone.
    answers: Arc<AtomicBool>,
}

/// Why there is no answer of gRPC.
#[derive(Debug)]
enum NoAnswer {
    Broken(hyper::Error),
    /// Something in front of the receiver answers, and knows HTTP only.
    Http(StatusCode, HeaderMap),
}

impl tower_service::Service<Request<Body>> for Connection {
    type Response = Response<UnsyncBoxBody<Bytes, hyper::Error>>;
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sender.poll_ready(context).map_err(NoAnswer::Broken)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sent = self.sender.send_request(request);
        self.answers.store(false, Ordering::Relaxed);
        let answers = Arc::clone(&self.answers);
        Box::pin(async move {
            let response = sent.await.map_err(NoAnswer::Broken)?;
            if response.status() == StatusCode::OK || response.headers().contains_key("grpc-status") {
                let note = move |frame: Frame<Bytes>| {
                    answers.fetch_or(frame.is_data(), Ordering::Relaxed);
                    frame
                };
                return Ok(response.map(|body| body.map_frame(note).boxed_unsync()));
            }
            let (head, _) = response.into_parts();
            Err(NoAnswer::Http(head.status, head.headers))
        })
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAnswer::Broken(_) => f.write_str("the connection broke"),
            NoAnswer::Http(status, _) => write!(f, "answered {status}"),
        }
    }
}

impl std::error::Error for NoAnswer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NoAnswer::Broken(error) => Some(error),
            NoAnswer::Http(..) => None,
        }
    }
}

/// Messages are bytes already.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// A connection that broke.
fn broken(error: &(dyn std::error::Error + 'static)) -> Cause {
    if let Some(refused) = refusal(error) {
        return refused;
    }
    // The last of the chain says most; those before it only where it happened.
    let last = chain(error).last().unwrap_or(error).to_string();
    // h2 has no other name for bytes that are no frames.
    let is_foreign = last.contains("frame with invalid size");
    let error = Arc::new(io::Error::other(last));
    if is_foreign { Cause::Protocol("HTTP/2", error) } else { Cause::Lost(error) }
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// Why a call failed: what the receiver says, or what became of the connection.
fn failure(status: &Status, points: u64, settings: &Settings) -> Failure {
    if let Some(error) = std::error::Error::source(status) {
        let http = chain(error).find_map(|error| match error.downcast_ref() {
            Some(NoAnswer::Http(status, headers)) => Some((*status, headers.clone())),
            _ => None,
        });
        if let Some((status, headers)) = http {
            let answer = Answer { status, headers, body: Ok(Vec::new()) };
            return match answer.judge(points, settings) {
                Err(failure) => failure,
                // A success, but none of gRPC.
                Ok(_) => Cause::Status { status, says: None, mend: None }.into(),
            };
        }
        return broken(error).into();
    }
    let retry_info = retry_info(status.details());
    let too_large = ["larger than max", "message length too large", "message too large"];
    let (code, too_large) =
        (Code(status.code() as i32), too_large.iter().any(|says| status.message().contains(says)));
    let cause = Cause::Grpc {
        code,
        says: quotable(status.message(), settings),
        too_large,
        may_retry: retry_info.is_some(),
        mend: known::mend(settings, Refusal::Grpc(code), status.message()).filter(|_| !too_large),
    };
    Failure { cause, wait: retry_info }
}

/// The `retry_delay` of a `google.rpc.RetryInfo` among the `details` of a `google.rpc.Status`; zero if it has none.
fn retry_info(status: &[u8]) -> Option<Duration> {
    let mut wait = None;
    for field in Fields::of(status) {
        let Ok((3, Field::Bytes(any))) = field else { continue };
        let (mut kind, mut value) = (&[][..], &[][..]);
        for field in Fields::of(any) {
            match field {
                Ok((1, Field::Bytes(url))) => kind = url,
                Ok((2, Field::Bytes(bytes))) => value = bytes,
                _ => {}
            }
        }
        if kind.ends_with(b"/google.rpc.RetryInfo") {
            wait = Some(retry_delay(value));
        }
    }
    wait
}

fn retry_delay(retry_info: &[u8]) -> Duration {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for field in Fields::of(retry_info) {
        let Ok((1, Field::Bytes(duration))) = field else { continue };
        for field in Fields::of(duration) {
            match field {
                // Below zero, which makes no sense, it is nothing.
                Ok((1, Field::Varint(value))) => seconds = u64::try_from(value as i64).unwrap_or(0),
                Ok((2, Field::Varint(value))) => nanoseconds = u32::try_from(value as i64).unwrap_or(0),
                _ => {}
            }
        }
    }
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()))
}
