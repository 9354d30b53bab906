//! Why a push to a Pushgateway did not succeed: what, where, and how to mend it.

use std::fmt;
use std::time::Duration;

use crate::export::otlp::Cause;

/// Why a push failed. What the gateway answered is in it; no secret is. `Debug` is `Display`, so that a `main` that returns
/// it prints the sentence.
#[derive(Clone)]
pub struct PushgatewayError {
    pub(super) url: String,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// What was given cannot be used.
    Given(String),
    /// The request did not get through.
    Transport(Cause),
    /// There was no time left.
    Late { timeout: Duration },
    /// The gateway refused, and says why.
    Refused { status: u16, says: String },
    /// The answer leads elsewhere.
    Redirect { status: u16, location: Option<String> },
}

const OF_CA: &str = " (or OTEL_EXPORTER_OTLP_CERTIFICATE)";
const OF_CLIENT: &str = " (or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY)";
const OF_CLIENT_CERTIFICATE: &str = " (or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE)";

impl PushgatewayError {
    /// The class of error for `error.type`: one of few.
    pub(crate) fn error_type(&self) -> String {
        match &self.kind {
            Kind::Given(_) => "settings".to_owned(),
            Kind::Transport(cause) => cause.error_type().to_owned(),
            Kind::Late { .. } => "timeout".to_owned(),
            Kind::Refused { status, .. } => status.to_string(),
            Kind::Redirect { .. } => "redirect".to_owned(),
        }
    }

    /// The HTTP status that the gateway answered, if it did.
    pub fn status(&self) -> Option<u16> {
        match &self.kind {
            Kind::Refused { status, .. } | Kind::Redirect { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for PushgatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.kind {
            Kind::Given(message) => write!(f, "cannot push to a Pushgateway: {message}"),
            Kind::Transport(cause) => {
                let cause = cause.to_string().replace("a collector listening", "a Pushgateway listening");
                // The variables are those of OTLP.
                let cause = [OF_CA, OF_CLIENT, OF_CLIENT_CERTIFICATE]
                    .iter()
                    .fold(cause.replace("the collector", "the Pushgateway"), |says, of| says.replace(of, ""));
                write!(f, "push to {url} failed: {cause}")
            }
            Kind::Late { timeout } => {
                write!(
                    f,
                    "push to {url} failed: no answer within {timeout:?}; is the Pushgateway overloaded?"
                )
            }
            Kind::Refused { status, says } => {
                let mend = match status {
                    400 => "the series contradict each other, or what others have pushed",
                    401 | 403 => "check the user and password, or the token",
                    404 | 405 => "is this the URL of a Pushgateway, without /metrics behind it?",
                    413 => "something on the way takes less at once",
                    _ => "look into the log of the Pushgateway",
                };
                if says.is_empty() {
                    write!(f, "push to {url} failed: answered {status}; {mend}")
                } else {
                    write!(f, "push to {url} failed: answered {status}, {says:?}; {mend}")
                }
            }
            Kind::Redirect { status, location } => {
                write!(f, "push to {url} failed: answered {status}")?;
                if let Some(location) = location {
                    write!(f, " to {location:?}")?;
                }
                write!(
                    f,
                    ", which is not followed: set the URL to where it leads, without /metrics/job and what follows"
                )
            }
        }
    }
}

impl fmt::Debug for PushgatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PushgatewayError {}
