//! The content of a file in nobody's format: tables of values, each with its line. And what to say of a value
//! that is not what was expected.

use std::time::Duration;

use super::duration;
use super::error::{Checked, Findings, Place};
use super::suggest::{did_you_mean, one_of};

/// Keys and values in the order of the file, each key once.
pub(super) type Entries = [(String, Node)];

/// A value and the line where it, or its key, stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    String(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
    Table(Vec<(String, Node)>),
    List(Vec<Node>),
    /// Something that no setting is; named for the message, as in "a date or time".
    Other(&'static str),
}

impl Value {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Table(entries) if entries.is_empty() => "an empty table",
            Self::Table(_) => "a table",
            Self::List(_) => "an array",
            Self::Other(kind) => kind,
        }
    }
}

/// Takes a node for what a key expects, or notes that it is something else.
impl Findings {
    pub(super) fn table<'n>(&mut self, at: &Place, node: &'n Node, expected: &str) -> Option<&'n Entries> {
        match &node.value {
            Value::Table(entries) => Some(entries),
            other => self.mistyped(at, expected, other),
        }
    }

    pub(super) fn string<'n>(&mut self, at: &Place, node: &'n Node, example: &str) -> Option<&'n str> {
        match &node.value {
            Value::String(text) => Some(text),
            other => self.mistyped(at, &format!("a string such as {example}"), other),
        }
    }

    pub(super) fn truth(&mut self, at: &Place, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Bool(truth) => Some(*truth),
            other => self.mistyped(at, "true or false", other),
        }
    }

    pub(super) fn time(
        &mut self,
        at: &Place,
        node: &Node,
        check: fn(Duration) -> Checked<Duration>,
    ) -> Option<Duration> {
        let duration = match &node.value {
            Value::String(text) => duration::parse(text).and_then(check),
            Value::Integer(number) => Err(duration::unitless(number)),
            other => return self.mistyped(at, "a string such as \"60s\"", other),
        };
        self.checked(at, duration)
    }

    pub(super) fn word<T>(
        &mut self,
        at: &Place,
        node: &Node,
        words: &[&str],
        named: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let expected = one_of(words);
        match &node.value {
            Value::String(text) => {
                let word = named(text);
                if word.is_none() {
                    let meant = did_you_mean(text, words);
                    self.problem(at, format!("expected {expected}, found {text:?}{meant}"));
                }
                word
            }
            other => self.mistyped(at, &expected, other),
        }
    }

    pub(super) fn checked<T>(&mut self, at: &Place, checked: Checked<T>) -> Option<T> {
        self.take(at, checked).map(|given| given.value)
    }

    /// Names the type only: what stands there may be a secret in the wrong place.
    pub(super) fn mistyped<T>(&mut self, at: &Place, expected: &str, found: &Value) -> Option<T> {
        self.problem(at, format!("expected {expected}, found {}", found.kind()));
        None
    }

    pub(super) fn unknown(&mut self, at: &Place, key: &str, known: &[&str]) {
        let meant = did_you_mean(key, known);
        self.problem(at, format!("is not a key that is known here; expected {}{meant}", one_of(known)));
    }
}
