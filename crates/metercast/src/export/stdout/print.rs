//! What a printing exporter does each time: reads the store, and prints it at once.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use metercast_core::{MockClock, Value};

use super::lines;
use crate::config::{StdoutConfig, Writer};
use crate::export::ending::{Ending, reading_panicked};
use crate::export::timer::Work;
use crate::log::Level;
use crate::panic::panic_message;
use crate::reader::Reader;
use crate::view::{Plan, When};

/// Prints what a store holds.
pub(crate) struct Print {
    name: String,
    writer: Option<Writer>,
    reader: Reader,
    plan: Plan,
    /// What every line ends with: the attributes of the resource, if there are some.
    resource: Vec<u8>,
    /// The memory of the last print.
    spare: Vec<u8>,
}

impl Print {
    /// The work of the exporter of this name, which prints these attributes of the resource.
    pub(crate) fn of(
        name: &str,
        config: &StdoutConfig,
        resource: &[(String, Value)],
        reader: Reader,
    ) -> Print {
        let plan = Plan::new(Arc::new(config.projection().clone()), name).read_by(&reader);
        Print {
            name: name.to_owned(),
            writer: config.writer().cloned(),
            reader,
            plan,
            resource: lines::resource(resource),
            spare: Vec::new(),
        }
    }

    /// What lines about its failures are about: another exporter may have had the name.
    fn subject(&self) -> String {
        format!("{} (print)", self.name)
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        let write = |to: &mut dyn Write| to.write_all(text).and_then(|()| to.flush());
        match &self.writer {
            Some(Writer(writer)) => write(&mut *writer.lock().unwrap_or_else(PoisonError::into_inner)),
            None => write(&mut io::stdout().lock()),
        }
    }
}

impl Work for Print {
    const LATE: &'static str = "was not printed before the deadline; does anybody read what is printed?";

    /// Reads the store and prints it; counts and logs what became of it. A writer that hangs knows no deadline.
    fn work(&mut self, _: Option<Instant>) -> Result<(), String> {
        let started = Instant::now();
        let mut text = std::mem::take(&mut self.spare);
        text.clear();
        // The reading calls into the application, and so may the writer.
        let read = catch_unwind(AssertUnwindSafe(|| {
            self.reader
                .read(|store| lines::write(&mut self.plan, store, store.time(), &self.resource, &mut text))
        }));
        for warning in self.plan.warnings() {
            self.reader.log().write_once(Level::Warn, &warning);
        }
        if matches!(read, Ok(0)) {
            self.spare = text;
            return Ok(());
        }
        let outcome = match read {
            Ok(points) => {
                let _inflight = self.reader.own().inflight(points);
                let written = catch_unwind(AssertUnwindSafe(|| self.write(&text)));
                let written = written.unwrap_or_else(|panic| Err(io::Error::other(panic_message(&*panic))));
                self.reader.own().points(points, written.as_ref().err().map(|_| "io"));
                written.map_err(|error| ("io", format!("cannot print: {error}; check where the output goes")))
            }
            Err(panic) => Err(reading_panicked(&*panic)),
        };
        self.spare = text;
        let (reader, name, subject) = (&self.reader, &self.name, &self.subject());
        Ending { reader, name, subject, again: "prints again" }.of(started, outcome)
    }

    fn clock(&self) -> Option<MockClock> {
        self.reader.store().clock().cloned()
    }

    fn begin(&mut self) {
        self.plan.commit(self.reader.store());
    }

    fn conclude(&mut self) {
        if let Some(store) = self.plan.unsaid() {
            store.read(|reading| self.plan.conclude(reading, When::AtTheEnd));
        }
        for warning in self.plan.warnings() {
            self.reader.log().write_once(Level::Warn, &warning);
        }
    }

    fn succeed(&mut self, other: &Print) {
        self.plan.succeed(other.plan.estate());
        // What the new settings come to is worth a line, whatever was said about the old ones.
        self.reader.log().settle(&self.subject());
    }
}

#[cfg(test)]
mod tests;
