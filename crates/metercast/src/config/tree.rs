//! The content of a file in nobody's format: tables of values, each with its line.

/// A value and the line where it, or its key, stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    String(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
    /// Keys and values in the order of the file, each key once.
    Table(Vec<(String, Node)>),
    /// Something that no setting is; named for the message, as in "an array".
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
            Self::Other(kind) => kind,
        }
    }
}
