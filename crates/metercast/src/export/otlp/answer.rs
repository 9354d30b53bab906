//! What became of a push: reads a collector's answer.

use hyper::header::{self, HeaderName};

use super::client::{Answer, PROTOBUF};
use super::error::Cause;
use super::settings::Settings;
use super::wire::{Field, Fields, Malformed};

/// A success, and what the collector has to say about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    /// How many points it did not take; never more than were sent.
    pub(super) rejected: u64,
    /// Why not, or a warning if it took all.
    pub(super) says: Option<String>,
    /// Whether the body is something else than OTLP: perhaps not a collector at all.
    pub(super) foreign: bool,
}

impl Answer {
    /// Whether the push of `points` was a success. OTLP knows 200 only; some receivers answer 202 or 204 instead,
    /// and take the data all the same.
    pub(super) fn judge(self, points: u64, settings: &Settings) -> Result<Accepted, Cause> {
        let status = self.status;
        if status.is_redirection() {
            let location =
                self.header(header::LOCATION).map(|to| settings.without_secrets(&without_query(to)));
            return Err(Cause::Redirect { status, location: location.map(|to| shortened(&to)) });
        }
        if !status.is_success() {
            return Err(Cause::Status { status, says: self.says(settings) });
        }
        let content_type = self.content_type().map(str::to_owned);
        let body = self.body?;
        // Some answer protobuf with "{}": JSON is not read here, and an empty body says that all is well.
        if body.is_empty() || content_type.as_deref() == Some("application/json") {
            return Ok(Accepted::default());
        }
        match partial_success(&body) {
            Ok((rejected, says)) if content_type.is_none_or(|content_type| content_type == PROTOBUF) => {
                let says = quotable(&String::from_utf8_lossy(says), settings);
                Ok(Accepted { rejected: rejected.min(points), says, foreign: false })
            }
            _ => Ok(Accepted { foreign: true, ..Accepted::default() }),
        }
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type without its parameters.
    fn content_type(&self) -> Option<&str> {
        let content_type = self.header(header::CONTENT_TYPE)?;
        Some(content_type.split(';').next().unwrap_or_default().trim())
    }

    /// What a refusal says, if it is for people: a `google.rpc.Status`, text or JSON, but no web page.
    fn says(&self, settings: &Settings) -> Option<String> {
        let body = self.body.as_ref().ok()?;
        let text = match self.content_type() {
            Some(PROTOBUF) => status_message(body).ok()?,
            None | Some("text/plain" | "application/json" | "application/problem+json") => body,
            _ => return None,
        };
        quotable(std::str::from_utf8(text).ok()?, settings)
    }
}

/// `ExportMetricsServiceResponse`: the `rejected_data_points` and the `error_message` of its `partial_success`.
fn partial_success(body: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let (mut rejected, mut says) = (0, &[][..]);
    for field in Fields::of(body) {
        let (1, Field::Bytes(partial_success)) = field? else { continue };
        for field in Fields::of(partial_success) {
            match field? {
                // Below zero, which makes no sense, nothing was rejected.
                (1, Field::Varint(count)) => rejected = u64::try_from(count as i64).unwrap_or(0),
                (2, Field::Bytes(message)) => says = message,
                _ => {}
            }
        }
    }
    Ok((rejected, says))
}

/// The `message` of a `google.rpc.Status`.
fn status_message(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut says = &[][..];
    for field in Fields::of(body) {
        if let (2, Field::Bytes(message)) = field? {
            says = message;
        }
    }
    Ok(says)
}

/// The beginning of `text` on one line, without secrets; `None` if there is nothing to read.
fn quotable(text: &str, settings: &Settings) -> Option<String> {
    // Secrets go before anything is cut, lest half of one stays.
    let text = settings.without_secrets(text);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { None } else { Some(shortened(&line)) }
}

/// The first characters of a text, enough for a log line.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A URL without its query, which may be a secret, and without a user and password, which always are.
fn without_query(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    // The last @ counts, as a password may have one in it.
    let rest = rest.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    format!("{scheme}{rest}")
}
