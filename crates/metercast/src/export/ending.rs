//! How a piece of work at an interval ends: it is counted, and logged if it went wrong, or goes well again.

use std::any::Any;
use std::fmt;
use std::time::Instant;

use crate::log::Level;
use crate::panic::panic_message;
use crate::reader::Reader;

/// What went wrong: in a word for the metrics, and in a sentence for who asked.
pub(super) type Trouble<K> = (K, String);

/// The application's own code is run by a reading, and may panic.
pub(super) fn reading_panicked(panic: &(dyn Any + Send)) -> Trouble<&'static str> {
    let message = panic_message(panic);
    ("panic", format!("reading the store panicked ({message:?}); please report this to metercast"))
}

/// Whose work it was.
pub(super) struct Ending<'a> {
    pub(super) reader: &'a Reader,
    /// The exporter's name.
    pub(super) name: &'a str,
    /// What lines about its failures are about: another exporter may have had the name.
    pub(super) subject: &'a str,
    /// What it does when it does it again, such as `prints again`.
    pub(super) again: &'static str,
}

impl Ending<'_> {
    /// Counts and logs what the work that started then came to, and returns it for who asked.
    pub(super) fn of<K: AsRef<str>>(
        &self,
        started: Instant,
        outcome: Result<(), Trouble<K>>,
    ) -> Result<(), String> {
        let Ending { reader, name, subject, again } = self;
        let (took, log) = (started.elapsed(), reader.log());
        let failure = outcome.as_ref().err().map(|(kind, says)| (kind.as_ref(), says as &dyn fmt::Display));
        reader.own().operation(took, failure);
        match outcome {
            Ok(()) => {
                if log.settle(subject) {
                    log.write(Level::Info, &format!("exporter {name:?}: {again}"));
                }
                Ok(())
            }
            Err((kind, message)) => {
                let line = format!("exporter {name:?}: {message}");
                log.write_rarely_of(Level::Error, subject, kind.as_ref(), &line);
                Err(message)
            }
        }
    }
}
