//! The content of a file in nobody's format: tables of values, each with its line. And what to say of a value
//! that is not what was expected.

use std::sync::Arc;
use std::time::Duration;

use super::duration;
use super::error::{Checked, Findings};
use super::filled::Filled;
use super::keys::{self, Key};
use super::place::Place;
use super::resource_attributes::ResourceAttributes;
use super::suggest::{did_you_mean, one_of};

/// Keys and values in the order of the file, each key once.
pub(super) type Entries = [(String, Node)];

/// A value and the line where it, or its key, stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
    pub(super) origin: Written,
    /// The key of a file of another make that this stands for.
    pub(super) stands_for: Option<Arc<str>>,
}

/// What a value is, if what it refers to cannot be had, of which enough has been said.
pub(super) const LOST: &str = "nothing that is known";

/// What a key without a value has in YAML, as it has with `null`.
pub(super) const NOTHING: &str = "nothing";

/// How a value came to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Written {
    /// As it is.
    #[default]
    Plain,
    /// With references in it that have been filled in; the text may stand for a number or a truth then.
    Filled(Arc<Filled>),
    /// As the text of this environment variable, which stands for whatever is expected.
    Variable(Arc<str>),
}

impl Node {
    pub(super) fn new(line: usize, value: Value) -> Self {
        Self { line, value, origin: Written::Plain, stands_for: None }
    }

    /// What says in our words what this node says under its key there.
    pub(super) fn stands_in(&self, there: &Place, value: Value) -> Self {
        let stands_for = Some(there.key().into());
        Self { line: self.line, value, origin: self.origin.clone(), stands_for }
    }

    /// Its text, if it may stand for a number or a truth.
    fn loose(&self) -> Option<&str> {
        match (&self.value, &self.origin) {
            (Value::String(text), Written::Filled(_) | Written::Variable(_)) => Some(text.trim()),
            _ => None,
        }
    }
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
        match (&node.value, node.loose()) {
            (Value::Bool(truth), _) => Some(*truth),
            (_, Some(text)) if text.eq_ignore_ascii_case("true") => Some(true),
            (_, Some(text)) if text.eq_ignore_ascii_case("false") => Some(false),
            (other, text) => self.misread(at, "true or false", other, text),
        }
    }

    /// A list of texts that each pass the check.
    pub(super) fn texts<T>(
        &mut self,
        at: &Place,
        node: &Node,
        example: &str,
        check: impl Fn(&str) -> Checked<T>,
    ) -> Option<Vec<T>> {
        let Value::List(items) = &node.value else {
            return self.mistyped(at, &format!("a list such as [{example}]"), &node.value);
        };
        let mut texts = Vec::new();
        for item in items {
            let at = at.clone().of(item);
            let text = self.string(&at, item, example).and_then(|text| self.checked(&at, check(text)));
            texts.extend(text);
        }
        // What is wrong has been said; the rest stays a list of the same meaning to whoever looks at it.
        (texts.len() == items.len()).then_some(texts)
    }

    /// A list of numbers.
    pub(super) fn numbers(&mut self, at: &Place, node: &Node, example: &str) -> Option<Vec<f64>> {
        let Value::List(items) = &node.value else {
            return self.mistyped(at, &format!("a list such as {example}"), &node.value);
        };
        let number = |item: &Node| match (&item.value, item.loose()) {
            (Value::Float(number), _) => Some(*number),
            (Value::Integer(number), _) => Some(*number as f64),
            (_, Some(text)) => text.parse().ok(),
            _ => None,
        };
        let mut numbers = Vec::new();
        for item in items {
            match number(item) {
                Some(number) => numbers.push(number),
                None => {
                    let at = at.clone().of(item);
                    return self.misread(&at, "a number such as 0.5", &item.value, item.loose());
                }
            }
        }
        Some(numbers)
    }

    /// Which attributes of the resource.
    pub(super) fn attributes(&mut self, at: &Place, node: &Node) -> Option<ResourceAttributes> {
        const EXPECTED: &str = "\"all\", \"none\" or a list of attributes such as [\"service.name\"]";
        match &node.value {
            Value::String(word) if word == "all" => Some(ResourceAttributes::All),
            Value::String(word) if word == "none" => Some(ResourceAttributes::None),
            Value::String(word) => {
                self.problem(at, format!("expected {EXPECTED}, found {word:?}"));
                None
            }
            Value::List(_) => {
                let check = |key: &str| match key {
                    "" => Err("has an attribute without a key; leave it out".to_owned()),
                    key => Ok(key.to_owned()),
                };
                let keys = self.texts(at, node, "\"service.name\" for each attribute", check)?;
                Some(ResourceAttributes::Only(keys))
            }
            other => self.mistyped(at, EXPECTED, other),
        }
    }

    pub(super) fn integer(&mut self, at: &Place, node: &Node, example: &str) -> Option<i64> {
        let number = match (&node.value, node.loose()) {
            (Value::Integer(number), _) => Some(*number),
            (_, Some(text)) => text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            let expected = format!("an integer such as {example}");
            self.misread::<()>(at, &expected, &node.value, node.loose());
        }
        number
    }

    /// A whole number that counts something.
    pub(super) fn count(&mut self, at: &Place, node: &Node, example: &str) -> Option<usize> {
        let number = self.integer(at, node, example)?;
        let number =
            usize::try_from(number).map_err(|_| format!("{number} is less than nothing; write at least 1"));
        self.checked(at, number)
    }

    /// A number that may have a fraction.
    pub(super) fn fraction(&mut self, at: &Place, node: &Node, example: &str) -> Option<f64> {
        match &node.value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            other => {
                let text = node.loose();
                match text.and_then(|text| text.parse().ok()) {
                    Some(number) => Some(number),
                    None => self.misread(at, &format!("a number such as {example}"), other, text),
                }
            }
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
                // As they are written in documents; only variables of OpenTelemetry have them in any case.
                let word = words.contains(&text.as_str()).then(|| named(text)).flatten();
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

    /// What stands for a number or a truth may be shown.
    fn misread<T>(&mut self, at: &Place, expected: &str, found: &Value, text: Option<&str>) -> Option<T> {
        let Some(text) = text else { return self.mistyped(at, expected, found) };
        self.problem(at, format!("expected {expected}, found {text:?}"));
        None
    }

    /// Names the type only: what stands there may be a secret in the wrong place.
    pub(super) fn mistyped<T>(&mut self, at: &Place, expected: &str, found: &Value) -> Option<T> {
        if found.kind() != LOST {
            self.problem(at, format!("expected {expected}, found {}", found.kind()));
        }
        None
    }

    /// Whether the key is in one of these tables; if not, that is noted.
    pub(super) fn knows(&mut self, at: &Place, key: &str, tables: &[&'static [Key]]) -> bool {
        let known = keys::find(tables, key).is_some();
        if !known {
            self.unknown(at, key, &keys::names(tables));
        }
        known
    }

    pub(super) fn unknown(&mut self, at: &Place, key: &str, known: &[&str]) {
        // To look for what was meant takes time.
        if self.is_full() {
            return self.more_problems(1);
        }
        let meant = did_you_mean(key, known);
        let expected = if meant.is_empty() { format!("; expected {}", one_of(known)) } else { meant };
        self.problem(at, format!("is not a key that is known here{expected}"));
    }
}
