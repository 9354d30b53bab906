//! A receiver of OTLP for tests, over HTTP and gRPC at one address: keeps the spans that it is sent, what metrics come to, and which
//! exemplars they have.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::oracle::python::{Batch, SpanRead};
use crate::program::free_address;
use crate::pushed::Pushed;

/// How long anything that is waited for may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A span as it arrived. Ids are digits in lower case; that of a parent is empty if there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
    /// The span around it.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// Its kind, by the number of the protocol.
    pub kind: i32,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// The names of its events.
    pub events: Vec<String>,
    /// The attributes of who has sent it, as text.
    pub resource: BTreeMap<String, String>,
}

/// The receiver. Its thread lives as long as the test program, unless it is stopped.
#[derive(Clone, Debug)]
pub struct Collector {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Arc<Mutex<Option<Running>>>,
}

/// What ends the thread, and the thread.
#[derive(Debug)]
struct Running(oneshot::Sender<()>, thread::JoinHandle<()>);

#[derive(Debug)]
struct Shared {
    spans: Mutex<Vec<Span>>,
    came: Condvar,
    /// Pairs of trace and span.
    exemplars: Mutex<HashSet<(String, String)>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// What is answered.
    status: AtomicU16,
    /// The paths of requests.
    paths: Mutex<Vec<String>>,
    /// The messages of spans as they came, and whether they are JSON.
    messages: Mutex<Vec<(bool, Bytes)>>,
    pushed: Mutex<Pushed>,
    /// Whether it takes what comes, and does not answer any more.
    is_dying: AtomicBool,
}

impl Collector {
    /// Listens on loopback.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn start() -> Collector {
        let shared = Arc::new(Shared {
            spans: Mutex::default(),
            came: Condvar::new(),
            exemplars: Mutex::default(),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            status: AtomicU16::new(200),
            paths: Mutex::default(),
            messages: Mutex::default(),
            pushed: Mutex::default(),
            is_dying: AtomicBool::new(false),
        });
        // Where it may listen again.
        let listener = std::net::TcpListener::bind(free_address()).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let collector = Collector { address, shared, running: Arc::default() };
        collector.run(listener);
        collector
    }

    fn run(&self, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).expect("a socket");
        let shared = Arc::clone(&self.shared);
        let (end, ended) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(accept(listener, shared, ended));
        });
        *lock(&self.running) = Some(Running(end, thread));
    }

    /// Dies at the worst moment: once it has taken metrics that `who` sent, and before it has answered. What it has taken it keeps.
    ///
    /// # Panics
    ///
    /// If nothing comes from there.
    pub fn stop(&self, who: &str) {
        let (begun, before) = (Instant::now(), lock(&self.shared.pushed).requests(who));
        self.shared.is_dying.store(true, Relaxed);
        while lock(&self.shared.pushed).requests(who) == before {
            assert!(begun.elapsed() < LIMIT, "waited in vain for metrics of {who}");
            thread::sleep(Duration::from_millis(20));
        }
        if let Some(Running(end, thread)) = lock(&self.running).take() {
            drop(end);
            thread.join().expect("the receiver does not panic");
        }
    }

    /// Listens again where it did.
    ///
    /// # Panics
    ///
    /// If somebody else does by now.
    pub fn start_again(&self) {
        self.shared.is_dying.store(false, Relaxed);
        self.run(std::net::TcpListener::bind(self.address).expect("its own port"));
    }

    /// What metrics come to that were pushed so far.
    pub fn pushed(&self) -> MutexGuard<'_, Pushed> {
        lock(&self.shared.pushed)
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on answers with this status of HTTP; over gRPC everything but 200 is UNAVAILABLE.
    pub fn answer(&self, status: u16) {
        self.shared.status.store(status, Relaxed);
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Relaxed)
    }

    /// How many requests there were, also those that were refused.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Relaxed)
    }

    /// The paths of all requests.
    pub fn paths(&self) -> Vec<String> {
        lock(&self.shared.paths).clone()
    }

    /// The spans that have come so far.
    pub fn spans(&self) -> Vec<Span> {
        lock(&self.shared.spans).clone()
    }

    /// The spans that have come so far, as another library reads them. `target` is a folder of the target folder, as `CARGO_TARGET_TMPDIR` is.
    ///
    /// # Panics
    ///
    /// If it cannot read them, or what they say makes no sense.
    pub fn spans_read_by_python(&self, target: &str) -> Vec<SpanRead> {
        let mut batch = Batch::default();
        for (is_json, message) in &*lock(&self.shared.messages) {
            batch.spans(*is_json, message);
        }
        let read = batch.ask(target).traces.into_iter();
        read.flat_map(|spans| spans.expect("spans that another library can read")).collect()
    }

    /// The spans and traces that exemplars of metrics point at.
    pub fn exemplars(&self) -> HashSet<(String, String)> {
        lock(&self.shared.exemplars).clone()
    }

    /// The spans, once they are all that a test waits for.
    ///
    /// # Panics
    ///
    /// If they do not come.
    pub fn wait_for(&self, what: &str, are_there: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let end = Instant::now() + LIMIT;
        let mut spans = lock(&self.shared.spans);
        while !are_there(&spans) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}: {spans:#?}");
            spans = self.shared.came.wait_timeout(spans, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        spans.clone()
    }

    /// The one span of this name, once it is there.
    ///
    /// # Panics
    ///
    /// If it does not come, or not alone.
    pub fn span(&self, name: &str) -> Span {
        let mut spans = self.wait_for(name, |spans| spans.iter().any(|span| span.name == name));
        spans.retain(|span| span.name == name);
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }
}

