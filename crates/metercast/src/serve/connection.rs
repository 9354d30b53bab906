//! One scraper's connection: which request gets which answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::export::prometheus::PrometheusPage;
use crate::reader::Reader;

/// What a listener serves.
pub(crate) struct Site {
    path: String,
    page: PrometheusPage,
    pub(crate) reader: Reader,
    /// The memory of a page that was sent.
    spare: Mutex<Vec<u8>>,
}

impl Site {
    pub(crate) fn new(path: &str, page: PrometheusPage, reader: Reader) -> Site {
        Site { path: path.to_owned(), page, reader, spare: Mutex::default() }
    }
}

/// How long a client may take to send the head of a request, and how long an idle connection is kept. Half of what a
/// scraper usually waits, so that silent clients, should they take all places, do not keep it out.
const HEAD: Duration = Duration::from_secs(5);

/// How long a connection may live, so that one that never reads its answer does not stay. A scraper opens another
/// without noticing.
const LIFE: Duration = Duration::from_secs(30);

/// Answers requests until the client goes away. What goes wrong here is the client's.
pub(crate) async fn serve(stream: TcpStream, site: Arc<Site>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(&request)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let _ = tokio::time::timeout(LIFE, connection).await;
}

impl Site {
    fn answer(self: &Arc<Site>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != self.path {
            let text =
                format!("there is nothing at {}; the metrics are at {}\n", request.uri().path(), self.path);
            return plain(StatusCode::NOT_FOUND, text);
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer =
                plain(StatusCode::METHOD_NOT_ALLOWED, "the metrics are read with GET\n".to_owned());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let mut answer = Response::new(Full::new(self.written()));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PrometheusPage::CONTENT_TYPE));
        answer
    }
}

/// A page that lends its memory from the site, to which it returns when the answer was sent or given up.
struct Lent {
    page: Vec<u8>,
    site: Arc<Site>,
}

impl Site {
    /// The whole page, since the reading cannot wait for a client that is slow to take it. Its memory is used again: to fault
    /// new pages in takes longer than to write them.
    fn written(self: &Arc<Site>) -> Bytes {
        let mut page = std::mem::take(&mut *self.spare());
        page.clear();
        self.reader.read(|store| self.page.write(store, &mut |chunk| page.extend_from_slice(chunk)));
        Bytes::from_owner(Lent { page, site: Arc::clone(self) })
    }

    fn spare(&self) -> MutexGuard<'_, Vec<u8>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.page
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Of several that were under way at once, one is kept.
        *self.site.spare() = std::mem::take(&mut self.page);
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
