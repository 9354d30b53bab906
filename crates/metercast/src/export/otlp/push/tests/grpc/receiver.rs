//! A gRPC receiver for tests, by hyper alone: records calls and answers what the test has scripted.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::super::PATIENCE;

/// What the receiver does with a call.
pub(super) enum Reply {
    /// Answers with this message.
    Success(Vec<u8>),
    /// Answers with a status of gRPC.
    Status { code: i32, message: &'static str, details: Vec<u8> },
    /// Answers with a status of HTTP, as what stands in front of a receiver does.
    Http(u16),
    /// Closes the connection without an answer.
    Close,
    /// Answers half a message and closes the connection.
    BreakOff,
    /// Never answers.
    Hang,
}

/// A call as it came.
pub(super) struct Request {
    pub(super) connection: usize,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// The message, unpacked.
    pub(super) message: Vec<u8>,
}

impl Request {
    /// The value of `orders.placed`; 0 if it is not there.
    pub(super) fn orders(&self) -> i64 {
        let request = ExportMetricsServiceRequest::decode(&self.message[..]).expect("it is a request");
        let metrics = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        let mut metrics = metrics.flat_map(|scope| &scope.metrics);
        match metrics.find(|metric| metric.name == "orders.placed").and_then(|metric| metric.data.as_ref()) {
            Some(Data::Sum(sum)) => match sum.data_points[0].value {
                Some(Value::AsInt(value)) => value,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    requests: mpsc::Receiver<Request>,
}

/// What calls of all connections share.
#[derive(Clone)]
struct Shared {
    script: Arc<Mutex<VecDeque<Reply>>>,
    seen: mpsc::Sender<Request>,
}

impl Receiver {
    pub(super) fn start(script: impl IntoIterator<Item = Reply>) -> Receiver {
        Receiver::with(script, None)
    }

    pub(super) fn encrypted(script: impl IntoIterator<Item = Reply>, config: Arc<ServerConfig>) -> Receiver {
        Receiver::with(script, Some(config))
    }

    fn with(script: impl IntoIterator<Item = Reply>, tls: Option<Arc<ServerConfig>>) -> Receiver {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::channel();
        let shared = Shared { script: Arc::new(Mutex::new(script.into_iter().collect())), seen };
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                for connection in 1.. {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (shared, tls) = (shared.clone(), tls.clone());
                    tokio::spawn(async move {
                        match tls {
                            None => serve(stream, connection, shared).await,
                            Some(config) => {
                                if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                                    serve(stream, connection, shared).await;
                                }
                            }
                        }
                    });
                }
            });
        });
        Receiver { address, requests }
    }

    pub(super) fn request(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("a request comes")
    }

    pub(super) fn is_idle(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

type Answer = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>;

async fn serve(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    connection: usize,
    shared: Shared,
) {
    let (close, mut closed) = tokio::sync::mpsc::unbounded_channel::<()>();
    let service = service_fn(move |request| {
        let (shared, close) = (shared.clone(), close.clone());
        async move { Ok::<_, Infallible>(answer(request, connection, shared, close).await) }
    });
    let serving = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = serving => {}
        _ = closed.recv() => {}
    }
}

async fn answer(
    request: HttpRequest<Incoming>,
    connection: usize,
    shared: Shared,
    close: tokio::sync::mpsc::UnboundedSender<()>,
) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let message = unpacked(&body, head.headers.get("grpc-encoding"));
    let path = head.uri.path().to_owned();
    shared.seen.send(Request { connection, path, headers: head.headers, message }).unwrap();
    let reply = shared.script.lock().unwrap().pop_front();
    match reply.unwrap_or(Reply::Success(vec![])) {
        Reply::Success(message) => {
            let mut frame = vec![0];
            frame.extend((message.len() as u32).to_be_bytes());
            frame.extend(message);
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            let body = Full::new(frame.into()).with_trailers(async { Some(Ok(trailers)) });
            grpc(Response::new(body.boxed_unsync()))
        }
        Reply::Status { code, message, details } => {
            let mut answer = grpc(Response::new(Full::default().boxed_unsync()));
            let headers = answer.headers_mut();
            headers.insert("grpc-status", code.into());
            headers.insert("grpc-message", HeaderValue::from_static(message));
            if !details.is_empty() {
                headers.insert("grpc-status-details-bin", base64(&details).parse().unwrap());
            }
            answer
        }
        Reply::Http(status) => {
            let mut answer = Response::new(Full::from("no gRPC").boxed_unsync());
            *answer.status_mut() = status.try_into().unwrap();
            answer
        }
        Reply::Close => {
            close.send(()).unwrap();
            std::future::pending().await
        }
        Reply::BreakOff => {
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                close.send(())
            });
            // A frame that says that there is more.
            let start = Full::new(Bytes::from_static(&[0, 0, 0, 0, 9, 1]));
            let body = start.with_trailers(std::future::pending());
            grpc(Response::new(body.boxed_unsync()))
        }
        Reply::Hang => std::future::pending().await,
    }
}

fn grpc(mut answer: Answer) -> Answer {
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    answer
}

fn unpacked(body: &[u8], encoding: Option<&HeaderValue>) -> Vec<u8> {
    let (is_packed, message) = (body[0] == 1, &body[5..]);
    assert_eq!(message.len(), u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize);
    assert_eq!(is_packed, encoding.is_some());
    let mut unpacked = Vec::new();
    match encoding.map(HeaderValue::as_bytes) {
        None => unpacked.extend(message),
        Some(b"gzip") => drop(GzDecoder::new(message).read_to_end(&mut unpacked).unwrap()),
        #[cfg(feature = "zstd")]
        Some(b"zstd") => unpacked = zstd::stream::decode_all(message).unwrap(),
        Some(other) => panic!("{other:?}"),
    }
    unpacked
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |n| char::from(DIGITS[(bits >> (18 - 6 * n)) as usize & 63]))
    });
    digits.collect()
}
