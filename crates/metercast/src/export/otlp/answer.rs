//! What became of a request over HTTP: reads a collector's answer.

mod json;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName};

use super::error::{Cause, Failure, and};
use super::fields::{Field, Fields, Malformed};
use super::known::{self, Refusal};
use super::settings::Settings;

/// The content types that OTLP has.
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// An answer over HTTP, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body, or why there is none.
    pub(super) body: Result<Vec<u8>, Cause>,
}

/// A success, and what the collector has to say about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    /// How many points it did not take; never more than were sent.
    pub(super) rejected: u64,
    /// Why not, or a warning if it took all.
    pub(super) says: Option<String>,
    /// How to mend that, if it is known.
    pub(super) mend: Option<&'static str>,
    /// Whether the body is something else than OTLP: perhaps not a collector at all.
    pub(super) foreign: bool,
}

impl Answer {
    /// Whether the request with `points` was a success. OTLP knows 200 only; some receivers answer 202 or 204 instead,
    /// and take the data all the same.
    pub(super) fn judge(self, points: u64, settings: &Settings) -> Result<Accepted, Failure> {
        let wait = self.wait();
        self.taken(points, settings).map_err(|cause| Failure { cause, wait })
    }

    fn taken(self, points: u64, settings: &Settings) -> Result<Accepted, Cause> {
        let status = self.status;
        if status.is_redirection() {
            let location =
                self.header(header::LOCATION).map(|to| settings.without_secrets(&without_query(to)));
            return Err(Cause::Redirect { status, location: location.map(|to| shortened(&to)) });
        }
        if !status.is_success() {
            let heard = self.text().unwrap_or_default();
            let mend = known::mend(settings, Refusal::Http(status), &heard);
            return Err(Cause::Status { status, says: self.says(settings), mend });
        }
        let content_type = self.content_type().map(str::to_owned);
        let body = self.body?;
        // It says that all is well, whatever it is.
        if body.is_empty() {
            return Ok(Accepted::default());
        }
        // Some answer protobuf with "{}", so the answer's own type counts.
        let read = match content_type.as_deref() {
            Some(JSON) => json::partial_success(&body),
            Some(PROTOBUF) | None => partial_success(&body),
            Some(_) => Err(Malformed),
        };
        Ok(match read {
            Ok((rejected, says)) => Accepted::but(rejected, &says, points, settings),
            Err(Malformed) => Accepted { foreign: true, ..Accepted::default() },
        })
    }

    /// How long the receiver asks to wait: a number of seconds, or until a date, which is compared with the date of the
    /// answer, if that has one, since the clocks may differ.
    fn wait(&self) -> Option<Duration> {
        let wait = self.header(header::RETRY_AFTER)?.trim();
        if !wait.is_empty() && wait.bytes().all(|digit| digit.is_ascii_digit()) {
            // More digits than a number has are a long time.
            return Some(Duration::from_secs(wait.parse().unwrap_or(u64::MAX)));
        }
        let until = httpdate::parse_http_date(wait).ok()?;
        let date = self.header(header::DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        Some(until.duration_since(date.unwrap_or_else(SystemTime::now)).unwrap_or_default())
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type without its parameters.
    fn content_type(&self) -> Option<&str> {
        let content_type = self.header(header::CONTENT_TYPE)?;
        Some(content_type.split(';').next().unwrap_or_default().trim())
    }

    /// What a refusal says, if it is for people: a `google.rpc.Status`, text or what is text in JSON, but no web page.
    fn says(&self, settings: &Settings) -> Option<String> {
        let is_for_people = matches!(
            self.content_type(),
            None | Some(PROTOBUF | JSON | "text/plain" | "application/problem+json")
        );
        quotable(&self.text().filter(|_| is_for_people)?, settings)
    }

    /// The text of a refusal, whoever it is for.
    fn text(&self) -> Option<Cow<'_, str>> {
        let body = self.body.as_ref().ok()?;
        let text = match self.content_type() {
            Some(PROTOBUF) => status_message(body).ok()?,
            _ => body,
        };
        let text = std::str::from_utf8(text).ok()?;
        let is_empty = matches!(text.trim(), "{}" | "[]");
        let message = json::message(text.as_bytes()).map_or(Cow::Borrowed(text), Cow::Owned);
        Some(message).filter(|_| !is_empty)
    }
}

impl Accepted {
    /// A success without `rejected` of `points`.
    pub(super) fn but(rejected: u64, says: &str, points: u64, settings: &Settings) -> Accepted {
        let mend = known::mend(settings, Refusal::Points, says);
        let mend = mend.filter(|_| rejected > 0 || !says.is_empty());
        Accepted { rejected: rejected.min(points), says: quotable(says, settings), mend, foreign: false }
    }

    /// What there is to say about it although nothing was rejected.
    pub(super) fn warning(&self, url: &str) -> Option<String> {
        if self.foreign {
            return Some(format!("push to {url} got an answer that is not OTLP's; is that a collector?"));
        }
        let warning = format!("push to {url} was taken with a warning: {:?}", self.says.as_ref()?);
        Some(self.mend.map_or_else(|| warning.clone(), |mend| and(&warning, mend)))
    }
}

/// `ExportMetricsServiceResponse`: the `rejected_data_points` and the `error_message` of its `partial_success`. That of traces has its
/// `rejected_spans` under the same number.
pub(super) fn partial_success(body: &[u8]) -> Result<(u64, String), Malformed> {
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
    Ok((rejected, String::from_utf8_lossy(says).into_owned()))
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
pub(super) fn quotable(text: &str, settings: &Settings) -> Option<String> {
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
