//! What an exporter's thread does: waits until a push is due or asked for, and answers who asked.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use metercast_core::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::change::Change;
use super::error::ExportError;
use super::exporter::{End, Exporter};
use super::message::OtlpMessage;
use super::pace::Pace;
use super::settings::Settings;
use crate::log::Level;
use crate::panic::panic_message;
use crate::reader::Reader;

/// What the handle asks of the thread.
pub(super) enum Command {
    Push(Ask),
    /// Goes on with other settings. First what there is goes out with the old ones, until the moment.
    Change(Box<Change>, std::time::Instant),
}

/// Asks for a push now.
pub(super) struct Ask {
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

/// What is to be done next.
struct Turn {
    /// Who asks for a push with the settings that hold.
    asked: Vec<Ask>,
    /// What follows it, with the moment until when it may have to wait.
    change: Option<(Box<Change>, Instant)>,
}

/// The handle was dropped: nobody wants to know any more.
pub(super) struct Abandoned;

impl Commands {
    pub(super) fn new(received: UnboundedReceiver<Command>) -> Commands {
        Commands { received, waiting: Vec::new() }
    }

    /// Waits for the next command; its deadline if what is under way must be over by then.
    pub(super) async fn next(&mut self) -> Result<Option<Instant>, Abandoned> {
        let command = self.received.recv().await.ok_or(Abandoned)?;
        let end = match &command {
            Command::Push(ask) => ask.last.then_some(ask.deadline),
            Command::Change(_, deadline) => Some(*deadline),
        };
        self.waiting.push(command);
        Ok(end.map(Instant::from_std))
    }

    /// Waits until a moment, or for the next command if that comes first.
    pub(super) async fn until(&mut self, moment: Instant) -> Result<(), Abandoned> {
        self.unless(sleep_until(moment)).await
    }

    /// Waits for this, or for the next command if that comes first.
    async fn unless(&mut self, wait: impl Future<Output = ()>) -> Result<(), Abandoned> {
        tokio::select! {
            biased;
            command = self.next() => command.map(drop),
            () = wait => Ok(()),
        }
    }

    /// Whether somebody waits for an answer, or to change something.
    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the last push was asked for.
    fn are_over(&self) -> bool {
        self.waiting.iter().any(|command| matches!(command, Command::Push(ask) if ask.last))
    }

    fn are_changing(&self) -> bool {
        self.waiting.iter().any(|command| matches!(command, Command::Change(..)))
    }

    /// Takes what came. Of several changes the last one counts; who asks after a change waits for it.
    fn take(&mut self) -> Turn {
        while let Ok(command) = self.received.try_recv() {
            self.waiting.push(command);
        }
        let mut turn = Turn { asked: Vec::new(), change: None };
        for command in std::mem::take(&mut self.waiting) {
            match command {
                Command::Change(change, deadline) => {
                    turn.change = Some((change, Instant::from_std(deadline)));
                }
                Command::Push(ask) if turn.change.is_none() => turn.asked.push(ask),
                Command::Push(_) => self.waiting.push(command),
            }
        }
        turn
    }

    /// Who asked waits on, before those who came later.
    fn put_back(&mut self, asked: Vec<Ask>) {
        drop(self.waiting.splice(0..0, asked.into_iter().map(Command::Push)));
    }
}

/// The exporter, on its thread. It pushes one after the other, never two at once.
pub(super) struct Worker {
    exporter: Exporter,
    pace: Pace,
    interval: Duration,
    commands: Commands,
}

/// Within this time the first push comes that goes another way than before.
const SOON: Duration = Duration::from_secs(1);

/// Longer intervals are as good as none, and would overflow the clock.
const LONGEST_INTERVAL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Since when a push of deltas counts.
pub(super) enum Beginning {
    /// Since the store began.
    Start,
    /// Since it begins.
    Now,
    /// Since what another one had told.
    At(Box<OtlpMessage>),
}

impl Worker {
    pub(super) fn new(
        settings: Settings,
        reader: &Reader,
        resource: &[(String, Value)],
        commands: UnboundedReceiver<Command>,
    ) -> io::Result<Worker> {
        let interval = interval_of(&settings);
        let (exporter, pace) = (Exporter::new(settings, reader, resource)?, Pace::of(reader.store()));
        Ok(Worker { exporter, pace, interval, commands: Commands::new(commands) })
    }

    /// Asks the store for what it needs, before its thread has begun.
    pub(super) fn begin(&mut self) {
        self.exporter.begin();
    }

