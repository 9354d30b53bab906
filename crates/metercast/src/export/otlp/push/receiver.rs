//! A collector for tests: a plain listener that records requests and answers what the test has scripted.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message as _;
use socket2::SockRef;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the collector does with a request.
pub(super) enum Reply {
    /// Answers with these bytes and keeps the connection.
    Answer(Vec<u8>),
    /// Answers with these bytes and closes the connection without a word about it.
    AnswerAndClose(Vec<u8>),
    /// Closes the connection without an answer.
    Close,
    /// Resets the connection when the request's head has come, or the whole request.
    Reset { reads_body: bool },
    /// Never answers.
    Hang,
    /// Answers with these bytes, and with the last of them again and again, for as long as anybody reads.
    Endless(Vec<u8>),
    /// Answers once the test says so.
    Hold(Receiver<()>, Vec<u8>),
}

/// A request as it came.
pub(super) struct Request {
    /// The how manieth connection it came on, counted from 1.
    pub(super) connection: usize,
    pub(super) line: String,
    /// By names in lower case.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The body, unpacked if the headers say that it is packed.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        match self.headers.get("content-encoding").map(String::as_str) {
            None => message.clone_from(&self.body),
            Some("gzip") => {
                GzDecoder::new(&self.body[..]).read_to_end(&mut message).expect("the body is gzip");
            }
            #[cfg(feature = "zstd")]
            Some("zstd") => message = zstd::stream::decode_all(&self.body[..]).expect("the body is zstd"),
            Some(other) => panic!("{other}"),
        }
        message
    }

    /// The body by the published definition of OTLP.
    pub(super) fn decoded(&self) -> ExportMetricsServiceRequest {
        ExportMetricsServiceRequest::decode(&self.message()[..]).expect("the body is a request")
    }

    /// The value of a counter of whole numbers without labels.
    pub(super) fn counter(&self, name: &str) -> i64 {
        if self.headers["content-type"] == "application/json" {
            let request = String::from_utf8(self.message()).expect("the body is text");
            let metric = request.split_once(&format!("\"name\":\"{name}\"")).expect("the metric is there").1;
            let value = metric.split_once("\"asInt\":\"").expect("it counts whole numbers").1;
            return value.split_once('"').unwrap().0.parse().unwrap();
        }
        let request = self.decoded();
        let metrics = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        let metric = metrics.flat_map(|scope| &scope.metrics).find(|metric| metric.name == name);
        match metric.and_then(|metric| metric.data.as_ref()) {
            Some(Data::Sum(sum)) => match sum.data_points[0].value {
                Some(Value::AsInt(value)) => value,
                other => panic!("{name} is {other:?}"),
            },
            other => panic!("{name} is {other:?}"),
        }
    }
}

/// The collector. It accepts one connection after the other, until the process ends.
pub(super) struct Collector {
    pub(super) address: SocketAddr,
    requests: Receiver<Request>,
    closed: Receiver<()>,
}

impl Collector {
    /// Listens; when the script is over, every further request is a success.
    pub(super) fn start(script: impl IntoIterator<Item = Reply, IntoIter: Send + 'static>) -> Collector {
        Collector::with(script, None)
    }

    /// The same, encrypted.
    #[cfg(feature = "tls")]
    pub(super) fn encrypted(
        script: impl IntoIterator<Item = Reply, IntoIter: Send + 'static>,
        config: Arc<ServerConfig>,
    ) -> Collector {
        Collector::with(script, Some(config))
    }

