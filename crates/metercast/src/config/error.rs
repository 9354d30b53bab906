//! What is wrong with a configuration: every problem at once, each with its place and its mend.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::env;
use super::place::{Given, Place};
use super::sources::{Source, Sources};

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
        self.place.in_file()
    }

    /// The line it is on, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.place.line()
    }

    /// The key (`telemetry.exporters.central.endpoint`) or the environment variable. Empty when the whole
    /// file is meant.
    pub fn key(&self) -> &str {
        self.place.key()
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

/// A value that passed its check, or what to say about it. The place is added by whoever knows it.
pub(super) type Checked<T> = Result<T, String>;

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
        let place = place.alone_as(shortened(place.key().to_owned()));
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

    /// The problems as one text, if there are some and all are with standard variables.
    pub(super) fn only_of_standard_variables(&self) -> Option<String> {
        let is_standard = |problem: &Problem| matches!(problem.place.source(), Source::Variable(name) if env::is_standard(&name));
        let all: Vec<String> = self.problems.iter().map(Problem::to_string).collect();
        (!all.is_empty() && self.problems.iter().all(is_standard)).then(|| all.join("; "))
    }

    /// Takes what a part of the configuration found; its problems only if they are not `forgiven`.
    pub(super) fn absorb(&mut self, part: Findings, forgiven: bool) {
        for warning in part.warnings {
            if self.warnings.len() >= MOST {
                self.more_warnings += 1;
            } else if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        self.more_warnings += part.more_warnings;
        if !forgiven {
            for problem in part.problems {
                if self.problems.len() >= MOST {
                    self.more_problems += 1;
                } else {
                    self.problems.push(problem);
                }
            }
            self.more_problems += part.more_problems;
        }
        self.sources.absorb(part.sources);
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
