//! What an exporter's thread does: waits, reads the store, pushes, and says what became of it.

use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use metercast_core::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval_at, sleep_until};

use super::answer::Accepted;
use super::client::{Answer, Client};
use super::error::{Cause, ExportError};
use super::message::OtlpMessage;
use super::settings::Settings;
use crate::log::Level;
use crate::reader::Reader;

/// Asks for a push now.
pub(super) struct Command {
    /// Until when it must be done.
    pub(super) deadline: Instant,
    /// Whether the thread ends then.
    pub(super) last: bool,
    /// Where the result goes.
    pub(super) answer: SyncSender<Result<(), ExportError>>,
}

/// The exporter, on its thread. It pushes one after the other, never two at once.
pub(super) struct Worker {
    settings: Settings,
    reader: Reader,
    message: OtlpMessage,
    /// The length of the last message, which the next will have about.
    last_length: usize,
    client: Client,
    commands: UnboundedReceiver<Command>,
    /// Commands that came while a push was under way. They need another: what was recorded just before them is
    /// not in that one.
    waiting: Vec<Command>,
}

/// The handle was dropped: nobody wants to know any more.
struct Abandoned;

/// `otel.component.type` in the exporter's own metrics.
const COMPONENT: &str = "otlp_http_metric_exporter";

/// OTLP: a client sends at most 64 MiB, before compression.
const REQUEST_LIMIT: usize = 64 << 20;

/// Most of what gzip saves, at a third of the time of its default level.
const GZIP_LEVEL: u32 = 3;

