//! What there is to say about one thing: what it is, and whether it is well.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// One line about an exporter.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    what: String,
    says: String,
    state: State,
    /// The class of error, if it has failed at being tried.
    class: Option<String>,
}

/// Whether that is well.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Well,
    Warns,
    Fails,
}

impl Finding {
    /// What is so.
    pub(super) fn is(what: &str, says: impl Into<String>) -> Finding {
        Finding {
            what: what.to_owned(),
            says: says.into().replace('\n', " "),
            state: State::Well,
            class: None,
        }
    }

    /// What somebody should look after.
    pub(super) fn warns(what: &str, says: impl Into<String>) -> Finding {
        Finding { state: State::Warns, ..Finding::is(what, says) }
    }

    /// What does not work, and how to mend it.
    pub(super) fn fails(what: &str, says: impl Into<String>) -> Finding {
        Finding { state: State::Fails, ..Finding::is(what, says) }
    }

    /// With the class of error, as `error.type` of metrics has it.
    pub(super) fn of_class(self, class: Option<&str>) -> Finding {
        Finding { class: class.map(str::to_owned), ..self }
    }

    /// Whether it neither fails nor warns.
    pub(super) fn is_well(&self) -> bool {
        self.state == State::Well
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state == State::Fails
    }

    pub(super) fn json(&self) -> Value {
        json!({ "what": self.what, "text": self.says, "state": self.word(), "error_type": self.class })
    }

    fn word(&self) -> &'static str {
        match self.state {
            State::Well => "ok",
            State::Warns => "warning",
            State::Fails => "failed",
        }
    }
}

/// A line for each.
pub(super) fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding { what, says, .. } = finding;
        let word =
            if finding.is_well() { String::new() } else { format!("{}: ", finding.word().to_uppercase()) };
        // A text in a `String` is always written.
        let _ = writeln!(text, "  {what:12} {word}{says}");
    }
    text
}
