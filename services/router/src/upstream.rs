//! A service behind the gateway.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use metercast_tower::{Configured, HttpService};
use tower::{Layer, ServiceExt};

use crate::cache::Cache;
use crate::metrics::{FETCH_DURATION, FETCHES};
use crate::stages::{Measured, Subgraph};

/// The most that an upstream may answer.
const MOST: usize = 8 << 20;

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
        uri.ok_or_else(|| format!("upstreams.{name}: {url:?} is no URL; write http://HOST:PORT"))?;
        let cache = is_cached.then(|| Cache::new(name));
        Ok(Upstream { name: name.into(), url: url.trim_end_matches('/').to_owned(), cache })
    }

    /// Hands a request on. What the upstream does not answer is answered with 502.
    pub(crate) async fn call(
        &self,
        connections: &Connections,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Response<Body> {
        let is_read = method == Method::GET;
        if let Some(kept) = self.cache.as_ref().filter(|_| is_read).and_then(|cache| cache.get(path)) {
            return Response::new(Body::from(kept));
        }
        let begun = Instant::now();
        let (status, headers, body) = match self.ask(connections, method, path, body).await {
            Ok(answer) => answer,
            Err(_) => (StatusCode::BAD_GATEWAY, HeaderMap::new(), Bytes::new()),
        };
        FETCHES.add(1, (&*self.name, status.as_u16()));
        FETCH_DURATION.record(begun.elapsed().as_secs_f64(), (&*self.name,));
        if is_read
            && status == StatusCode::OK
            && let Some(cache) = &self.cache
        {
            cache.keep(path, &body);
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    async fn ask(
        &self,
        connections: &Connections,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, HeaderMap, Bytes), crate::Error> {
        let uri = format!("{}/{path}", self.url);
        let request = Request::builder().method(method).uri(uri).extension(Subgraph(Arc::clone(&self.name)));
        let answer = connections.clone().oneshot(request.body(Full::from(body))?).await?;
        let (mut head, body) = answer.into_parts();
        let body = Limited::new(body, MOST).collect().await?.to_bytes();
        // Those of the connection to the upstream, and of a body that came in another form (RFC 9110, 7.6.1).
        for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE] {
            head.headers.remove(name);
        }
        Ok((head.status, head.headers, body))
    }
}
