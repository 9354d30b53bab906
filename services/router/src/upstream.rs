//! A service behind the gateway.

use std::time::Instant;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::cache::Cache;
use crate::metrics::{ANSWER_SIZE, CLIENT_DURATION, FETCH_DURATION, FETCHES};

/// The most that an upstream may answer.
const MOST: usize = 8 << 20;

/// Connections to upstreams.
pub(crate) type Connections = Client<HttpConnector, Full<Bytes>>;

/// Connections to upstreams, none of them open yet.
pub(crate) fn connections() -> Connections {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A service behind the gateway.
#[derive(Debug)]
pub(crate) struct Upstream {
    name: String,
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
        Ok(Upstream { name: name.to_owned(), url: url.trim_end_matches('/').to_owned(), cache })
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
        let answer = self.ask(connections, method, path, body).await;
        let (status, body) = match &answer {
            Ok((status, body)) => (*status, body.clone()),
            Err(_) => (StatusCode::BAD_GATEWAY, Bytes::new()),
        };
        let seconds = begun.elapsed().as_secs_f64();
        FETCHES.add(1, (&self.name, status.as_u16()));
        FETCH_DURATION.record(seconds, (&self.name,));
        CLIENT_DURATION.record(seconds, (&self.name, status.as_u16()));
        ANSWER_SIZE.record(body.len() as u64, (&self.name,));
        if is_read
            && status == StatusCode::OK
            && let Some(cache) = &self.cache
        {
            cache.keep(path, &body);
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response
    }

    async fn ask(
        &self,
        connections: &Connections,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let uri = format!("{}/{path}", self.url);
        let request = Request::builder().method(method).uri(uri).body(Full::from(body))?;
        let (head, body) = connections.request(request).await?.into_parts();
        Ok((head.status, Limited::new(body, MOST).collect().await?.to_bytes()))
    }
}
