//! One scraper's connection: HTTP/1.1, with a limit to everything that a client may send, hold or delay.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::Body;
use super::door::Door;
use super::places::{Busy, Place};
use super::site::Asked;
use super::stalled::Stalled;
use crate::scrape::{ScrapeAnswer, ScrapeBody, ScrapeRequest};

/// How long a client may take to send the head of a request, and how long an idle connection is kept. Half of what a
/// scraper usually waits, so that silent clients, should they take all places, do not keep it out.
pub(super) const HEAD: Duration = Duration::from_secs(5);

/// How long a client may read nothing of its answer.
const WRITE: Duration = Duration::from_secs(10);

/// How long a connection takes requests. A scraper opens another without noticing.
const LIFE: Duration = Duration::from_secs(60);

/// How long the request may take that is under way then.
const LAST: Duration = Duration::from_secs(30);

/// How much of a request is kept, and of its answer before it is sent.
const BUFFER: usize = 32 * 1024;

/// A browser behind proxies sends about thirty.
const HEADERS: usize = 64;

/// Answers requests until the client goes away, its place is needed, or the listener closes. What goes wrong here is the
/// client's.
pub(super) async fn serve<S>(io: S, line: Line, door: Arc<Door>, place: Arc<Place>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let is_watched = AtomicBool::new(false);
    let service = service_fn(|request| {
        let (door, busy, is_watched) = (Arc::clone(&door), place.busy(), &is_watched);
        async move {
            let response = answer(&door, &request, line, busy).await;
            is_watched.store(response.body().is_endless(), Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(BUFFER)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(Stalled::new(io, WRITE)), service)
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(LIFE) => {}
        () = door.closed() => {}
    }
    connection.as_mut().graceful_shutdown();
    if is_watched.load(Ordering::Relaxed) {
        // What is told there ends when the listener closes.
        let _ = connection.await;
        return;
    }
    let _ = tokio::time::timeout(LAST, connection).await;
}

/// What a connection is made of.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) is_encrypted: bool,
    /// Who is at its other end.
    #[cfg_attr(not(feature = "live"), allow(dead_code, reason = "it is nobody's business"))]
    pub(super) peer: IpAddr,
}

async fn answer<B>(door: &Arc<Door>, request: &Request<B>, line: Line, busy: Busy) -> Response<Body> {
    let site = door.site();
    if site.is_encrypted() != line.is_encrypted {
        // A connection from before a reload, which is not what anybody asked for now.
        let text = "the listener has begun or ceased to encrypt; connect again\n";
        let mut response = response(ScrapeAnswer::plain(503, text), busy);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    let headers = request.headers();
    let (accept, accept_encoding) = (all(headers, &ACCEPT), all(headers, &ACCEPT_ENCODING));
    let asked = Asked {
        path: request.uri().path(),
        authorization: headers.get(AUTHORIZATION).map(HeaderValue::as_bytes),
        scrape: ScrapeRequest {
            method: request.method().as_str(),
            query: request.uri().query(),
            accept: accept.as_deref(),
            accept_encoding: accept_encoding.as_deref(),
        },
        #[cfg(feature = "live")]
        client: client(request, line),
    };
    #[cfg(feature = "live")]
    match site.live(&asked).await {
        Some(crate::live::Answer::Whole(answer)) => return response(answer, busy),
        Some(crate::live::Answer::Events(viewing)) => return events(viewing, Arc::clone(door), busy),
        None => {}
    }
    response(site.answer(&asked, door.restarts()).await, busy)
}

/// Who asks.
#[cfg(feature = "live")]
fn client<B>(request: &Request<B>, line: Line) -> crate::live::Client<'_> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    crate::live::Client {
        is_local: crate::live::is_local(line.peer),
        host: request.uri().authority().map(|host| host.as_str()).or_else(|| text("host")),
        is_forwarded: ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
            .iter()
            .any(|name| headers.contains_key(*name)),
        last_event: text("last-event-id"),
    }
}

/// Events until the viewer leaves, or the listener closes.
#[cfg(feature = "live")]
fn events(viewing: crate::live::Viewing, door: Arc<Door>, busy: Busy) -> Response<Body> {
    let closed = Box::pin(async move { door.closed().await });
    let mut response = Response::new(Body::Events { viewing, closed, _busy: busy });
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/event-stream"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    // Of nginx: it would keep events until there are many.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// The values of a header, one list: RFC 9110, section 5.3. Those that are not text are passed over.
fn all<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, str>> {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let first = values.next()?;
    Some(values.fold(Cow::Borrowed(first), |list, value| Cow::Owned(format!("{list}, {value}"))))
}

/// What is sent. The connection is busy until it was sent or given up.
struct Sent {
    body: ScrapeBody,
    _busy: Busy,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        self.body.as_ref()
    }
}

fn response(answer: ScrapeAnswer, busy: Busy) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Full::default()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    let body = Full::new(Bytes::from_owner(Sent { body: answer.into_body(), _busy: busy }));
    *response.body_mut() = Body::Whole(body);
    response
}

#[cfg(test)]
mod tests;
