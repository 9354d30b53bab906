//! An exporter at work: a thread of its own that pushes at the interval, when asked, and a last time.

use std::fmt;
use std::io;
use std::mem;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use metercast_core::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::change::Change;
use super::error::{Cause, ExportError};
use super::message::OtlpMessage;
use super::settings::Settings;
use super::worker::{Ask, Beginning, Command, Worker};
use crate::export::Periodic;
use crate::reader::Reader;

/// The handle of an exporter's thread. The thread has a small Tokio runtime of its own, so that it works whatever
/// runtime surrounds it, and whatever becomes of a push is none of the application's business.
///
/// Dropped without [`shutdown`](Push::shutdown), it stops at once, without a last push, and is not waited for.
pub(crate) struct Push {
    name: String,
    url: Mutex<Arc<str>>,
    /// The process that has the thread. A fork has none of it, and does nothing.
    process: u32,
    /// `None` once it was shut down.
    running: Mutex<Option<Running>>,
    /// What was left then.
    told: Mutex<Told>,
}

/// How long the thread may take to say what became of a push.
const SAYING: Duration = Duration::from_millis(50);

/// What is known of deliveries, if there is more to know than that they were totals.
type Told = Option<Box<OtlpMessage>>;

/// Says, perhaps after a while, what an exporter had told that is gone; `None` if nothing is known of one.
pub(crate) type Heritage = Box<dyn FnOnce() -> Option<Box<OtlpMessage>> + Send>;

/// Who works, and what it goes on with.
type Begin = (Box<Worker>, Option<Heritage>);

struct Running {
    /// What the thread waits for, and where it is handed over; or dropped.
    begin: Option<(Box<Worker>, mpsc::Sender<Begin>)>,
    commands: UnboundedSender<Command>,
    thread: JoinHandle<Told>,
    /// Disconnected when the thread is about to end: a `JoinHandle` cannot be waited for until a deadline.
    ended: mpsc::Receiver<()>,
}

impl Push {
    /// Starts the thread, which does nothing before [`begin`](Push::begin).
    ///
    /// # Errors
    ///
    /// The system gives no thread or no event queue, a file of certificates cannot be used, or a setting is one that HTTP
    /// cannot carry.
    pub(crate) fn prepare(
        settings: Settings,
        reader: &Reader,
        resource: &[(String, Value)],
    ) -> io::Result<Push> {
        let name = settings.name.clone();
        let url = Mutex::new(settings.url.as_str().into());
        let (commands, received) = unbounded_channel();
        let worker = Box::new(Worker::new(settings, reader, resource, received)?);
        let (end, ended) = mpsc::channel();
        let (start, started) = mpsc::sync_channel(1);
        let (begin, begins) = mpsc::channel::<Begin>();
        let thread = thread::Builder::new().name(format!("metercast-otlp-{name}").replace('\0', "")).spawn(
            move || {
                // Dropped last, also when something panics.
                let _end: mpsc::Sender<()> = end;
                // Built here, since a runtime must not be dropped inside another one, should anything fail.
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_io()
                    .enable_time()
                    // One name at a time is looked up.
                    .max_blocking_threads(1)
                    .build();
                match runtime {
                    Ok(runtime) => {
                        let _ = start.send(Ok(()));
                        let told = begins.recv().ok().and_then(|(worker, heritage)| {
                            let beginning = heritage.map_or(Beginning::Start, |heritage| {
                                heritage().map_or(Beginning::Now, Beginning::At)
                            });
                            worker.work(beginning, &runtime)
                        });
                        // A name that is being looked up cannot be interrupted, and is not worth waiting for.
                        runtime.shutdown_background();
                        told
                    }
                    Err(error) => {
                        let _ = start.send(Err(error));
                        None
                    }
                }
            },
        )?;
        started.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended at once")))?;
        let running = Mutex::new(Some(Running { begin: Some((worker, begin)), commands, thread, ended }));
        Ok(Push { name, url, process: process::id(), running, told: Mutex::default() })
    }