/// Longer intervals are as good as none, and would overflow the clock.
const LONGEST_INTERVAL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Worker {
    pub(super) fn new(
        settings: Settings,
        reader: Reader,
        resource: &[(String, Value)],
        commands: UnboundedReceiver<Command>,
    ) -> io::Result<Worker> {
        let client = Client::new(&settings)?;
        let reader = reader.of_exporter(&settings.name, COMPONENT);
        let message = OtlpMessage::new(resource);
        Ok(Worker { settings, reader, message, last_length: 0, client, commands, waiting: Vec::new() })
    }

    /// Works until the last command, or until the handle is dropped.
    pub(super) fn work(self, runtime: &Runtime) {
        let (name, log) = (self.settings.name.clone(), self.reader.log().clone());
        let run = AssertUnwindSafe(|| runtime.block_on(self.run()));
        if let Err(panic) = catch_unwind(run) {
            let line = format!(
                "exporter {name:?} has stopped, as its thread panicked ({:?}); please report this to metercast",
                panic_message(&*panic)
            );
            log.write(Level::Error, &line);
        }
    }

    async fn run(mut self) {
        let interval = self.settings.interval.clamp(Duration::from_millis(1), LONGEST_INTERVAL);
        let mut due = interval_at(tokio::time::Instant::now() + interval, interval);
        // After a push that took longer than the interval, the next one is due when it would have been anyway.
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            if self.waiting.is_empty() {
                tokio::select! {
                    command = self.commands.recv() => match command {
                        Some(command) => self.waiting.push(command),
                        None => return,
                    },
                    _ = due.tick() => {}
                }
            }
            while let Ok(command) = self.commands.try_recv() {
                self.waiting.push(command);
            }
            // One reading is new enough for all who have asked before it.
            let asked = std::mem::take(&mut self.waiting);
            let last = asked.iter().find(|command| command.last).map(|command| command.deadline);
            let deadline = last.or_else(|| asked.iter().map(|command| command.deadline).max());
            let result = if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                Err(ExportError::new(&self.settings.url, Cause::Deadline))
            } else {
                match self.push(deadline, last.is_some()).await {
                    Ok(result) => result,
                    Err(Abandoned) => return,
                }
            };
            for command in asked {
                // Who asked may have stopped waiting.
                let _ = command.answer.send(result.clone());
            }
            if last.is_some() {
                return;
            }
        }
    }

    /// One push, ended at `deadline` or after the exporter's timeout, whichever comes first.
    async fn push(
        &mut self,
        deadline: Option<Instant>,
        last: bool,
    ) -> Result<Result<(), ExportError>, Abandoned> {
        let started = Instant::now();
        let (points, outcome) = match self.encode() {
            Ok((_, body)) if body.is_empty() => return Ok(Ok(())),
            Ok((points, body)) => {
                let _inflight = self.reader.own().inflight(points);
                (points, self.send(body, started, deadline).await?)
            }
            Err(cause) => (0, Err(cause)),
        };
        let outcome = outcome.and_then(|answer| answer.judge(points, &self.settings));
        Ok(self.conclude(points, started.elapsed(), outcome, last))
    }

    /// Reads the store: how many points it has, and the body to send, which is empty if there are none.
    fn encode(&mut self) -> Result<(u64, Vec<u8>), Cause> {
        let mut message = Vec::with_capacity(self.last_length + self.last_length / 8);
        // The reading calls into the application, whose log may panic.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            self.reader.read(|store| self.message.encode(store, &mut message))
        }));
        let points = encoded.map_err(|panic| Cause::Panicked(panic_message(&*panic)))? as u64;
        self.last_length = message.len();
        if message.len() > REQUEST_LIMIT {
            return Err(Cause::RequestTooLarge { bytes: message.len(), limit: REQUEST_LIMIT });
        }
        let is_compressed = self.settings.gzip && !message.is_empty();
        Ok((points, if is_compressed { gzip(&message) } else { message }))
    }

    /// Sends a body and meanwhile takes commands: a last one may bring an earlier end.
    async fn send(
        &mut self,
        body: Vec<u8>,
        started: Instant,
        deadline: Option<Instant>,
    ) -> Result<Result<Answer, Cause>, Abandoned> {
        let timeout = self.settings.timeout;
        let timeout_at = timeout.and_then(|timeout| started.checked_add(timeout));
        let mut end = timeout_at.into_iter().chain(deadline).min();
        {
            let mut send = pin!(self.client.send(body.into()));
            loop {
                tokio::select! {
                    biased;
                    answer = &mut send => return Ok(answer),
                    command = self.commands.recv() => match command {
                        Some(command) => {
                            if command.last {
                                end = end.into_iter().chain([command.deadline]).min();
                            }
                            self.waiting.push(command);
                        }
                        None => return Err(Abandoned),
                    },
                    () = until(end) => break,
                }
            }
        }
        Ok(Err(match timeout {
            Some(within) if end == timeout_at => {
                Cause::Timeout { within, connected: self.client.connected() }
            }
            _ => Cause::Deadline,
        }))
    }

    /// Counts and logs what became of a push of `points`.
    fn conclude(
        &self,
        points: u64,
        took: Duration,
        outcome: Result<Accepted, Cause>,
        last: bool,
    ) -> Result<(), ExportError> {
        let count = |points, error| self.reader.own().points(points, error);
        let measure = |error| self.reader.own().operation(took, error);
        let url = &self.settings.url;
        match outcome {
            Err(cause) => {
                let error = ExportError::new(url, cause);
                count(points, Some(error.error_type()));
                measure(Some(error.error_type()));
                self.say_failure(&error, last);
                Err(error)
            }
            Ok(Accepted { rejected, says, .. }) if rejected > 0 => {
                let error = ExportError::new(url, Cause::Rejected { rejected, points, says });
                if rejected < points {
                    count(points - rejected, None);
                }
                count(rejected, Some(error.error_type()));
                measure(Some(error.error_type()));
                self.say_success(Some(&error.to_string()));
                Err(error)
            }
            Ok(Accepted { says, foreign, .. }) => {
                count(points, None);
                measure(None);
                let but = if foreign {
                    Some(format!("push to {url} got an answer that is not OTLP's; is that a collector?"))
                } else {
                    says.map(|says| format!("push to {url} was taken with a warning: {says:?}"))
                };
                self.say_success(but.as_deref());
                Ok(())
            }
        }
    }

    fn say_failure(&self, error: &ExportError, last: bool) {
        let name = &self.settings.name;
        let mut line = format!("exporter {name:?}: {error}");
        if !last {
            let and = if line.ends_with('?') { " Counts" } else { "; counts" };
            line = format!("{line}{and} are kept and go with the next push");
        }
        self.reader.log().write_rarely(Level::Error, name, &line);
    }

    /// A push arrived, perhaps with a `but`, which comes with every push and is said as rarely as a failure.
    fn say_success(&self, but: Option<&str>) {
        let Settings { name, url, .. } = &self.settings;
        let subject = format!("{name} (answers)");
        let log = self.reader.log();
        if log.settle(name) {
            log.write(Level::Info, &format!("exporter {name:?}: push to {url} works again"));
        }
        match but {
            Some(but) => log.write_rarely(Level::Warn, &subject, &format!("exporter {name:?}: {but}")),
            None => {
                log.settle(&subject);
            }
        }
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end.into()).await,
        None => std::future::pending().await,
    }
}

fn gzip(message: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    let written = encoder.write_all(message).and_then(|()| encoder.finish());
    written.expect("writing to a Vec cannot fail")
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
