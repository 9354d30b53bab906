//! The tools, which an HTTP service brings.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Uri};

use crate::metrics::{RESULT_BYTES, TOOL_CALL_DURATION, TOOL_CALLS};
use crate::names::Names;

/// The most that a tool may answer.
const MOST: usize = 8 << 20;

/// Calls tools.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    upstream: Uri,
    client: Client<HttpConnector, Full<Bytes>>,
    names: Names,
}

/// What a tool answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: usize,
    /// Whether the tool says that it did what it was to do.
    pub(crate) is_success: bool,
}

impl Tools {
    /// Those at this URL.
    pub(crate) fn new(upstream: &str) -> Result<Tools, String> {
        let trouble = |why: &str| format!("--upstream {upstream:?}: {why}; write http://HOST:PORT/");
        let uri: Uri = upstream.parse().map_err(|_| trouble("this is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(trouble("tools are called by http"));
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Tools { upstream: uri, client, names: Names::default() })
    }

    /// Calls a tool for a tenant. The error says why there is no answer.
    pub(crate) async fn call(&self, path: &str, tenant: Option<&str>) -> Result<Answer, String> {
        let shown = self.names.shown(path, tenant);
        let namespace = shown.split('.').next().unwrap_or(shown);
        TOOL_CALLS.add(1, (shown, namespace, tenant));
        let _timer = TOOL_CALL_DURATION.start((tenant,));
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.upstream.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(serde_json::json!({ "tool": path }).to_string()))
            .map_err(|error| error.to_string())?;
        let (head, body) =
            self.client.request(request).await.map_err(|error| error.to_string())?.into_parts();
        let body = Limited::new(body, MOST).collect().await.map_err(|error| error.to_string())?.to_bytes();
        RESULT_BYTES.record(body.len() as u64, (tenant,));
        Ok(Answer { bytes: body.len(), is_success: head.status.is_success() })
    }
}
