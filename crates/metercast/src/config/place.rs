//! Where something is said: the file, the line and the key, the variable, or the code; and values with their places.

use std::fmt;
#[cfg(feature = "config")]
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::filled::Filled;
use super::sources::Source;
#[cfg(feature = "config")]
use super::tree::{Node, Written};

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    file: Option<Arc<str>>,
    line: Option<usize>,
    key: String,
    origin: Origin,
    /// Where lower sources give the same.
    over: Vec<Place>,
    /// How the value is written, if that is not what it is.
    filled: Option<Arc<Filled>>,
}

/// The kind of source that a place without a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The program, which pins it, or a file, which has a name.
    Said,
    /// The program's own default.
    Default,
    /// An environment variable.
    Variable,
}

impl Place {
    /// A key as code gives it.
    pub(super) fn named(key: &str) -> Self {
        let key = key.to_owned();
        Self { file: None, line: None, key, origin: Origin::Said, over: Vec::new(), filled: None }
    }

    /// An environment variable.
    pub(super) fn variable(name: &str) -> Self {
        Self { origin: Origin::Variable, ..Self::named(name) }
    }

    /// The same place, said by code that does not insist.
    pub(super) fn by_default(self) -> Self {
        Self { origin: Origin::Default, ..self }
    }

    /// The place of everything about one exporter that code gives.
    pub(super) fn exporter(name: &str) -> Self {
        Self::named("telemetry.exporters").child(name)
    }

    /// The same place, one key further in.
    pub(super) fn child(&self, key: &str) -> Self {
        if self.origin == Origin::Variable {
            let key = format!("{}__{}", self.key, key.to_ascii_uppercase().replace('-', "_"));
            return Self { key, ..self.clone() };
        }
        let bare = !key.is_empty()
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let dot = if self.key.is_empty() { "" } else { "." };
        let key = if bare { format!("{}{dot}{key}", self.key) } else { format!("{}{dot}{key:?}", self.key) };
        Self { key, ..self.clone() }
    }
}

impl Place {
    /// A sentence about what is here, which shows no more of the value than is written.
    pub(super) fn conceal(&self, message: String) -> String {
        match &self.filled {
            Some(filled) => filled.conceal(message),
            None => message,
        }
    }

    /// The same place under this key, whatever lower sources say.
    pub(super) fn alone_as(&self, key: String) -> Self {
        Self { key, over: Vec::new(), ..self.clone() }
    }

    /// The file, as it was named.
    pub(super) fn in_file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The line of the file, counted from 1.
    pub(super) fn line(&self) -> Option<usize> {
        self.line
    }

    /// The same place, with a value that shows no more than that at the other.
    pub(super) fn hiding(self, other: &Place) -> Self {
        Self { filled: other.filled.clone(), ..self }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// How the value that is here is written, if that is not what it is.
    pub(super) fn filled(&self) -> Option<&Filled> {
        self.filled.as_deref()
    }

    /// Whether something that was filled in here is in this text.
    pub(super) fn has_filled(&self, text: &str) -> bool {
        let is_in = |part: &String| !part.is_empty() && text.contains(part.as_str());
        self.filled.as_ref().is_some_and(|filled| filled.parts.iter().any(is_in))
    }

    /// Where lower sources say something else, the highest first.
    pub(super) fn overruled(&self) -> &[Place] {
        &self.over
    }

    /// The source that has this place.
    pub(super) fn source(&self) -> Source {
        match (&self.file, self.origin) {
            (Some(file), _) => Source::File(file.to_string(), self.line.unwrap_or(0)),
            (None, Origin::Variable) => Source::Variable(self.key.clone()),
            (None, Origin::Default) => Source::Program,
            (None, Origin::Said) => Source::Pinned,
        }
    }

    /// An item of the list that is here, counted from 0.
    pub(super) fn item(&self, n: usize) -> Self {
        Self { key: format!("{}[{n}]", self.key), ..self.clone() }
    }
}

#[cfg(feature = "config")]
impl Place {
    /// The whole of a file.
    pub(super) fn file(name: &str) -> Self {
        Self { file: Some(name.into()), ..Self::named("") }
    }

    /// A path that is written here: in a file it starts from the file's folder.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        let folder = self.file.as_deref().and_then(|file| Path::new(file).parent());
        folder.map_or_else(|| path.into(), |folder| folder.join(path))
    }

    /// The place of this node, whose key has been added.
    pub(super) fn of(mut self, node: &Node) -> Self {
        if let Some(key) = &node.stands_for {
            self.key = key.to_string();
        }
        match &node.origin {
            Written::Variable(name) => Self { file: None, line: None, key: name.to_string(), ..self },
            Written::Filled(filled) => Self { line: Some(node.line), filled: Some(filled.clone()), ..self },
            Written::Plain => Self { line: Some(node.line), ..self },
        }
    }

    /// The same place, where the value is written as in this node.
    pub(super) fn written_as(self, node: &Node) -> Self {
        match &node.origin {
            Written::Filled(filled) => Self { filled: Some(filled.clone()), ..self },
            _ => self,
        }
    }

    /// The same place on another line.
    pub(super) fn on_line(&self, line: usize) -> Self {
        Self { line: Some(line), ..self.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}")?,
            (Some(file), None) => f.write_str(file)?,
            (None, _) => return f.write_str(&self.key),
        }
        if self.key.is_empty() { Ok(()) } else { write!(f, ": {}", self.key) }
    }
}

/// A value and where it was given.
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<T> Given<T> {
    pub(super) fn new(value: T, place: &Place) -> Self {
        Self { value, place: place.clone() }
    }

    /// This, and it remembers where a lower source gives it again.
    pub(super) fn over(mut self, mut below: Self) -> Self {
        let hidden = std::mem::take(&mut below.place.over);
        self.place.over.push(below.place);
        self.place.over.extend(hidden);
        self
    }
}

/// A value with its place.
#[cfg(feature = "config")]
pub(super) fn given<T>(place: &Place, value: Option<T>) -> Option<Given<T>> {
    value.map(|value| Given::new(value, place))
}

/// What the higher source says, or else the lower.
pub(super) fn lay<T>(above: Option<Given<T>>, below: Option<Given<T>>) -> Option<Given<T>> {
    match (above, below) {
        (Some(above), Some(below)) => Some(above.over(below)),
        (above, below) => above.or(below),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_file_line_and_key() {
        let key = Place::exporter("central").child("endpoint");
        assert_eq!(key.to_string(), "telemetry.exporters.central.endpoint");
        assert_eq!(Place::exporter("not bare").to_string(), "telemetry.exporters.\"not bare\"");
        let placed = |line| Place { file: Some("a.toml".into()), line, ..key.clone() }.to_string();
        assert_eq!(placed(Some(12)), "a.toml:12: telemetry.exporters.central.endpoint");
        assert_eq!(placed(None), "a.toml: telemetry.exporters.central.endpoint");
    }
}
