//! The OTLP receiver that is built in: takes pushes over HTTP and keeps the last values.
//!
//! ```text
//! POST /v1/metrics -> (gunzip) -> protobuf -> message -> received
//! ```

mod message;
mod protobuf;
mod received;

use std::convert::Infallible;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::totals::Totals;
use received::Received;

/// A running receiver; it runs until the process ends.
#[derive(Debug)]
pub(crate) struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    received: Received,
    /// Why pushes were refused; a few at most.
    refusals: Vec<String>,
}

/// The most that a message may hold, packed or not.
const LIMIT: usize = 64 << 20;

/// The refusals that are kept.
const REFUSALS: usize = 3;

impl Receiver {
    /// Listens on a free port of this machine.
    pub(crate) async fn start() -> io::Result<Receiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::default()));
        tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Receiver { url, state })
    }

    /// The base URL for exporters.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many messages were taken.
    pub(crate) fn messages(&self) -> u64 {
        lock(&self.state).received.messages
    }

    /// Why messages were refused; a few reasons at most.
    pub(crate) fn refusals(&self) -> Vec<String> {
        lock(&self.state).refusals.clone()
    }

    /// What the messages said.
    pub(crate) fn totals(&self) -> Totals {
        lock(&self.state).received.totals()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(answer(request, &state).await) }
            });
            // A connection that breaks is the exporter's to notice.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let refused = match take(request, state).await {
        Ok(()) => {
            // OTLP 1.x, "Full Success": an ExportMetricsServiceResponse, which is empty when nothing was refused.
            let mut answer = Response::new(Full::default());
            answer.headers_mut().insert(CONTENT_TYPE, PROTOBUF);
            return answer;
        }
        Err(refused) => refused,
    };
    let (status, reason) = refused;
    let mut state = lock(state);
    if state.refusals.len() < REFUSALS {
        state.refusals.push(reason.clone());
    }
    let mut answer = Response::new(Full::from(reason));
    *answer.status_mut() = status;
    answer
}

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

async fn take(request: Request<Incoming>, state: &Mutex<State>) -> Result<(), (StatusCode, String)> {
    let refuse = |status, reason: &str| Err((status, reason.to_owned()));
    if request.uri().path() != "/v1/metrics" {
        return refuse(StatusCode::NOT_FOUND, "metrics are pushed to /v1/metrics");
    }
    if request.method() != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "metrics are pushed with POST");
    }
    if request.headers().get(CONTENT_TYPE) != Some(&PROTOBUF) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only application/x-protobuf is understood");
    }
    let is_packed = match request.headers().get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => false,
        Some(b"gzip") => true,
        Some(_) => return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only gzip is understood"),
    };
    let body = match Limited::new(request.into_body(), LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the message is over 64 MiB");
        }
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let bad = |error: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, error.to_string());
    let metrics = if is_packed {
        let mut unpacked = Vec::new();
        let mut gunzip = flate2::read::GzDecoder::new(&body[..]).take(LIMIT as u64 + 1);
        gunzip.read_to_end(&mut unpacked).map_err(|error| bad(&error))?;
        if unpacked.len() > LIMIT {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the message is over 64 MiB");
        }
        message::metrics(&unpacked)
    } else {
        message::metrics(&body)
    };
    let metrics = metrics.map_err(|error| bad(&error))?;
    lock(state).received.take(metrics).map_err(|error| bad(&error))
}
