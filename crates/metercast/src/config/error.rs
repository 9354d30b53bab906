//! What is wrong with a configuration: every problem at once, each with its place and its mend.

use std::fmt;
use std::io;
#[cfg(feature = "config")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::filled::Filled;
use super::sources::{Source, Sources};
#[cfg(feature = "config")]
use super::tree::{Node, Written};

/// Why a configuration cannot be used: every problem that was found, one per line.
///
/// Each line says where (file and line, then the key; or the name of the environment variable), what was
/// found, and how to mend it. Secrets never show. `Debug` prints the same lines, so that a `main` that
/// returns this error is readable.
///
/// ```
/// use metercast::config::{Config, Otlp};
///
/// let error = Config::builder()
///     .environment(false)
///     .exporter("central", Otlp::to("grafana:4318"))
///     .build()
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "telemetry.exporters.central.endpoint: \"grafana:4318\" has no scheme; \
///      write http://grafana:4318 or https://grafana:4318"
/// );
/// ```
pub struct ConfigError {
    problems: Vec<Problem>,
    files: Vec<PathBuf>,
    /// How many more problems there are.
    more: usize,
}

/// The most problems, and the most warnings, that are kept: nobody mends more at once.
const MOST: usize = 100;

impl ConfigError {
    /// The problems, in the order in which they were found. There is at least one; of more than 100 these are the first,
    /// and the last line that prints says how many more there are.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The files that were read or looked for, and the folders in which a pattern looks for some, as
    /// [`Config::files`](super::Config::files) has them: if one of them changes it may be worth another try.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The same, found in these files.
    pub(super) fn in_files(self, files: Vec<PathBuf>) -> ConfigError {
        ConfigError { files, ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        if self.more > 0 { write!(f, "\nand {} more", self.more) } else { Ok(()) }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problems.iter().find_map(|problem| problem.cause.as_ref()).map(|cause| cause as _)
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug)]
pub struct Problem {
    place: Place,
    message: String,
    cause: Option<io::Error>,
}

impl Problem {
    /// The file it is in, as it was named to the builder; `None` for a value from code or the environment.
    pub fn file(&self) -> Option<&str> {
        self.place.file.as_deref()
    }

    /// The line it is on, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.place.line
    }

    /// The key (`telemetry.exporters.central.endpoint`) or the environment variable. Empty when the whole
    /// file is meant.
    pub fn key(&self) -> &str {
        &self.place.key
    }

    /// What was found and how to mend it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

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
    fn conceal(&self, message: String) -> String {
        match &self.filled {
            Some(filled) => filled.conceal(message),
            None => message,
        }
    }
}

impl Place {
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

/// A value that passed its check, or what to say about it. The place is added by whoever knows it.
pub(super) type Checked<T> = Result<T, String>;

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

/// Everything that one reading of the configuration found to say.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    /// How many problems were found behind the most that are kept.
    more_problems: usize,
    warnings: Vec<String>,
    more_warnings: usize,
    /// What holds in the end, and who says it.
    pub(super) sources: Sources,
}

impl Findings {
    /// Notes something that keeps the configuration from being used.
    pub(super) fn problem(&mut self, place: &Place, message: impl Into<String>) {
        self.add(place, message, None);
    }

    /// The same, unless it was noted already: what is said for all exporters is wrong once.
    pub(super) fn problem_once(&mut self, place: &Place, message: &str) {
        let shown = place.conceal(message.to_owned());
        let is_known = |known: &Problem| known.place == *place && known.message == shown;
        if !self.problems.iter().any(is_known) {
            self.problem(place, message);
        }
    }

    /// How many problems there are so far.
    pub(super) fn problems(&self) -> usize {
        self.problems.len() + self.more_problems
    }

