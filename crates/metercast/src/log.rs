//! What metercast says about itself: a line each, to standard error unless the application takes it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How urgent a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Nobody has asked for it: what goes wrong in an exporter that the program has for itself, see
    /// [`private_exporter`](crate::config::ConfigBuilder::private_exporter). Not written to standard error.
    Debug,
    /// As it should be: what was started, and where it can be seen.
    Info,
    /// Something was left out or replaced by a default.
    Warn,
    /// Something does not work, such as a push that failed.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warning",
            Level::Error => "error",
        })
    }
}

type Sink = dyn Fn(Level, &str) + Send + Sync;

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    sink: Arc<Sink>,
    /// When a line about this subject may be written again.
    quiet_until: Arc<Mutex<HashMap<String, Quiet>>>,
    /// Lines that are written once.
    said: Arc<Mutex<HashSet<String>>>,
}

struct Quiet {
    until: Instant,
    withheld: u64,
    /// The causes that were said, each with its line.
    causes: Vec<(String, String)>,
}

/// The most causes that are told apart while a subject is quiet.
const CAUSES: usize = 8;

/// More than a person reads; bounds the memory.
const REMEMBERED: usize = 256;

/// How long a subject is quiet after a line about it.
const QUIET: Duration = Duration::from_secs(60);

impl Log {
    /// To standard error: `metercast: error: ...`.
    pub fn stderr() -> Log {
        #[expect(clippy::print_stderr, reason = "this is the one place that writes there")]
        Log::to(|level, line| match level {
            Level::Debug => {}
            Level::Info => eprintln!("metercast: {line}"),
            _ => eprintln!("metercast: {level}: {line}"),
        })
    }

    /// To a function of the application, such as one that calls its logger. It may be called on any thread and must
    /// not block for long.
    ///
    /// ```
    /// use metercast::log::{Level, Log};
    /// # use std::sync::{Arc, Mutex};
    /// let lines = Arc::new(Mutex::new(Vec::new()));
    /// let log = Log::to({
    ///     let lines = Arc::clone(&lines);
    ///     move |level, line| lines.lock().unwrap().push(format!("{level}: {line}"))
    /// });
    /// # log.write(Level::Warn, "careful");
    /// # assert_eq!(*lines.lock().unwrap(), ["warning: careful"]);
    /// ```
    pub fn to(sink: impl Fn(Level, &str) + Send + Sync + 'static) -> Log {
        Log { sink: Arc::new(sink), quiet_until: Arc::default(), said: Arc::default() }
    }

    /// The same log, in which every line is for nobody who did not ask for it.
    pub(crate) fn hushed(&self) -> Log {
        let sink = Arc::clone(&self.sink);
        Log::to(move |_, line| sink(Level::Debug, line))
    }

    /// Writes a line. Should the application's function panic, the line is lost and nothing else.
    pub fn write(&self, level: Level, line: &str) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.sink)(level, line)));
    }

    /// Writes a line unless there was one about the same subject within a minute; the next one says how many were
    /// withheld.
    pub(crate) fn write_rarely(&self, level: Level, subject: &str, line: &str) {
        self.write_rarely_of(level, subject, "", line);
    }

    /// The same, and within that minute each other cause is let through once.
    pub(crate) fn write_rarely_of(&self, level: Level, subject: &str, cause: &str, line: &str) {
        let now = Instant::now();
        let withheld = {
            let mut quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
            match quiet.get_mut(subject) {
                Some(quiet) if now < quiet.until => {
                    let is_said = quiet.causes.iter().any(|(said, _)| said == cause);
                    if is_said || quiet.causes.len() == CAUSES {
                        quiet.withheld += 1;
                        return;
                    }
                    quiet.causes.push((cause.to_owned(), line.to_owned()));
                    0
                }
                entry => {
                    let withheld = entry.map_or(0, |quiet| quiet.withheld);
                    let causes = vec![(cause.to_owned(), line.to_owned())];
                    quiet.insert(subject.to_owned(), Quiet { until: now + QUIET, withheld: 0, causes });
                    withheld
                }
            }
        };
        // The lock is not held while a function of the application runs.
        match withheld {
            0 => self.write(level, line),
            n => self.write(level, &format!("{line} ({n} more like this in the last minute or longer)")),
        }
    }

    /// Writes a line unless the same stands for what is wrong with a subject right now.
    pub(crate) fn write_unless_said(&self, level: Level, line: &str) {
        let now = Instant::now();
        let is_said = {
            let quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
            let mut current =
                quiet.values().filter(|quiet| now < quiet.until).flat_map(|quiet| &quiet.causes);
            current.any(|(_, said)| said == line)
        };
        if !is_said {
            self.write(level, line);
        }
    }

    /// Writes a line unless the same was written before. A few hundred are remembered; then it is quiet.
    pub(crate) fn write_once(&self, level: Level, line: &str) {
        let new = {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            said.len() < REMEMBERED && said.insert(line.to_owned())
        };
        if new {
            self.write(level, line);
        }
    }

    /// Lets the next line about a subject through: what was wrong is over.
    pub(crate) fn settle(&self, subject: &str) -> bool {
        self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner).remove(subject).is_some()
    }
}

impl Default for Log {
    fn default() -> Log {
        Log::stderr()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_quiet_for_a_while_and_speaks_again_when_it_was_settled() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to({
            let lines = Arc::clone(&lines);
            move |_, line| lines.lock().unwrap().push(line.to_owned())
        });
        for n in 0..5 {
            log.write_rarely(Level::Error, "a", &format!("a{n}"));
            log.write_rarely(Level::Error, "b", &format!("b{n}"));
        }
        assert!(log.settle("a"));
        assert!(!log.settle("a"));
        log.write_rarely(Level::Error, "a", "a again");
        assert_eq!(*lines.lock().unwrap(), ["a0", "b0", "a again"]);
    }

    #[test]
    fn another_cause_is_said_at_once_and_once_and_there_are_only_so_many() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to({
            let lines = Arc::clone(&lines);
            move |_, line| lines.lock().unwrap().push(line.to_owned())
        });
        for cause in (0..20).chain(0..20) {
            log.write_rarely_of(Level::Error, "a", &cause.to_string(), &cause.to_string());
        }
        assert_eq!(*lines.lock().unwrap(), (0..8).map(|cause| cause.to_string()).collect::<Vec<_>>());
    }
}
