//! The one place that prints: results to standard output, progress and trouble to standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// Where the demo prints.
#[derive(Debug)]
pub(crate) struct Console {
    /// Standard output is for programs: people read standard error.
    json: bool,
    /// Progress is a line that changes, not one more line each time.
    redraws: bool,
    colours: bool,
    /// Whether the last line on the terminal is progress.
    in_progress: Mutex<bool>,
}

impl Console {
    pub(crate) fn new(json: bool) -> Console {
        let redraws = io::stderr().is_terminal();
        // no-color.org: set to anything but nothing.
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colours = io::stdout().is_terminal() && !no_colour;
        Console { json, redraws, colours, in_progress: Mutex::new(false) }
    }

    /// A line for people.
    pub(crate) fn say(&self, line: &str) {
        if self.json { self.write(io::stderr(), line) } else { self.write(io::stdout(), line) }
    }

    /// A line for programs.
    pub(crate) fn result(&self, line: &str) {
        self.write(io::stdout(), line);
    }

    /// A line about something that is wrong.
    pub(crate) fn trouble(&self, line: &str) {
        self.write(io::stderr(), line);
    }

    /// How far the demo is; takes the place of the last such line on a terminal.
    pub(crate) fn progress(&self, line: &str) {
        if !self.redraws {
            return self.write(io::stderr(), line);
        }
        let mut in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(io::stderr(), "\r\x1b[2K{line}");
        *in_progress = true;
    }

    /// `good` in green or `bad` in red, where there are colours.
    pub(crate) fn verdict(&self, is_good: bool, text: &str) -> String {
        match (self.colours && !self.json, is_good) {
            (false, _) => text.to_owned(),
            (true, true) => format!("\x1b[32m{text}\x1b[0m"),
            (true, false) => format!("\x1b[31m{text}\x1b[0m"),
        }
    }

    /// Ends the line of progress, so that what others say begins one of its own.
    pub(crate) fn end_progress(&self) {
        if std::mem::take(&mut *self.in_progress.lock().unwrap_or_else(PoisonError::into_inner)) {
            let _ = writeln!(io::stderr());
        }
    }

    /// Who reads may have gone, as `head` does: then there is nothing to say to anybody.
    fn write(&self, mut to: impl Write, line: &str) {
        self.end_progress();
        let _ = writeln!(to, "{line}");
    }
}