    /// Whether the next problem is counted only.
    #[cfg(feature = "config")]
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MOST
    }

    /// Notes that there are more problems than those that are described.
    #[cfg(feature = "config")]
    pub(super) fn more_problems(&mut self, more: usize) {
        self.more_problems += more;
    }

    /// Notes a file that cannot be read.
    #[cfg(feature = "config")]
    pub(super) fn unreadable(&mut self, place: &Place, message: String, cause: io::Error) {
        self.add(place, message, Some(cause));
    }

    fn add(&mut self, place: &Place, message: impl Into<String>, cause: Option<io::Error>) {
        if self.problems.len() >= MOST {
            self.more_problems += 1;
            return;
        }
        let message = shortened(place.conceal(message.into()));
        let place = Place { key: shortened(place.key.clone()), over: Vec::new(), ..place.clone() };
        self.problems.push(Problem { place, message, cause });
    }

    /// Notes something that is passed over. One variable may shape several exporters, but is warned of once.
    pub(super) fn warn(&mut self, place: &Place, message: impl fmt::Display) {
        if self.warnings.len() >= MOST {
            self.more_warnings += 1;
            return;
        }
        let message = shortened(place.conceal(message.to_string()));
        let warning = shortened(format!("{place}: {message}"));
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Keeps a good value with its place, and notes what is wrong with a bad one.
    pub(super) fn take<T>(&mut self, place: &Place, checked: Checked<T>) -> Option<Given<T>> {
        match checked {
            Ok(value) => Some(Given { value, place: place.clone() }),
            Err(message) => {
                self.problem(place, message);
                None
            }
        }
    }

    /// The warnings and who says what, unless there are problems. With `forgive` the problems are warnings too.
    pub(super) fn finish(mut self, forgive: bool) -> Result<(Vec<String>, Sources), ConfigError> {
        if self.more_warnings > 0 {
            self.warnings.push(format!("and {} more warnings", self.more_warnings));
        }
        if forgive {
            self.warnings.extend(self.problems.iter().map(Problem::to_string));
            if self.more_problems > 0 {
                self.warnings.push(format!("and {} more problems", self.more_problems));
            }
        } else if !self.problems.is_empty() {
            let (problems, more) = (self.problems, self.more_problems);
            return Err(ConfigError { problems, files: Vec::new(), more });
        }
        Ok((self.warnings, self.sources))
    }
}

/// The most bytes of a key or a message that are shown.
const LONGEST: usize = 4 << 10;

/// A text that is not too long, or its begin and its end, where the mend is.
fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (begin, end) = (boundary(LONGEST / 2), boundary(text.len() - LONGEST / 4));
    format!("{} [...] {}", &text[..begin], &text[end..])
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

    #[test]
    fn all_problems_are_reported_at_once_one_per_line() {
        let mut findings = Findings::default();
        findings.problem(&Place::named("a"), "is wrong");
        findings.warn(&Place::named("b"), "is odd");
        findings.problem(&Place::named("c"), "is wrong too");
        let error = findings.finish(false).unwrap_err();
        assert_eq!(error.to_string(), "a: is wrong\nc: is wrong too");
        assert_eq!(format!("{error:?}"), error.to_string());
        assert_eq!(error.problems()[1].key(), "c");
        assert_eq!(error.problems()[1].message(), "is wrong too");
    }

    #[test]
    fn of_many_problems_the_first_hundred_are_kept_and_the_rest_is_counted() {
        let mut findings = Findings::default();
        for n in 0..1_000 {
            findings.problem(&Place::named("a"), format!("is wrong for the {n}th time"));
            findings.warn(&Place::named("b"), format!("is odd for the {n}th time"));
        }
        assert_eq!(findings.problems(), 1_000);
        let error = findings.finish(false).unwrap_err();
        assert_eq!(error.problems().len(), 100);
        let text = error.to_string();
        assert_eq!(text.lines().count(), 101);
        assert!(text.ends_with("a: is wrong for the 99th time\nand 900 more"), "{text}");
    }

    #[test]
    fn of_a_long_message_begin_and_end_are_kept() {
        let long = "ü".repeat(1 << 20);
        let mut findings = Findings::default();
        findings.problem(&Place::named(&long), format!("found {long:?}; write less"));
        let error = findings.finish(false).unwrap_err();
        assert!(error.to_string().len() < 8 << 10);
        assert!(error.problems()[0].message().starts_with("found \"ü"));
        assert!(error.problems()[0].message().ends_with("ü\"; write less"));
    }
}
