//! Why a push did not hand everything over: what, where, and how to mend it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;

/// A push that failed, in whole or in part.
#[derive(Clone, Debug)]
pub(crate) struct ExportError {
    /// Where it was to go.
    url: Arc<str>,
    /// Why it failed.
    cause: Cause,
}

/// Why a push failed. Nothing in it is a secret: what an answer says was searched for them.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// The host's name has no address.
    Resolve(Arc<io::Error>),
    /// No connection could be made.
    Connect(Arc<io::Error>),
    /// The connection broke before the answer was complete.
    Lost(Arc<hyper::Error>),
    /// What came is not HTTP/1.1.
    Protocol(Arc<hyper::Error>),
    /// The exporter's timeout passed, before there was a connection or after.
    Timeout { within: Duration, connected: bool },
    /// The deadline of a flush or of the shutdown passed.
    Deadline,
    /// An answer that is no success, with what it says if that is text.
    Status { status: StatusCode, says: Option<String> },
    /// An answer that points elsewhere.
    Redirect { status: StatusCode, location: Option<String> },
    /// A success without these points.
    Rejected { rejected: u64, points: u64, says: Option<String> },
    /// A message of more bytes than OTLP lets a client send.
    RequestTooLarge { bytes: usize, limit: usize },
    /// An answer of more bytes than a client reads.
    AnswerTooLarge { limit: usize },
    /// The store could not be read and encoded.
    Panicked(String),
    /// The exporter was shut down, or its thread has died.
    Stopped,
}

impl ExportError {
    pub(super) fn new(url: &str, cause: Cause) -> ExportError {
        ExportError { url: url.into(), cause }
    }

    /// The class of error for `error.type`: one of few.
    pub(crate) fn error_type(&self) -> &str {
        match &self.cause {
            Cause::Resolve(_) => "resolve",
            Cause::Connect(_) => "connect",
            Cause::Lost(_) => "io",
            Cause::Protocol(_) => "protocol",
            Cause::Timeout { .. } | Cause::Deadline => "timeout",
            Cause::Status { status, .. } => status.as_str(),
            Cause::Redirect { .. } => "redirect",
            Cause::Rejected { .. } => "rejected",
            Cause::RequestTooLarge { .. } => "request_too_large",
            Cause::AnswerTooLarge { .. } => "answer_too_large",
            Cause::Panicked(_) => "panic",
            Cause::Stopped => "stopped",
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let but = match self.cause {
            Cause::Rejected { .. } => "",
            Cause::Stopped => " is not possible",
            _ => " failed",
        };
        write!(f, "push to {}{but}: {}", self.url, self.cause)
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Resolve(error) | Cause::Connect(error) => Some(&**error),
            Cause::Lost(error) | Cause::Protocol(error) => Some(&**error),
            _ => None,
        }
    }
}

/// What happened and how to mend it.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Resolve(error) => {
                write!(f, "the host's name cannot be resolved ({error}); is it spelled right?")
            }
            Cause::Connect(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    f.write_str("connection refused; is a collector listening there?")
                }
                _ => write!(f, "no connection ({error}); check the address and the network on the way"),
            },
            Cause::Lost(error) if error.is_incomplete_message() => {
                f.write_str("the connection was closed before an answer came; look into the collector's log")
            }
            Cause::Lost(error) => {
                write!(f, "the connection broke ({}); look into the collector's log", Chain(&**error))
            }
            Cause::Protocol(error) => write!(
                f,
                "the answer is not HTTP/1.1 ({}); is this the port for OTLP over HTTP, usually 4318?",
                Chain(&**error)
            ),
            Cause::Timeout { within, connected: false } => {
                write!(f, "no connection within {within:?}; does a firewall on the way drop packets?")
            }
            Cause::Timeout { within, connected: true } => write!(
                f,
                "no answer within {within:?}; is the collector overloaded, or the exporter's timeout too short?"
            ),
            Cause::Deadline => {
                f.write_str("no answer before the deadline; give it more time, or check the collector")
            }
            Cause::Status { status, says } => write!(f, "answered {status}{}: {}", Says(says), mend(*status)),
            Cause::Redirect { status, location: Some(location) } => write!(
                f,
                "answered {status} to {location:?}, which is not followed: set the endpoint to where it leads"
            ),
            Cause::Redirect { status, location: None } => {
                write!(f, "answered {status}, which is not followed: {}", mend(StatusCode::NOT_FOUND))
            }
            Cause::RequestTooLarge { bytes, limit } => {
                write!(f, "the message has {bytes} bytes and OTLP allows {limit}; record fewer series")
            }
            Cause::AnswerTooLarge { limit } => {
                write!(f, "the answer has more than {limit} bytes; is this an OTLP receiver?")
            }
            Cause::Panicked(message) => {
                write!(f, "reading the store panicked ({message:?}); please report this to metercast")
            }
            Cause::Rejected { rejected, points, says } => write!(
                f,
                "{rejected} of {points} points were rejected{}; check the collector's rules for these metrics",
                Says(says)
            ),
            Cause::Stopped => f.write_str("the exporter was stopped"),
        }
    }
}

