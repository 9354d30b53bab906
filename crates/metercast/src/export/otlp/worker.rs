//! What an exporter's thread does: waits until a push is due or asked for, and answers who asked.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use metercast_core::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::error::ExportError;
use super::exporter::{End, Exporter};
use super::settings::Settings;
use crate::export::panic::panic_message;
use crate::log::Level;
use crate::reader::Reader;

/// Asks for a push now.
pub(super) struct Command {
    /// Until when it must be done.
    pub(super) deadline: std::time::Instant,
    /// Whether the thread ends then.
    pub(super) last: bool,
    /// Where the result goes.
    pub(super) answer: SyncSender<Result<(), ExportError>>,
}

/// The commands of an exporter, as they come.
pub(super) struct Commands {
    received: UnboundedReceiver<Command>,
    /// Commands that came while a push was under way. They need another: what was recorded just before them is
    /// not in that one.
    waiting: Vec<Command>,
}

/// The handle was dropped: nobody wants to know any more.
pub(super) struct Abandoned;

impl Commands {
    pub(super) fn new(received: UnboundedReceiver<Command>) -> Commands {
        Commands { received, waiting: Vec::new() }
    }

    /// Waits for the next command; the deadline if it is the last.
    pub(super) async fn next(&mut self) -> Result<Option<Instant>, Abandoned> {
        let command = self.received.recv().await.ok_or(Abandoned)?;
        let last = command.last.then(|| Instant::from_std(command.deadline));
        self.waiting.push(command);
        Ok(last)
    }

    /// Waits until a moment, or for the next command if that comes first.
    pub(super) async fn until(&mut self, moment: Instant) -> Result<(), Abandoned> {
        tokio::select! {
            biased;
            command = self.next() => command.map(drop),
            () = sleep_until(moment) => Ok(()),
        }
    }

    /// Whether somebody waits for an answer.
    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn take(&mut self) -> Vec<Command> {
        while let Ok(command) = self.received.try_recv() {
            self.waiting.push(command);
        }
        std::mem::take(&mut self.waiting)
    }
}

/// The exporter, on its thread. It pushes one after the other, never two at once.
pub(super) struct Worker {
    exporter: Exporter,
    interval: Duration,
    commands: Commands,
}

/// Longer intervals are as good as none, and would overflow the clock.
const LONGEST_INTERVAL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Worker {
    pub(super) fn new(
        settings: Settings,
        reader: &Reader,
        resource: &[(String, Value)],
        commands: UnboundedReceiver<Command>,
    ) -> io::Result<Worker> {
        let interval = settings.interval.clamp(Duration::from_millis(1), LONGEST_INTERVAL);
        let exporter = Exporter::new(settings, reader, resource)?;
        Ok(Worker { exporter, interval, commands: Commands::new(commands) })
    }

    /// Works until the last command, or until the handle is dropped.
    pub(super) fn work(self, runtime: &Runtime) {
        let (name, log) = self.exporter.name_and_log();
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
        // The first push comes some time within the interval, so that programs that start together do not push together.
        let mut due = Instant::now() + self.exporter.part_of(self.interval);
        loop {
            if !self.commands.are_waiting() {
                let due = self.exporter.pause().map_or(due, |until| due.max(until));
                if self.commands.until(due).await.is_err() {
                    return;
                }
            }
            // One reading is new enough for all who have asked before it.
            let asked = self.commands.take();
            let last = asked.iter().find(|command| command.last).map(|command| command.deadline);
            let deadline = last.or_else(|| asked.iter().map(|command| command.deadline).max());
            let deadline = deadline.map(Instant::from_std);
            match self.exporter.push(deadline, last.is_some(), &mut self.commands).await {
                Err(Abandoned) => return,
                // Whoever came meanwhile does not want to wait, and the others get what that push brings.
                Ok(End::Interrupted) => drop(self.commands.waiting.splice(0..0, asked)),
                Ok(End::Done(result)) => {
                    for command in asked {
                        // Who asked may have stopped waiting.
                        let _ = command.answer.send(result.clone());
                    }
                    if last.is_some() {
                        return;
                    }
                }
            }
            due = next(due, self.interval);
        }
    }
}

/// The next moment of a rhythm. After a push that took longer than the interval, the next one is due when it would have
/// been anyway.
fn next(due: Instant, interval: Duration) -> Instant {
    let Some(late) = Instant::now().checked_duration_since(due) else { return due };
    let into = late.as_nanos() % interval.as_nanos();
    // The interval fits, and so does what is left of it.
    Instant::now() + interval - Duration::from_nanos(into as u64)
}

#[cfg(test)]
pub(super) use tests::Script;
#[cfg(test)]
mod tests;
