//! A collector for tests: a plain listener that records requests and answers what the test has scripted.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message as _;

/// What the collector does with a request.
pub(super) enum Reply {
    /// Answers with these bytes and keeps the connection.
    Answer(Vec<u8>),
    /// Answers with these bytes and closes the connection without a word about it.
    AnswerAndClose(Vec<u8>),
    /// Closes the connection without an answer.
    Close,
    /// Never answers.
    Hang,
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
    /// The body by the published definition of OTLP, unzipped if the headers say so.
    pub(super) fn decoded(&self) -> ExportMetricsServiceRequest {
        let mut message = self.body.clone();
        if self.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
            message.clear();
            GzDecoder::new(&self.body[..]).read_to_end(&mut message).expect("the body is gzip");
        }
        ExportMetricsServiceRequest::decode(&message[..]).expect("the body is a request")
    }

    /// The value of a counter of whole numbers without labels.
    pub(super) fn counter(&self, name: &str) -> i64 {
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::channel();
        let (closing, closed) = mpsc::channel();
        let mut script = script.into_iter();
        thread::spawn(move || serve(&listener, &mut script, &seen, &closing));
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

fn serve(
    listener: &TcpListener,
    script: &mut dyn Iterator<Item = Reply>,
    seen: &Sender<Request>,
    closing: &Sender<()>,
) {
    let mut hanging = Vec::new();
    for connection in 1.. {
        let Ok((stream, _)) = listener.accept() else { return };
        match converse(stream, connection, script, seen) {
            Some(stream) => hanging.push(stream),
            None => drop(closing.send(())),
        }
    }
}

/// Answers requests until one side closes the connection; returns it if it is to stay open without an answer.
fn converse(
    stream: TcpStream,
    connection: usize,
    script: &mut dyn Iterator<Item = Reply>,
    seen: &Sender<Request>,
) -> Option<TcpStream> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream, connection) {
        let _ = seen.send(request);
        let (bytes, stays_open) = match script.next() {
            None => (answer("200 OK", "", b""), true),
            Some(Reply::Answer(bytes)) => (bytes, true),
            Some(Reply::AnswerAndClose(bytes)) => (bytes, false),
            Some(Reply::Close) => return None,
            Some(Reply::Hang) => return Some(stream.into_inner()),
            Some(Reply::Hold(released, bytes)) => {
                let _ = released.recv_timeout(PATIENCE);
                (bytes, true)
            }
        };
        // A client that has gone is no failure of the collector.
        if stream.get_mut().write_all(&bytes).is_err() || !stays_open {
            return None;
        }
    }
    None
}

/// One request; `None` once the client has closed the connection.
fn read(stream: &mut BufReader<TcpStream>, connection: usize) -> Option<Request> {
    let mut head = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let line = head.next()?;
    let headers: HashMap<_, _> = head
        .map(|header| {
            let (name, value) = header.split_once(':').expect("a header has a colon");
            (name.to_lowercase(), value.trim().to_owned())
        })
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Request { connection, line, headers, body })
}

/// An answer as bytes; `headers` each end with a line break.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}