    /// Begins to push. The first push comes some time within the first interval. With a heritage the program runs already:
    /// what another exporter of the name had told is not told again (if it has not ended yet, that is waited for), and if there
    /// was none, deltas count from now on.
    pub(crate) fn begin(&self, heritage: Option<Heritage>) {
        if let Some((mut worker, begin)) = self.running().as_mut().and_then(|running| running.begin.take()) {
            worker.begin();
            let _ = begin.send((worker, heritage));
        }
    }

    /// What it has told, once it was shut down; nothing if that does not matter, or did not come to an end.
    pub(crate) fn told(&self) -> Option<Box<OtlpMessage>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Goes on with other settings, once what there is was pushed with the old ones, or `deadline` has come. Does not wait
    /// for it.
    pub(crate) fn change(&self, change: Change, deadline: Instant) {
        *self.url() = change.settings.url.as_str().into();
        if let Some(running) = &*self.running() {
            let _ = running.commands.send(Command::Change(Box::new(change), deadline));
        }
    }

    /// Whether the thread takes commands. It does not once it was shut down, or has panicked.
    pub(crate) fn is_alive(&self) -> bool {
        !self.is_forked() && self.running().as_ref().is_some_and(|running| !running.commands.is_closed())
    }

    /// Collects and pushes now, after a push that is under way. Blocks until it is done, at most until `deadline`;
    /// that is allowed inside a Tokio runtime too.
    ///
    /// # Errors
    ///
    /// Why not everything was handed over by then.
    pub(crate) fn flush(&self, deadline: Instant) -> Result<(), ExportError> {
        if self.is_forked() {
            return Ok(());
        }
        let commands = self.running().as_ref().map(|running| running.commands.clone());
        match commands {
            Some(commands) => self.ask(&commands, deadline, false),
            None => Err(self.error(Cause::Stopped)),
        }
    }

    /// Lets a push that is under way finish, collects and pushes a last time, and ends the thread; all of it at most
    /// until `deadline`. Nothing more the second time.
    ///
    /// # Errors
    ///
    /// Why not everything was handed over by then.
    pub(crate) fn shutdown(&self, deadline: Instant) -> Result<(), ExportError> {
        if self.is_forked() {
            return Ok(());
        }
        let Some(running) = self.running().take() else { return Ok(()) };
        let result = self.ask(&running.commands, deadline, true);
        let left = deadline.saturating_duration_since(Instant::now());
        if running.ended.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
            // What its thread says by a panic, the log has already.
            if let Ok(told) = running.thread.join() {
                *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
            }
        }
        result
    }

    fn ask(
        &self,
        commands: &UnboundedSender<Command>,
        deadline: Instant,
        last: bool,
    ) -> Result<(), ExportError> {
        let (answer, answered) = mpsc::sync_channel(1);
        // A little earlier for the thread, so that what it has to say comes in time.
        let left = deadline.saturating_duration_since(Instant::now());
        let ask = Ask { deadline: deadline - (left / 20).min(SAYING), last, answer };
        if commands.send(Command::Push(ask)).is_err() {
            return Err(self.error(Cause::Stopped));
        }
        match answered.recv_timeout(left) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(self.error(Cause::Deadline { connected: false })),
            Err(RecvTimeoutError::Disconnected) => Err(self.error(Cause::Stopped)),
        }
    }

    fn error(&self, cause: Cause) -> ExportError {
        ExportError::new(&self.url(), cause)
    }

    fn url(&self) -> std::sync::MutexGuard<'_, Arc<str>> {
        self.url.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_forked(&self) -> bool {
        self.process != process::id()
    }
}

impl Periodic for Push {
    fn flush(&self, deadline: Instant) -> Result<(), String> {
        Push::flush(self, deadline).map_err(|error| error.to_string())
    }

    fn shutdown(&self, deadline: Instant) -> Result<(), String> {
        Push::shutdown(self, deadline).map_err(|error| error.to_string())
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        let is_forked = self.is_forked();
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if is_forked {
            // Waking the thread would reach into the parent, with which a fork shares the event queue.
            mem::forget(running);
        } else if let Some(Running { begin: Some(begin), thread, .. }) = running {
            // It has not begun, so it ends at once.
            drop(begin);
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("name", &self.name).field("url", &*self.url()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod receiver;
#[cfg(test)]
pub(in crate::export) mod tests;