fn mend(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "the collector cannot read the message; is it a receiver of OTLP protobuf?",
        401 | 403 => "check the exporter's auth or headers",
        404 | 405 => "the path is probably wrong; receivers of OTLP take metrics at /v1/metrics",
        407 => "something on the way is a proxy that wants a password",
        408 | 504 => "the collector, or what it passes on to, is too slow",
        413 => "the message is larger than the collector takes; raise its limit, or record fewer series",
        415 => {
            "the collector takes no protobuf, or no gzip; check its receiver and the exporter's compression"
        }
        429 => "the collector wants fewer pushes; make the exporter's interval longer",
        502 | 503 => "the collector, or what it passes on to, is down or overloaded",
        500.. => "look into the collector's log",
        _ => "check the exporter's endpoint, and look into the collector's log",
    }
}

/// ` ("what the answer says")`, or nothing. Quoted by `Debug`, which escapes what does not print.
struct Says<'a>(&'a Option<String>);

impl fmt::Display for Says<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => write!(f, " ({text:?})"),
            None => Ok(()),
        }
    }
}

/// An error and what is behind it: hyper's own text leaves the cause out.
struct Chain<'a>(&'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl From<hyper::Error> for Cause {
    fn from(error: hyper::Error) -> Cause {
        if error.is_parse() { Cause::Protocol(Arc::new(error)) } else { Cause::Lost(Arc::new(error)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_says_what_where_and_how_to_mend() {
        let io = |kind: io::ErrorKind, text: &'static str| Arc::new(io::Error::new(kind, text));
        let status = |code, says: Option<&str>| Cause::Status {
            status: StatusCode::from_u16(code).unwrap(),
            says: says.map(str::to_owned),
        };
        let cases = [
            (
                Cause::Resolve(io(io::ErrorKind::Other, "name unknown")),
                "resolve",
                " failed: the host's name cannot be resolved (name unknown); is it spelled right?",
            ),
            (
                Cause::Connect(io(io::ErrorKind::ConnectionRefused, "")),
                "connect",
                " failed: connection refused; is a collector listening there?",
            ),
            (
                Cause::Connect(io(io::ErrorKind::NetworkUnreachable, "network unreachable")),
                "connect",
                " failed: no connection (network unreachable); check the address and the network on the way",
            ),
            (
                Cause::Timeout { within: Duration::from_secs(10), connected: true },
                "timeout",
                " failed: no answer within 10s; is the collector overloaded, or the exporter's timeout too short?",
            ),
            (
                Cause::Timeout { within: Duration::from_millis(1500), connected: false },
                "timeout",
                " failed: no connection within 1.5s; does a firewall on the way drop packets?",
            ),
            (
                Cause::Deadline,
                "timeout",
                " failed: no answer before the deadline; give it more time, or check the collector",
            ),
            (
                status(401, None),
                "401",
                " failed: answered 401 Unauthorized: check the exporter's auth or headers",
            ),
            (
                status(503, Some("full \u{1b}[2J\u{202e}")),
                "503",
                " failed: answered 503 Service Unavailable (\"full \\u{1b}[2J\\u{202e}\"): the collector, or what it \
                 passes on to, is down or overloaded",
            ),
            (
                status(418, None),
                "418",
                " failed: answered 418 I'm a teapot: check the exporter's endpoint, and look into the collector's log",
            ),
            (
                Cause::Rejected { rejected: 2, points: 5, says: Some("too old".into()) },
                "rejected",
                ": 2 of 5 points were rejected (\"too old\"); check the collector's rules for these metrics",
            ),
            (
                Cause::RequestTooLarge { bytes: 9, limit: 8 },
                "request_too_large",
                " failed: the message has 9 bytes and OTLP allows 8; record fewer series",
            ),
            (Cause::Stopped, "stopped", " is not possible: the exporter was stopped"),
        ];
        for (cause, error_type, message) in cases {
            let error = ExportError::new("http://collector:4318/v1/metrics", cause);
            assert_eq!(error.error_type(), error_type);
            assert_eq!(error.to_string(), format!("push to http://collector:4318/v1/metrics{message}"));
        }
    }

    #[test]
    fn the_error_of_the_system_is_kept_as_the_source() {
        let cause = Cause::Connect(Arc::new(io::Error::from(io::ErrorKind::ConnectionRefused)));
        let error = ExportError::new("http://collector:4318/", cause);
        let source = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    }
}
