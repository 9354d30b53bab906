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
    /// How many points were to go with it and never will.
    lost: u64,
}

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// How long the receiver asks to wait.
    pub(super) wait: Option<Duration>,
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Failure {
        Failure { cause, wait: None }
    }
}

/// Why a push failed. Nothing in it is a secret: what an answer says was searched for them.
#[derive(Clone, Debug)]
pub(in crate::export) enum Cause {
    /// The host's name has no address.
    Resolve(Arc<io::Error>),
    /// No connection could be made.
    Connect(Arc<io::Error>),
    /// The certificates do not fit, and how to mend that.
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    Tls(String),
    /// The proxy makes no connection, and why. It may do so later, or not before somebody mends it.
    Proxy { url: String, says: String, is_lasting: bool },
    /// The connection was closed before an answer came.
    Closed,
    /// The connection broke before the answer was complete.
    Lost(Arc<dyn std::error::Error + Send + Sync>),
    /// What came is not the protocol of this name.
    Protocol(&'static str, Arc<dyn std::error::Error + Send + Sync>),
    /// The exporter's timeout passed, before there was a connection or after.
    Timeout { within: Duration, connected: bool },
    /// The deadline of a flush or of the shutdown passed, before there was a connection or after.
    Deadline { connected: bool },
    /// The receiver has asked for silence, and it lasts longer than there is time.
    Silence { left: Duration },
    /// An answer that is no success, with what it says if that is text, and how to mend it if that is known.
    Status { status: StatusCode, says: Option<String>, mend: Option<&'static str> },
    /// An answer that points elsewhere.
    Redirect { status: StatusCode, location: Option<String> },
    /// The same by gRPC.
    #[cfg_attr(not(feature = "grpc"), allow(dead_code))]
    Grpc { code: Code, says: Option<String>, too_large: bool, may_retry: bool, mend: Option<&'static str> },
    /// A success without these points.
    Rejected { rejected: u64, points: u64, says: Option<String>, mend: Option<&'static str> },
    /// Points of more bytes each than a request may have.
    PointTooLarge { limit: usize },
    /// An answer of more bytes than a client reads.
    AnswerTooLarge { limit: usize },
    /// The store could not be read and encoded.
    Panicked(String),
    /// The exporter was shut down, or its thread has died.
    Stopped,
}

impl ExportError {
    pub(super) fn new(url: &str, cause: Cause) -> ExportError {
        ExportError { url: url.into(), cause, lost: 0 }
    }

    /// That this many points will never arrive.
    pub(super) fn losing(self, lost: u64) -> ExportError {
        ExportError { lost, ..self }
    }

    /// The class of error for `error.type`: one of few.
    pub(crate) fn error_type(&self) -> &str {
        self.cause.error_type()
    }
}

impl Cause {
    /// The class of error for `error.type`: one of few.
    pub(in crate::export) fn error_type(&self) -> &str {
        match self {
            Cause::Resolve(_) => "resolve",
            Cause::Connect(_) => "connect",
            Cause::Tls(_) => "tls",
            Cause::Proxy { .. } => "proxy",
            Cause::Closed | Cause::Lost(_) => "io",
            Cause::Protocol(..) => "protocol",
            Cause::Timeout { .. } | Cause::Deadline { .. } => "timeout",
            Cause::Silence { .. } => "silence",
            Cause::Status { status, .. } => status.as_str(),
            Cause::Redirect { .. } => "redirect",
            Cause::Grpc { code, .. } => code.name(),
            Cause::Rejected { .. } => "rejected",
            Cause::PointTooLarge { .. } => "point_too_large",
            Cause::AnswerTooLarge { .. } => "answer_too_large",
            Cause::Panicked(_) => "panic",
            Cause::Stopped => "stopped",
        }
    }

    /// Whether somebody answered, be it somebody on the way.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Cause::Status { .. } | Cause::Grpc { .. })
    }
}

/// A status code of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::export) struct Code(pub(super) i32);

impl Code {
    pub(super) const CANCELLED: Code = Code(1);
    pub(super) const INVALID_ARGUMENT: Code = Code(3);
    pub(super) const DEADLINE_EXCEEDED: Code = Code(4);
    pub(super) const NOT_FOUND: Code = Code(5);
    pub(super) const PERMISSION_DENIED: Code = Code(7);
    pub(super) const RESOURCE_EXHAUSTED: Code = Code(8);
    pub(super) const ABORTED: Code = Code(10);
    pub(super) const OUT_OF_RANGE: Code = Code(11);
    pub(super) const UNIMPLEMENTED: Code = Code(12);
    pub(super) const UNAVAILABLE: Code = Code(14);
    pub(super) const DATA_LOSS: Code = Code(15);
    pub(super) const UNAUTHENTICATED: Code = Code(16);

    /// The name that the specification of gRPC has for it.
    fn name(self) -> &'static str {
        const NAMES: [&str; 17] = [
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ];
        usize::try_from(self.0).ok().and_then(|code| NAMES.get(code).copied()).unwrap_or("UNKNOWN")
    }

    fn mend(self, too_large: bool) -> &'static str {
        match self {
            _ if too_large => TOO_LARGE,
            Code::INVALID_ARGUMENT => "the collector cannot read the message",
            Code::PERMISSION_DENIED | Code::UNAUTHENTICATED => "check the exporter's auth or headers",
            Code::NOT_FOUND | Code::UNIMPLEMENTED => {
                "is this the port for OTLP over gRPC, usually 4317, and does the receiver take what is pushed, in the \
                 exporter's compression?"
            }
            Code::RESOURCE_EXHAUSTED => {
                "the collector wants fewer pushes; make the exporter's interval longer"
            }
            Code::CANCELLED | Code::DEADLINE_EXCEEDED => {
                "the collector, or what it passes on to, is too slow"
            }
            Code::UNAVAILABLE => "the collector, or what it passes on to, is down or overloaded",
            _ => "look into the collector's log",
        }
    }
}

const TOO_LARGE: &str =
    "the message is larger than the collector takes; raise its limit, or record fewer series";

/// A sentence with one more clause.
pub(super) fn and(sentence: &str, clause: &str) -> String {
    if !sentence.ends_with('?') {
        return format!("{sentence}; {clause}");
    }
    let mut clause = clause.chars();
    let first = clause.next().into_iter().flat_map(char::to_uppercase);
    format!("{sentence} {}{}", first.collect::<String>(), clause.as_str())
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let but = match self.cause {
            Cause::Rejected { .. } => "",
            Cause::Stopped => " is not possible",
            _ => " failed",
        };
        let says = format!("push to {}{but}: {}", self.url, self.cause);
        match self.lost {
            0 => f.write_str(&says),
            1 => f.write_str(&and(&says, "1 point is not delivered")),
            lost => f.write_str(&and(&says, &format!("{lost} points are not delivered"))),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Resolve(error) | Cause::Connect(error) => Some(&**error),
            Cause::Lost(error) | Cause::Protocol(_, error) => Some(&**error),
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
            Cause::Tls(says) => f.write_str(says),
            Cause::Proxy { url, says, .. } => write!(f, "the proxy {url} {says}"),
            Cause::Closed => {
                f.write_str("the connection was closed before an answer came; look into the collector's log")
            }
            Cause::Lost(error) => {
                write!(f, "the connection broke ({}); look into the collector's log", Chain(&**error))
            }
            Cause::Protocol("HTTP/2", error) => write!(
                f,
                "the answer is not HTTP/2 ({}); is this the port for OTLP over gRPC, usually 4317?",
                Chain(&**error)
            ),
            Cause::Protocol(expected, error) => write!(
                f,
                "the answer is not {expected} ({}); is this the port for OTLP over HTTP, usually 4318?",
                Chain(&**error)
            ),
            Cause::Timeout { within, connected: false } => {
                write!(f, "no connection within {within:?}; does a firewall on the way drop packets?")
            }
            Cause::Timeout { within, connected: true } => write!(
                f,
                "no answer within {within:?}; is the collector overloaded, or the exporter's timeout too short?"
            ),
            Cause::Deadline { .. } => {
                f.write_str("no answer before the deadline; give it more time, or check the collector")
            }
            Cause::Silence { left } => write!(
                f,
                "the collector has asked for silence, of which {:?} are left; give the push more time, or make the \
                 exporter's interval longer",
                Duration::from_secs(left.as_secs() + 1)
            ),
            Cause::Grpc { code, says, too_large, mend, .. } => {
                let mend = mend.unwrap_or_else(|| code.mend(*too_large));
                write!(f, "answered {}{}: {mend}", code.name(), Says(says))
            }
            Cause::Status { status, says, mend } => {
                let mend = mend.unwrap_or_else(|| self::mend(*status));
                write!(f, "answered {status}{}: {mend}", Says(says))
            }
            Cause::Redirect { status, location: Some(location) } => write!(
                f,
                "answered {status} to {location:?}, which is not followed: set the endpoint to where it leads"
            ),
            Cause::Redirect { status, location: None } => {
                write!(f, "answered {status}, which is not followed: {}", mend(StatusCode::NOT_FOUND))
            }
            Cause::PointTooLarge { limit } => write!(
                f,
                "a point does not fit into the {limit} bytes that a request may have; record fewer and shorter labels"
            ),
            Cause::AnswerTooLarge { limit } => {
                write!(f, "the answer has more than {limit} bytes; is this an OTLP receiver?")
            }
            Cause::Panicked(message) => {
                write!(f, "reading the store panicked ({message:?}); please report this to metercast")
            }
            Cause::Rejected { rejected, points, says, mend } => write!(
                f,
                "{rejected} of {points} points were rejected{}; {}",
                Says(says),
                mend.unwrap_or("check the collector's rules for these metrics")
            ),
            Cause::Stopped => f.write_str("the exporter was stopped"),
        }
    }
}

fn mend(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "the collector cannot read the message; does it take OTLP in the exporter's protocol?",
        401 | 403 => "check the exporter's auth or headers",
        404 | 405 => {
            "the path is probably wrong; receivers of OTLP take metrics at /v1/metrics and traces at /v1/traces"
        }
        407 => "something on the way is a proxy that wants a password",
        408 | 504 => "the collector, or what it passes on to, is too slow",
        413 => TOO_LARGE,
        415 => "the collector takes no such message; check the exporter's protocol and compression",
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
        if let Some(refused) = super::connect::refusal(&error) {
            return refused;
        }
        // What comes before anything was asked for is the greeting of HTTP/2, of which hyper has no other word.
        let is_greeting = error.is_canceled() && Chain(&error).to_string().contains("unexpected message");
        if error.is_parse() || is_greeting {
            Cause::Protocol("HTTP/1.1", Arc::new(error))
        } else if error.is_incomplete_message() {
            Cause::Closed
        } else {
            Cause::Lost(Arc::new(error))
        }
    }
}

#[cfg(test)]
mod tests;
