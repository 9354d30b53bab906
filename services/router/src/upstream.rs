//! A service behind the gateway.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use metercast_tower::{Configured, HttpService};
use tower::{Layer, ServiceExt};

use crate::Error;
use crate::cache::Cache;
use crate::metrics::{FETCH_DURATION, FETCHES};
use crate::stages::{Measured, Subgraph};

/// The most that is kept of one answer.
const MOST: usize = 8 << 20;

/// What belongs to a connection and not to what is sent over it (RFC 9110, 7.6.1). The length of a body is told by the body.
const OF_CONNECTIONS: [header::HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Connections to upstreams.
pub(crate) type Connections = HttpService<Client<HttpConnector, Full<Bytes>>, Configured>;

/// Connections to upstreams, none of them open yet.
pub(crate) fn connections(measured: &Measured) -> Connections {
    measured.calls().layer(Client::builder(TokioExecutor::new()).build_http())
}

/// A service behind the gateway.
#[derive(Debug)]
pub(crate) struct Upstream {
    name: Arc<str>,
    url: String,
    cache: Option<Cache>,
}

impl Upstream {
    /// The service of this name and URL.
    ///
    /// # Errors
    ///
    /// The URL is none.
    pub(crate) fn new(name: &str, url: &str, is_cached: bool) -> Result<Upstream, String> {
        let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
        // It may come from elsewhere, and is not shown.
        uri.ok_or_else(|| format!("upstreams.{name}: this is no URL; write http://HOST:PORT"))?;
        let cache = is_cached.then(|| Cache::new(name));
        Ok(Upstream { name: name.into(), url: url.trim_end_matches('/').to_owned(), cache })
    }

    /// Hands a request on, to this path. What the upstream does not answer is answered with 502.
    pub(crate) async fn call(
        &self,
        connections: &Connections,
        measured: &Measured,
        path: &str,
        head: Parts,
        body: Bytes,
    ) -> Response<Body> {
        let cache = self.cache.as_ref().filter(|_| head.method == Method::GET);
        if let Some(kept) = cache.and_then(|cache| cache.get(path, &measured.cache)) {
            return Response::new(Body::from(kept));
        }
        let begun = Instant::now();
        let response = self.ask(connections, cache, path, head, body).await.unwrap_or_else(|_| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        });
        FETCHES.add(1, (&*self.name, response.status().as_u16()));
        FETCH_DURATION.record(begun.elapsed().as_secs_f64(), (&*self.name,));
        response
    }

    async fn ask(
        &self,
        connections: &Connections,
        cache: Option<&Cache>,
        path: &str,
        head: Parts,
        body: Bytes,
    ) -> Result<Response<Body>, Error> {
        let mut request = Request::builder().method(head.method).uri(format!("{}/{path}", self.url));
        request = request.extension(Subgraph(Arc::clone(&self.name)));
        let mut request = request.body(Full::from(body))?;
        *request.headers_mut() = of_message(head.headers);
        let (mut head, body) = connections.clone().oneshot(request).await?.into_parts();
        head.headers = of_message(head.headers);
        let body = match cache.filter(|_| head.status == StatusCode::OK) {
            Some(cache) => {
                let body = to_bytes(Body::new(body), MOST).await?;
                cache.keep(path, &body);
                Body::from(body)
            }
            None => Body::new(body),
        };
        Ok(Response::from_parts(head, body))
    }
}

/// The headers that go on with what is sent.
fn of_message(mut headers: HeaderMap) -> HeaderMap {
    OF_CONNECTIONS.iter().for_each(|name| drop(headers.remove(name)));
    headers
}