impl Span {
    /// Whether `other` is around this span, at whatever distance.
    pub fn is_within(&self, other: &Span, all: &[Span]) -> bool {
        let parent = all.iter().find(|span| span.trace_id == self.trace_id && span.span_id == self.parent);
        parent.is_some_and(|parent| parent.span_id == other.span_id || parent.is_within(other, all))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until the other end of `ended` is gone, and then all connections are cut: they are tasks of the runtime that ends.
async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>, mut ended: oneshot::Receiver<()>) {
    let listener = TcpListener::from_std(listener).expect("a socket");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut ended => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        shared.connections.fetch_add(1, Relaxed);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { receive(request, &shared).await }
            });
            // A client that goes away is none of its business.
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Why a request is not answered: the receiver dies.
#[derive(Debug)]
struct Dying;

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the receiver dies")
    }
}

impl std::error::Error for Dying {}

type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn receive(request: Request<Incoming>, shared: &Shared) -> Result<Response<Body>, Dying> {
    let path = request.uri().path().to_owned();
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let (is_grpc, is_json) =
        (content_type.starts_with(b"application/grpc"), content_type == b"application/json");
    let is_packed = request.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    let mut body = request.into_body().collect().await.map_err(|_| Dying)?.to_bytes();
    if is_packed {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).expect("gzip");
        body = plain.into();
    }
    let status = shared.status.load(Relaxed);
    if status == 200 {
        let message = if is_grpc { body.get(5..).unwrap_or_default() } else { &body[..] };
        if path.ends_with("/metrics") || path.contains("MetricsService") {
            keep_metrics(&path, message, is_json, shared);
        } else {
            lock(&shared.messages).push((is_json, Bytes::copy_from_slice(message)));
            keep_spans(message, is_json, shared);
        }
    }
    shared.requests.fetch_add(1, Relaxed);
    lock(&shared.paths).push(path);
    if shared.is_dying.load(Relaxed) {
        return Err(Dying);
    }
    let mut response = Response::new(if is_grpc { grpc(status) } else { Full::default().boxed_unsync() });
    if is_grpc {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    } else {
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    }
    Ok(response)
}

/// An empty message and the status, which 14 is UNAVAILABLE of.
fn grpc(status: u16) -> Body {
    let mut trailers = HeaderMap::new();
    let code = if status == 200 { "0" } else { "14" };
    trailers.insert("grpc-status", HeaderValue::from_static(code));
    let message = if status == 200 { Bytes::from_static(&[0; 5]) } else { Bytes::new() };
    Full::new(message).with_trailers(async move { Some(Ok(trailers)) }).boxed_unsync()
}

fn keep_spans(message: &[u8], is_json: bool, shared: &Shared) {
    let request: ExportTraceServiceRequest = if is_json {
        serde_json::from_slice(message).expect("OTLP as JSON")
    } else {
        ExportTraceServiceRequest::decode(message).expect("OTLP as protobuf")
    };
    let mut spans = lock(&shared.spans);
    for of_resource in request.resource_spans {
        let resource = texts(&of_resource.resource.unwrap_or_default().attributes);
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                kind: span.kind,
                attributes: texts(&span.attributes),
                events: span.events.into_iter().map(|event| event.name).collect(),
                resource: resource.clone(),
            });
        }
    }
    shared.came.notify_all();
}

fn keep_metrics(path: &str, message: &[u8], is_json: bool, shared: &Shared) {
    let request: ExportMetricsServiceRequest = if is_json {
        serde_json::from_slice(message).expect("OTLP as JSON")
    } else {
        ExportMetricsServiceRequest::decode(message).expect("OTLP as protobuf")
    };
    lock(&shared.pushed).add(path, message, &request);
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let mut exemplars = lock(&shared.exemplars);
    for data in scopes.flat_map(|scope| &scope.metrics).filter_map(|metric| metric.data.as_ref()) {
        let of_points: Vec<_> = match data {
            Data::Sum(sum) => sum.data_points.iter().flat_map(|point| &point.exemplars).collect(),
            Data::Histogram(of) => of.data_points.iter().flat_map(|point| &point.exemplars).collect(),
            Data::ExponentialHistogram(of) => {
                of.data_points.iter().flat_map(|point| &point.exemplars).collect()
            }
            _ => continue,
        };
        exemplars.extend(of_points.into_iter().map(|one| (hex(&one.trace_id), hex(&one.span_id))));
    }
}

pub(crate) fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