    fn with(
        script: impl IntoIterator<Item = Reply, IntoIter: Send + 'static>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accept = move || {
            let (stream, _) = listener.accept().ok()?;
            let tcp = stream.try_clone().ok()?;
            let wire: Box<dyn Wire> = match &tls {
                Some(config) => {
                    let server = ServerConnection::new(Arc::clone(config)).unwrap();
                    Box::new(StreamOwned::new(server, stream))
                }
                None => Box::new(stream),
            };
            Some((wire, Some(tcp)))
        };
        Collector::accepting(script, address, accept)
    }

    /// The same behind a Unix socket; the address is not used.
    #[cfg(unix)]
    pub(super) fn behind(path: &std::path::Path) -> Collector {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        let accept = move || {
            let wire: Box<dyn Wire> = Box::new(listener.accept().ok()?.0);
            Some((wire, None))
        };
        Collector::accepting([], ([127, 0, 0, 1], 9).into(), accept)
    }

    fn accepting(
        script: impl IntoIterator<Item = Reply, IntoIter: Send + 'static>,
        address: SocketAddr,
        accept: impl FnMut() -> Option<(Box<dyn Wire>, Option<TcpStream>)> + Send + 'static,
    ) -> Collector {
        let (seen, requests) = mpsc::channel();
        let (closing, closed) = mpsc::channel();
        let mut script = script.into_iter();
        thread::spawn(move || serve(accept, &mut script, &seen, &closing));
        Collector { address, requests, closed }
    }

    /// The next request; waits until there is one.
    pub(super) fn request(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("a request comes")
    }

    /// The newest of the requests that have come; waits until there is one.
    pub(super) fn last_request(&self) -> Request {
        let first = self.request();
        self.requests.try_iter().last().unwrap_or(first)
    }

    /// Whether no request came that was not looked at.
    pub(super) fn is_idle(&self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// Waits until the collector has closed a connection.
    pub(super) fn wait_for_close(&self) {
        self.closed.recv_timeout(PATIENCE).expect("the connection is closed");
    }
}

/// How long a test waits for what must come: so long that only a failure takes it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

fn serve(
    mut accept: impl FnMut() -> Option<(Box<dyn Wire>, Option<TcpStream>)>,
    script: &mut dyn Iterator<Item = Reply>,
    seen: &Sender<Request>,
    closing: &Sender<()>,
) {
    let mut hanging = Vec::new();
    for connection in 1.. {
        let Some((stream, tcp)) = accept() else { return };
        match converse(stream, tcp, connection, script, seen) {
            Some(stream) => hanging.push(stream),
            None => drop(closing.send(())),
        }
    }
}

/// Answers requests until one side closes the connection; returns it if it is to stay open without an answer.
fn converse(
    stream: Box<dyn Wire>,
    tcp: Option<TcpStream>,
    connection: usize,
    script: &mut dyn Iterator<Item = Reply>,
    seen: &Sender<Request>,
) -> Option<Box<dyn Wire>> {
    let mut stream = BufReader::new(stream);
    while let Some(mut request) = read_head(&mut stream, connection) {
        let reply = script.next().unwrap_or_else(|| Reply::Answer(answer("200 OK", "", b"")));
        let reads_body = !matches!(reply, Reply::Reset { reads_body: false });
        if reads_body {
            stream.read_exact(&mut request.body).ok()?;
        }
        let _ = seen.send(request);
        let (bytes, stays_open) = match reply {
            Reply::Answer(bytes) => (bytes, true),
            Reply::AnswerAndClose(bytes) => (bytes, false),
            Reply::Close => return None,
            Reply::Reset { .. } => {
                let tcp = tcp.expect("it is not a Unix socket");
                SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).unwrap();
                return None;
            }
            Reply::Hang => return Some(stream.into_inner()),
            Reply::Hold(released, bytes) => {
                let _ = released.recv_timeout(PATIENCE);
                (bytes, true)
            }
            Reply::Endless(mut bytes) => {
                // Not for ever, should nobody hang up.
                for _ in 0..1 << 20 {
                    stream.get_mut().write_all(&bytes).ok()?;
                    bytes.drain(..bytes.len().saturating_sub(4096));
                }
                return None;
            }
        };
        // A client that has gone is no failure of the collector.
        if stream.get_mut().write_all(&bytes).is_err() || !stays_open {
            return None;
        }
    }
    None
}

/// A request with a body of zeroes that is as long as that which comes; `None` once the client has closed the connection.
fn read_head(stream: &mut BufReader<Box<dyn Wire>>, connection: usize) -> Option<Request> {
    let mut head = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let line = head.next()?;
    let headers: HashMap<_, _> = head
        .map(|header| {
            let (name, value) = header.split_once(':').expect("a header has a colon");
            (name.to_lowercase(), value.trim().to_owned())
        })
        .collect();
    let body = vec![0; headers.get("content-length")?.parse().ok()?];
    Some(Request { connection, line, headers, body })
}

/// An answer as bytes; `headers` each end with a line break.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}
