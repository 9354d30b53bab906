//! What is said of a reload.

use std::any::Any;

use super::error::ReloadError;
use super::reloaded::Reloaded;
use super::running::{BY_SECOND_LOOK, BY_WATCH};
use crate::log::{Level, Log};
use crate::panic::panic_message;

/// What became of a reload, for the log and for people.
#[derive(Clone, PartialEq)]
pub(super) struct Said {
    outcome: Outcome,
    pub(super) line: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Unchanged,
    Made,
    Refused,
    /// Metercast's part was made, and the program's own was not.
    Halved,
}

impl Said {
    pub(super) fn made(reloaded: &Reloaded) -> Said {
        let outcome = if reloaded.is_unchanged() { Outcome::Unchanged } else { Outcome::Made };
        Said { outcome, line: reloaded.to_string() }
    }

    pub(super) fn refused(error: &ReloadError) -> Said {
        Said { outcome: Outcome::Refused, line: error.to_string().replace('\n', "; ") }
    }

    /// The program panicked when it was to read its configuration.
    pub(super) fn unread(panic: &(dyn Any + Send)) -> Said {
        let line = format!("the program panicked when it was to read it: {}", one_line(panic));
        Said { outcome: Outcome::Refused, line }
    }

    /// The program panicked when it was to do its part of a configuration that holds.
    pub(super) fn halved(reloaded: &Reloaded, panic: &(dyn Any + Send)) -> Said {
        let line =
            format!("{reloaded}; the program panicked when it was to do its own part: {}", one_line(panic));
        Said { outcome: Outcome::Halved, line }
    }

    /// Whether all of it holds.
    pub(super) fn is_success(&self) -> bool {
        matches!(self.outcome, Outcome::Unchanged | Outcome::Made)
    }

    /// Tells the log, unless it is no news behind what was said before.
    pub(super) fn write(&self, log: &Log, by: &str, before: Option<&Said>) {
        let was_good = before.is_none_or(Said::is_success);
        let is_idle = was_good && self.outcome == Outcome::Unchanged;
        if (is_idle && [BY_WATCH, BY_SECOND_LOOK].contains(&by))
            || (before == Some(self) && by == BY_SECOND_LOOK)
        {
            return;
        }
        let line = &self.line;
        match self.outcome {
            Outcome::Unchanged | Outcome::Made => {
                log.write(Level::Info, &format!("configuration reloaded by {by}: {line}"));
            }
            Outcome::Refused => {
                log.write(
                    Level::Error,
                    &format!("configuration not reloaded by {by}, the old one holds: {line}"),
                );
            }
            Outcome::Halved => {
                log.write(
                    Level::Error,
                    &format!("configuration reloaded by {by}, but not all of it: {line}"),
                );
            }
        }
    }
}

fn one_line(panic: &(dyn Any + Send)) -> String {
    panic_message(panic).replace('\n', "; ")
}
