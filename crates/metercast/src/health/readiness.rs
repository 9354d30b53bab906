//! What a probe is told.

use crate::export::stdout::json::put_text;

/// Whether a component is ready, as a probe is told: 200 and `{"status":"ready"}`, or 503 and
/// `{"status":"not_ready","error":"..."}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Why not.
    error: Option<String>,
}

impl Readiness {
    pub(crate) fn ready() -> Readiness {
        Readiness { error: None }
    }

    pub(super) fn not(error: String) -> Readiness {
        Readiness { error: Some(error) }
    }

    /// Whether it is.
    pub fn is_ready(&self) -> bool {
        self.error.is_none()
    }

    /// Why it is not: the checks that are down, each with what it said, as `queue: connection refused; ...`.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The status code that says so: 200 or 503.
    pub fn status(&self) -> u16 {
        if self.is_ready() { 200 } else { 503 }
    }

    /// The body that says so, with a line break at its end. Its content type is `application/json`.
    pub fn json(&self) -> String {
        let Some(error) = &self.error else { return "{\"status\":\"ready\"}\n".to_owned() };
        let mut out = b"{\"status\":\"not_ready\",\"error\":".to_vec();
        put_text(&mut out, error);
        out.extend(b"}\n");
        String::from_utf8(out).unwrap_or_default()
    }
}