    /// Works until the last command, or until the handle is dropped.
    /// Returns what is known of deliveries, if there is more to know than that they were totals.
    pub(super) fn work(mut self, beginning: Beginning, runtime: &Runtime) -> Option<Box<OtlpMessage>> {
        let (name, log) = self.exporter.name_and_log();
        let run = AssertUnwindSafe(|| {
            match beginning {
                Beginning::Start => {}
                Beginning::Now => self.exporter.begin_now(),
                Beginning::At(told) => self.exporter.take_up(*told),
            }
            runtime.block_on(self.run())
        });
        catch_unwind(run).unwrap_or_else(|panic| {
            let line = format!(
                "exporter {name:?} has stopped, as its thread panicked ({:?}); please report this to metercast",
                panic_message(&*panic)
            );
            log.write(Level::Error, &line);
            None
        })
    }

    async fn run(mut self) -> Option<Box<OtlpMessage>> {
        let mut due = self.first(self.interval);
        loop {
            if !self.commands.are_waiting() {
                let (pace, pause) = (&mut self.pace, self.exporter.pause());
                let wait = async {
                    pace.reached(due).await;
                    if let Some(until) = pause {
                        sleep_until(until).await;
                    }
                };
                if self.commands.unless(wait).await.is_err() {
                    return None;
                }
            }
            let Turn { asked, change } = self.commands.take();
            if let Some((change, deadline)) = change {
                match self.change(asked, *change, deadline).await {
                    Err(Abandoned) => return None,
                    Ok(soon) => due = due.min(soon),
                }
                continue;
            }
            // One reading is new enough for all who have asked before it.
            let last = asked.iter().find(|ask| ask.last).map(|ask| ask.deadline);
            let deadline = last.or_else(|| asked.iter().map(|ask| ask.deadline).max());
            let deadline = deadline.map(Instant::from_std);
            match self.exporter.push(deadline, last.is_some(), &mut self.commands).await {
                Err(Abandoned) => return None,
                // Whoever came meanwhile does not want to wait, and the others get what that push brings.
                Ok(End::Interrupted) => self.commands.put_back(asked),
                // It may have been cut short for the change, and the new settings may do better.
                Ok(End::Done(Err(_))) if last.is_none() && self.commands.are_changing() => {
                    self.commands.put_back(asked);
                }
                Ok(End::Done(result)) => {
                    answer(asked, &result);
                    if last.is_some() {
                        return self.exporter.told().map(Box::new);
                    }
                }
            }
            due = next(due, self.interval, self.pace.now());
        }
    }

    /// When the first push is due: some time within this, so that programs that start together do not push together. A test knows when.
    fn first(&mut self, within: Duration) -> Instant {
        let after = if self.pace.is_mocked() { within } else { self.exporter.part_of(within) };
        self.pace.now() + after
    }

    /// Goes on with other settings, after a push with the old ones, which who asked before gets if it succeeds. Returns when
    /// the first with the new ones is due at the latest.
    async fn change(
        &mut self,
        asked: Vec<Ask>,
        change: Change,
        deadline: Instant,
    ) -> Result<Instant, Abandoned> {
        let mut waiting = asked;
        // Before the last push there is no time for another.
        if !self.exporter.says_as(&change) && !self.commands.are_over() {
            self.exporter.announce(&change);
            let pushed = self.exporter.push(Some(deadline), false, &mut self.commands).await?;
            if let End::Done(result @ Ok(())) = pushed {
                answer(std::mem::take(&mut waiting), &result);
            }
        }
        self.commands.put_back(waiting);
        self.interval = interval_of(&change.settings);
        let is_elsewhere = self.exporter.change(change);
        // Whether the new way works is to be known soon.
        let within = if is_elsewhere { self.interval.min(SOON) } else { self.interval };
        Ok(self.first(within))
    }
}

fn answer(asked: Vec<Ask>, result: &Result<(), ExportError>) {
    for ask in asked {
        // Who asked may have stopped waiting.
        let _ = ask.answer.send(result.clone());
    }
}

fn interval_of(settings: &Settings) -> Duration {
    settings.interval.clamp(Duration::from_millis(1), LONGEST_INTERVAL)
}

/// The next moment of a rhythm. After a push that took longer than the interval, the next one is due when it would have
/// been anyway.
fn next(due: Instant, interval: Duration, now: Instant) -> Instant {
    let Some(late) = now.checked_duration_since(due) else { return due };
    let into = late.as_nanos() % interval.as_nanos();
    // The interval fits, and so does what is left of it.
    now + interval - Duration::from_nanos(into as u64)
}

#[cfg(test)]
pub(super) use tests::Script;
#[cfg(test)]
mod tests;
