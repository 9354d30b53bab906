//! Scrapes the page over HTTP, as Prometheus does.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};

use super::client::Connection;
use super::page;
use super::totals::Totals;

/// What the page at `url` says.
pub(crate) async fn scrape(url: &str) -> Result<Totals, String> {
    read(url).await.map_err(|fault| format!("the page {url} cannot be read: {fault}"))
}

async fn read(url: &str) -> Result<Totals, String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    let authority = uri.authority().ok_or("the URL has no host")?.as_str();
    let mut connection = Connection::open(authority).await.map_err(|error| error.to_string())?;
    let mut request = Request::new(Full::<Bytes>::default());
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority).map_err(|error| error.to_string())?);
    *request.uri_mut() = uri.path().parse().map_err(|error| format!("{error}"))?;
    let answer = connection.send(request).await.map_err(|error| error.to_string())?;
    if !answer.status.is_success() {
        return Err(format!("the answer is {}", answer.status));
    }
    let text = std::str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
    page::totals(text).map_err(|error| error.to_string())
}
