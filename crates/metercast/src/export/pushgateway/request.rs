//! One request to a Pushgateway, and what it answers.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, PROXY_AUTHORIZATION, USER_AGENT,
};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;

use super::error::Kind;
use crate::config::{Gateway, ProxyConfig, TlsConfig};
use crate::export::otlp::{Cause, Connector, Proxy, hide};

/// What is sent.
pub(super) struct Sent<'a> {
    pub(super) method: Method,
    pub(super) gateway: &'a Gateway,
    pub(super) tls: &'a TlsConfig,
    pub(super) proxy: Option<&'a ProxyConfig>,
    pub(super) path: String,
    pub(super) authorization: Option<&'a str>,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Gateways answer a line.
const ANSWER_LIMIT: usize = 64 * 1024;

/// As much as a person reads.
const SHOWN: usize = 1024;

/// Sends a request. It has no clock: whoever drops the future ends the request.
pub(super) async fn send(sent: Sent<'_>) -> Result<(), Kind> {
    let unusable = |what: &str| Kind::Given(format!("{what} cannot be part of an HTTP request"));
    let tls = sent.gateway.is_https.then_some(sent.tls);
    let proxy = sent.proxy.map(Proxy::of);
    let mut connector = Connector::http1(&sent.gateway.host, sent.gateway.port, tls, proxy)
        .map_err(|error| Kind::Given(error.to_string()))?;
    let proxy = connector.reading_proxy();
    let target = match proxy {
        // The proxy must know where to.
        Some(_) => format!("http://{}{}", sent.gateway.authority(), sent.path),
        None => sent.path,
    };
    let mut request = Request::new(Full::new(Bytes::from(sent.body)));
    *request.method_mut() = sent.method;
    *request.uri_mut() = target.parse().map_err(|_| unusable("the path"))?;
    let value = |what: &str, text: &str| HeaderValue::from_str(text).map_err(|_| unusable(what));
    let headers = request.headers_mut();
    headers.insert(HOST, value("the host", &sent.gateway.authority())?);
    headers.insert(CONTENT_TYPE, value("the content type", &sent.content_type)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("metercast/", env!("CARGO_PKG_VERSION"))));
    let to_proxy = proxy.and_then(|proxy| proxy.authorization.as_deref());
    for (name, secret) in [(AUTHORIZATION, sent.authorization), (PROXY_AUTHORIZATION, to_proxy)] {
        if let Some(secret) = secret {
            let mut authorization = value("the authorization", secret)?;
            authorization.set_sensitive(true);
            headers.insert(name, authorization);
        }
    }
    let of_proxy = sent.proxy.and_then(|proxy| Some(proxy.authorization()?.expose()));
    let broken = |error: hyper::Error| Kind::Transport(Cause::from(error));
    let stream = connector.connect().await.map_err(Kind::Transport)?;
    let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let driver = tokio::spawn(driver);
    let response = connection.send_request(request).await.map_err(broken)?;
    let outcome = judge(response, [sent.authorization, of_proxy]).await;
    driver.abort();
    outcome
}

async fn judge(response: Response<Incoming>, secrets: [Option<&str>; 2]) -> Result<(), Kind> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let shown = |text: &str| {
        let text = hide(text.trim(), secrets.into_iter().flatten(), std::iter::empty());
        text.chars().take(SHOWN).collect::<String>()
    };
    if status.is_redirection() {
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        return Err(Kind::Redirect { status: status.as_u16(), location: location.map(shown) });
    }
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    // What can be read of it; that the request was refused is known.
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data[..data.len().min(ANSWER_LIMIT - bytes.len())]);
        }
        if bytes.len() == ANSWER_LIMIT {
            break;
        }
    }
    Err(Kind::Refused { status: status.as_u16(), says: shown(&String::from_utf8_lossy(&bytes)) })
}
