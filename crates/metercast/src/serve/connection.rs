//! One scraper's connection: HTTP/1.1, with a limit to everything that a client may send, hold or delay.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

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
pub(super) async fn serve<S>(io: S, is_encrypted: bool, door: Arc<Door>, place: Arc<Place>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| {
        let (door, busy) = (Arc::clone(&door), place.busy());
        async move { Ok::<_, Infallible>(answer(&door, &request, is_encrypted, busy).await) }
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
    let _ = tokio::time::timeout(LAST, connection).await;
}

async fn answer<B>(
    door: &Door,
    request: &Request<B>,
    is_encrypted: bool,
    busy: Busy,
) -> Response<Full<Bytes>> {
    let site = door.site();
    if site.is_encrypted() != is_encrypted {
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
    };
    response(site.answer(&asked, door.restarts()).await, busy)
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

fn response(answer: ScrapeAnswer, busy: Busy) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    *response.body_mut() = Full::new(Bytes::from_owner(Sent { body: answer.into_body(), _busy: busy }));
    response
}

#[cfg(test)]
mod tests;
