//! One scraper's connection: which request gets which answer.

use std::convert::Infallible;
use std::sync::Arc;
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
    pub(crate) path: String,
    pub(crate) page: PrometheusPage,
    pub(crate) reader: Reader,
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
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
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
        let page = self.page.render(&self.reader.collect());
        let mut answer = Response::new(Full::new(Bytes::from(page)));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PrometheusPage::CONTENT_TYPE));
        answer
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
