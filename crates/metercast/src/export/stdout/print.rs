//! A printing exporter at work: a thread of its own that prints at the interval, when asked, and a last time.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::lines;
use crate::config::{StdoutConfig, Writer};
use crate::export::Periodic;
use crate::export::panic::panic_message;
use crate::log::Level;
use crate::reader::Reader;
use crate::view::Plan;

/// The handle of an exporter's thread. Dropped without [`shutdown`](Periodic::shutdown), it stops at once, without a last
/// print, and is not waited for.
#[derive(Debug)]
pub(crate) struct Print {
    /// The process that has the thread. A fork has none of it, and does nothing.
    process: u32,
    /// `None` once it was shut down.
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    commands: Sender<Command>,
    thread: JoinHandle<()>,
}

/// Asks for a print now.
#[derive(Debug)]
struct Command {
    /// Whether the thread ends then.
    last: bool,
    /// Where the result goes.
    answer: SyncSender<Result<(), String>>,
}

/// The exporter, on its thread.
struct Worker {
    name: String,
    interval: Duration,
    writer: Option<Writer>,
    reader: Reader,
    plan: Plan,
    commands: Receiver<Command>,
    /// The memory of the last print.
    spare: Vec<u8>,
}

impl Print {
    /// Starts the thread. The first print is due after one interval.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub(crate) fn start(name: &str, config: &StdoutConfig, reader: Reader) -> io::Result<Print> {
        let (commands, received) = mpsc::channel();
        let worker = Worker {
            name: name.to_owned(),
            interval: config.interval(),
            writer: config.writer().cloned(),
            reader,
            plan: Plan::new(Arc::new(config.projection().clone()), name),
            commands: received,
            spare: Vec::new(),
        };
        let thread = thread::Builder::new().name(format!("metercast-{name}")).spawn(move || worker.work())?;
        let running = Mutex::new(Some(Running { commands, thread }));
        Ok(Print { process: process::id(), running })
    }

    fn ask(&self, commands: &Sender<Command>, deadline: Instant, last: bool) -> Result<(), String> {
        let (answer, answered) = mpsc::sync_channel(1);
        if commands.send(Command { last, answer }).is_err() {
            return Err(STOPPED.to_owned());
        }
        match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                Err("was not printed before the deadline; does anybody read what is printed?".to_owned())
            }
            Err(RecvTimeoutError::Disconnected) => Err(STOPPED.to_owned()),
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const STOPPED: &str = "was not printed, as the exporter was stopped";

impl Periodic for Print {
    fn flush(&self, deadline: Instant) -> Result<(), String> {
        if self.process != process::id() {
            return Ok(());
        }
        let commands = self.running().as_ref().map(|running| running.commands.clone());
        commands.map_or_else(|| Err(STOPPED.to_owned()), |commands| self.ask(&commands, deadline, false))
    }

    fn shutdown(&self, deadline: Instant) -> Result<(), String> {
        if self.process != process::id() {
            return Ok(());
        }
        let Some(running) = self.running().take() else { return Ok(()) };
        let result = self.ask(&running.commands, deadline, true);
        // One that hangs in the writer cannot be waited for.
        if running.thread.is_finished() || result.is_ok() {
            let _ = running.thread.join();
        }
        result
    }
}

impl Worker {
    fn work(mut self) {
        let mut due = Instant::now() + self.interval;
        loop {
            let command = match self.commands.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if command.is_none() {
                due = next(due, self.interval, Instant::now());
            }
            let result = self.print();
            let last = command.as_ref().is_some_and(|command| command.last);
            if let Some(command) = command {
                // Who asked may have stopped waiting.
                let _ = command.answer.send(result);
            }
            if last {
                return;
            }
        }
    }

    /// Reads the store and prints it; counts and logs what became of it.
    fn print(&mut self) -> Result<(), String> {
        let started = Instant::now();
        let mut text = std::mem::take(&mut self.spare);
        text.clear();
        // The reading calls into the application, and so may the writer.
        let read = catch_unwind(AssertUnwindSafe(|| {
            self.reader.read(|store| lines::write(&mut self.plan, store, SystemTime::now(), &mut text))
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
            Err(panic) => {
                let message = panic_message(&*panic);
                Err((
                    "panic",
                    format!("reading the store panicked ({message:?}); please report this to metercast"),
                ))
            }
        };
        self.spare = text;
        self.reader.own().operation(started.elapsed(), outcome.as_ref().err().map(|(kind, _)| *kind));
        let (name, log) = (&self.name, self.reader.log());
        match outcome {
            Ok(()) => {
                if log.settle(name) {
                    log.write(Level::Info, &format!("exporter {name:?}: prints again"));
                }
                Ok(())
            }
            Err((_, message)) => {
                log.write_rarely(Level::Error, name, &format!("exporter {name:?}: {message}"));
                Err(message)
            }
        }
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        let write = |to: &mut dyn Write| to.write_all(text).and_then(|()| to.flush());
        match &self.writer {
            Some(Writer(writer)) => write(&mut *writer.lock().unwrap_or_else(PoisonError::into_inner)),
            None => write(&mut io::stdout().lock()),
        }
    }
}

/// The first time after `now` that is a whole number of intervals after `due`: a print that took longer skips some.
fn next(due: Instant, interval: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due).as_nanos() / interval.as_nanos().max(1);
    let skipped = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
    interval.checked_mul(skipped).and_then(|time| due.checked_add(time)).unwrap_or(now + interval)
}

#[cfg(test)]
mod tests;
