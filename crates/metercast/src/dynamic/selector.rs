//! What can be asked of an operation of a stage, by name, and one such question with its argument.

use metercast_core::Value;

use super::moment::{Moment, Moments};

/// Something that can be asked of the operations of a [`Stage`](super::Stage), such as the header of a request: its name in a
/// configuration, what stands behind the name, and when there may be a value.
///
/// ```
/// use metercast::dynamic::{Moment, Selector};
///
/// let header = Selector::text("request_header", "The value of this header", &[Moment::Request]);
/// let status = Selector::words("response_status", &["code", "reason"], "The status", &[Moment::Response]);
/// let tenant = Selector::truth("tenant", "Whose request it is", &[Moment::Request]);
/// assert_eq!(tenant.name(), "tenant");
/// # _ = (header, status);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Selector {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) takes: Takes,
    pub(super) moments: Moments,
}

/// What stands behind the name of a selector.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// `true`.
    Truth,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Any text that passes.
    Text(fn(&str) -> Result<(), String>),
}

impl Selector {
    /// One that needs no argument: `{ NAME = true }`.
    pub fn truth(name: &'static str, doc: &'static str, moments: &[Moment]) -> Selector {
        Selector { name, doc, takes: Takes::Truth, moments: Moments::of(moments) }
    }

    /// One with a word for an argument.
    pub fn words(
        name: &'static str,
        words: &'static [&'static str],
        doc: &'static str,
        moments: &[Moment],
    ) -> Selector {
        Selector { name, doc, takes: Takes::Words(words), moments: Moments::of(moments) }
    }

    /// One with a text for an argument.
    pub fn text(name: &'static str, doc: &'static str, moments: &[Moment]) -> Selector {
        Selector { name, doc, takes: Takes::Text(|_| Ok(())), moments: Moments::of(moments) }
    }

    /// With a look at the argument when the configuration is read: what is wrong with it and how to mend it, if it is.
    pub fn checked(mut self, check: fn(&str) -> Result<(), String>) -> Selector {
        self.takes = Takes::Text(check);
        self
    }

    /// Its name in a configuration.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The time since the operation began, in seconds: every stage has it.
    pub(super) fn duration() -> Selector {
        Selector::truth(DURATION, "The time since the request began, in seconds", &[Moment::End])
    }
}

/// The selector that every stage has and the engine answers.
pub(super) const DURATION: &str = "duration";

/// A selector with its argument, as a configuration asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    pub(super) name: &'static str,
    pub(super) argument: String,
    pub(super) moments: Moments,
    /// What stands for a value that does not come.
    pub(super) default: Option<Value>,
}

impl Selection {
    /// The name of the selector.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The same with something that stands for a value that does not come.
    #[cfg(feature = "config")]
    pub(crate) fn with_default(self, default: Option<Value>) -> Selection {
        Selection { default, ..self }
    }

    #[cfg(feature = "config")]
    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some()
    }

    /// The word or the text that stands behind the name; empty if it needs none.
    pub fn argument(&self) -> &str {
        &self.argument
    }
}

/// Where a value is from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// It stands in the configuration.
    Constant(Value),
    /// The operation has it.
    Selected(Selection),
    /// An environment variable has it, which is read with the configuration; or else this.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only a file names variables"))]
    Variable(String, Option<Value>),
}

/// What of a value is not shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Redaction {
    Everything,
    Matching(crate::view::Glob),
}

impl Redaction {
    pub(super) fn hides(&self, value: &Value) -> bool {
        match (self, value) {
            (Redaction::Everything, _) => true,
            (Redaction::Matching(glob), Value::String(text)) => glob.matches(text),
            (Redaction::Matching(glob), other) => glob.matches(&other.to_string()),
        }
    }
}

/// What stands for a value that is not shown.
pub(super) const REDACTED: &str = "***";
