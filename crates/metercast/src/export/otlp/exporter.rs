//! One push: reads the store, sends its requests one after the other, and follows each as the rules of [`Retry`] say.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metercast_core::Value;
use tokio::time::{Instant, sleep_until};

use super::answer::Accepted;
use super::change::Change;
use super::error::{Cause, ExportError, Failure};
use super::message::OtlpMessage;
use super::outcome::Outcome;
use super::report::{Report, Reporter};
use super::request::Request;
use super::retry::{Fate, Next, Past, Retry};
use super::settings::Settings;
use super::transport::Transport;
use super::worker::{Abandoned, Commands};
use crate::log::{Level, Log};
use crate::panic::panic_message;
use crate::reader::Reader;
use crate::view::Plan;

/// Pushes what a store holds. What is not delivered waits in the store, or is held here if its fate is not known.
pub(super) struct Exporter {
    settings: Settings,
    reader: Reader,
    resource: Vec<(String, Value)>,
    message: OtlpMessage,
    transport: Transport,
    retry: Retry,
    reporter: Reporter,
    /// What must be sent again byte by byte, and before anything else.
    held: Vec<Outgoing>,
    /// How many points of a reading come before those that the next push begins with, if the last one did not get to them.
    begin_at: u64,
}

/// A request on its way.
struct Outgoing {
    request: Request,
    /// How many points of its reading come before it.
    before: u64,
    /// How long the message is.
    length: usize,
    /// The message as it is sent, once it was packed.
    packed: Option<Bytes>,
    past: Past,
}

/// How a push ended.
pub(super) enum End {
    Done(Result<(), ExportError>),
    /// Somebody asks for a push, and this one was about to wait.
    Interrupted,
}

impl Exporter {
    pub(super) fn new(
        settings: Settings,
        reader: &Reader,
        resource: &[(String, Value)],
    ) -> io::Result<Exporter> {
        let reader = reader.of_exporter(&settings.name, Transport::component(&settings));
        Ok(Exporter {
            message: OtlpMessage::with_plan(resource, settings.options, plan_of(&settings, &reader)),
            transport: Transport::new(&settings)?,
            retry: Retry::new(settings.backoff, settings.options.max_request_bytes),
            reporter: Reporter::new(&settings, &reader),
            held: Vec::new(),
            begin_at: 0,
            resource: resource.to_vec(),
            settings,
            reader,
        })
    }

    /// Asks the store for what its messages need. Until then it asks for nothing.
    pub(super) fn begin(&mut self) {
        self.message.prepare(self.reader.store());
    }

    /// Deltas count from now on.
    pub(super) fn begin_now(&mut self) {
        self.message.begin_now(self.reader.store());
    }

    /// Goes on where another exporter of the name has ended.
    pub(super) fn take_up(&mut self, mut told: OtlpMessage) {
        let plan = plan_of(&self.settings, &self.reader);
        told.reshape_with(self.reader.store(), &self.resource, self.settings.options, plan);
        self.message = told;
    }

    /// What is known of deliveries, once it has ended.
    pub(super) fn told(mut self) -> Option<OtlpMessage> {
        self.message.conclude();
        for warning in self.message.warnings() {
            self.reader.log().write_once(Level::Warn, &warning);
        }
        self.message.at_rest()
    }

    /// What is pushed next is the last with these settings.
    pub(super) fn announce(&mut self, change: &Change) {
        self.message.announce(&change.settings.options);
    }

    /// Whether the other settings say the same to the same receiver.
    pub(super) fn says_as(&self, change: &Change) -> bool {
        self.settings.says_as(&change.settings) && self.resource == change.resource
    }

    /// Goes on with other settings. What has not arrived goes with them: what may have arrived byte by byte, if it goes where
    /// it went before and as it was packed; otherwise it is read anew. Returns whether requests go another way than before.
    pub(super) fn change(&mut self, change: Change) -> bool {
        let is_elsewhere = !self.settings.says_as(&change.settings);
        if !self.settings.sends_as(&change.settings) {
            // None of it was acknowledged, so all of it is in the next reading.
            self.held.clear();
        }
        let Change { settings, transport, resource } = change;
        self.reader = self.reader.of_exporter(&settings.name, Transport::component(&settings));
        if !self.is_same_shape(&settings, &resource) {
            let plan = plan_of(&settings, &self.reader);
            self.message.reshape_with(self.reader.store(), &resource, settings.options, plan);
            self.begin_at = 0;
        }
        self.transport = transport;
        self.retry = Retry::new(settings.backoff, settings.options.max_request_bytes);
        self.reporter = Reporter::new(&settings, &self.reader);
        // What the new settings come to is worth a line, whatever was said about the old ones.
        self.reader.log().settle(&settings.name);
        (self.settings, self.resource) = (settings, resource);
        is_elsewhere
    }

    /// Sends by another transport than the settings say.
    #[cfg(test)]
    pub(super) fn by(self, transport: Transport) -> Exporter {
        Exporter { transport, ..self }
    }

    pub(super) fn name_and_log(&self) -> (String, Log) {
        (self.settings.name.clone(), self.reader.log().clone())
    }

    /// Whether messages look as they do now.
    fn is_same_shape(&self, settings: &Settings, resource: &[(String, Value)]) -> bool {
        self.settings.options == settings.options
            && self.settings.projection == settings.projection
            && self.resource == resource
    }

    /// Until when no push makes sense unless somebody asks for it.
    pub(super) fn pause(&self) -> Option<Instant> {
        self.retry.pause(false)
    }

    /// A part of a duration that differs from process to process.
    pub(super) fn part_of(&mut self, duration: Duration) -> Duration {
        self.retry.part_of(duration)
    }

    /// One push with all its attempts, until `deadline` (which it has if somebody asked for it) or for the exporter's
    /// timeout, whichever comes first. After the `last` one there is no other.
    pub(super) async fn push(
        &mut self,
        deadline: Option<Instant>,
        last: bool,
        commands: &mut Commands,
    ) -> Result<End, Abandoned> {
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Ok(End::Done(self.conclude_unsent(Cause::Deadline { connected: false }, last)));
        }
        if let Some(until) = self.retry.pause(deadline.is_some()).filter(|until| *until > now) {
            if deadline.is_some_and(|deadline| until >= deadline) {
                return Ok(End::Done(self.conclude_unsent(Cause::Silence { left: until - now }, last)));
            }
            commands.until(until).await?;
            if commands.are_waiting() {
                return Ok(End::Interrupted);
            }
        }
        let mut report = Report::new();
        let is_done = self.send_all(deadline, &mut report, commands).await?;
        Ok(if is_done { End::Done(self.conclude(report, last)) } else { End::Interrupted })
    }

    /// Sends what is held, then what the store has; false if it was interrupted.
    async fn send_all(
        &mut self,
        deadline: Option<Instant>,
        report: &mut Report,
        commands: &mut Commands,
    ) -> Result<bool, Abandoned> {
        let mut limit = Limit::new(&self.settings, deadline);
        let mut queue = VecDeque::from(std::mem::take(&mut self.held));
        // Whether a part of the last reading has arrived.
        let mut is_partly_taken = false;
        let mut is_done = true;
        loop {
            let Some(mut outgoing) = queue.pop_front() else {
                if !report.is_unread {
                    self.begin_at = 0;
                    break;
                }
                // What is held must not be read again beside it.
                if !self.held.is_empty() {
                    break;
                }
                match self.read() {
                    Ok(requests) => queue.extend(requests),
                    Err(cause) => {
                        report.failed(cause.into());
                        break;
                    }
                }
                (report.is_unread, report.merged, is_partly_taken) = (false, 0, false);
                report.left_out = self.message.left_out();
                continue;
            };
            let points = outgoing.request.points;
            let behind = outgoing.before + points;
            let attempt = self.attempt(&mut outgoing, &mut limit, commands).await?;
            let (outcome, wait) = match &attempt {
                Ok(_) => (Outcome::Taken, None),
                Err(failure) => (self.outcome(failure, &outgoing), failure.wait),
            };
            let (fate, next) =
                self.retry.after(outcome, outgoing.past, outgoing.length, wait, Instant::now());
            let waits = matches!(next, Next::At(_));
            if matches!(fate, Fate::Delivered | Fate::GivenUp) {
                self.begin_at = behind;
            }
            match attempt {
                Ok(accepted) => {
                    is_partly_taken = true;
                    self.reporter.taken(accepted, points, report);
                }
                Err(failure) if fate == Fate::GivenUp => {
                    self.reporter.given_up(failure.cause, points, report);
                }
                // What is not waited for is not said either.
                Err(Failure { cause, wait }) => {
                    report.failed(Failure { cause, wait: wait.filter(|_| waits) });
                }
            }
            match fate {
                Fate::Delivered => self.message.delivered(outgoing.request),
                Fate::GivenUp => self.message.given_up(outgoing.request),
                Fate::Held(past) => {
                    outgoing.past = past;
                    if waits {
                        queue.push_front(outgoing);
                    } else {
                        self.held.push(outgoing);
                    }
                }
                // The rest of a reading of which a part has arrived follows as it is: a receiver that takes so many requests a
                // second would otherwise never see the last one.
                Fate::Merged if waits && (is_partly_taken || !self.held.is_empty()) => {
                    queue.push_front(outgoing);
                }
                Fate::Merged => {
                    report.merged += points;
                    queue.retain(|other| {
                        report.merged += if other.past.holds() { 0 } else { other.request.points };
                        other.past.holds()
                    });
                    report.is_unread = true;
                }
            }
            match next {
                Next::Now => {}
                Next::WhenDue => break,
                Next::At(at) if !limit.leaves_time_until(at) => break,
                Next::At(at) => {
                    if !commands.are_waiting() {
                        commands.until(at).await?;
                    }
                    if commands.are_waiting() {
                        is_done = false;
                        break;
                    }
                }
            }
        }
        for outgoing in queue {
            if outgoing.past.holds() {
                self.held.push(outgoing);
            } else {
                report.merged += outgoing.request.points;
            }
        }
        Ok(is_done)
    }

    /// What a failure means for a request: what no answer came to cannot have been taken if not all of it left.
    fn outcome(&self, failure: &Failure, outgoing: &Outgoing) -> Outcome {
        let length = outgoing.packed.as_ref().map_or(0, Bytes::len);
        match failure.outcome() {
            Outcome::Unknown if !failure.cause.is_answer() && self.transport.is_unsent(length) => {
                Outcome::Unsent
            }
            outcome => outcome,
        }
    }

    /// One attempt, in which commands are taken: a last one may bring an earlier end.
    async fn attempt(
        &mut self,
        outgoing: &mut Outgoing,
        limit: &mut Limit,
        commands: &mut Commands,
    ) -> Result<Result<Accepted, Failure>, Abandoned> {
        let pack = || self.transport.pack(std::mem::take(&mut outgoing.request.body), &self.settings);
        let body = outgoing.packed.get_or_insert_with(pack).clone();
        let _inflight = self.reader.own().inflight(outgoing.request.points);
        {
            let mut send = pin!(self.transport.send(body, outgoing.request.points, &self.settings));
            loop {
                tokio::select! {
                    biased;
                    answer = &mut send => return Ok(answer),
                    last = commands.next() => limit.shorten(last?),
                    () = limit.reached() => break,
                }
            }
        }
        Ok(Err(limit.cause(self.transport.connected()).into()))
    }

    /// Reads the store. The requests begin where the last push stopped, if it did not get to all of them: or a receiver that is
    /// too slow for all would be told of the same metrics each time, and never of the others.
    fn read(&mut self) -> Result<Vec<Outgoing>, Cause> {
        let limit = self.retry.limit();
        // The reading calls into the application, whose log may panic.
        let requests =
            catch_unwind(AssertUnwindSafe(|| self.reader.read(|store| self.message.requests(store, limit))));
        for warning in self.message.warnings() {
            self.reader.log().write_once(Level::Warn, &warning);
        }
        let requests = requests.map_err(|panic| Cause::Panicked(panic_message(&*panic)))?;
        let mut before = 0;
        let outgoing = |request: Request| {
            let points = request.points;
            before += points;
            Outgoing {
                length: request.body.len(),
                request,
                before: before - points,
                packed: None,
                past: Past::default(),
            }
        };
        let mut all: Vec<_> = requests.into_iter().map(outgoing).collect();
        let first = all.iter().position(|one| self.begin_at < one.before + one.request.points);
        all.rotate_left(first.unwrap_or(0));
        Ok(all)
    }

    /// Nothing can be sent. Unless it is the last push, whoever asked for it is told, and nothing happened.
    fn conclude_unsent(&mut self, cause: Cause, last: bool) -> Result<(), ExportError> {
        if !last {
            return Err(ExportError::new(&self.settings.url, cause));
        }
        let mut report = Report::new();
        report.failed(cause.into());
        self.conclude(report, last)
    }

    fn conclude(&mut self, report: Report, last: bool) -> Result<(), ExportError> {
        let is_settled = self.held.is_empty() && report.merged == 0 && !report.is_unread;
        let lost = last.then(|| {
            let held = self.held.drain(..).map(|held| held.request.points).sum::<u64>();
            if report.is_unread {
                // What is held is in the store too.
                self.read().map_or(held, |all| all.iter().map(|one| one.request.points).sum())
            } else {
                held + report.merged
            }
        });
        self.reporter.conclude(report, self.retry.limit(), is_settled, lost)
    }
}

/// What is sent of the store.
fn plan_of(settings: &Settings, reader: &Reader) -> Plan {
    Plan::new(Arc::clone(&settings.projection), &settings.name).read_by(reader)
}

/// Until when a push may take.
struct Limit {
    timeout: Option<Duration>,
    timeout_at: Option<Instant>,
    end: Option<Instant>,
    /// When the next push is due, if nobody asked for this one: it fails then at the latest, so that it is said.
    next: Option<Instant>,
}

impl Limit {
    fn new(settings: &Settings, deadline: Option<Instant>) -> Limit {
        let timeout = settings.timeout;
        let after = |duration| Instant::now().checked_add(duration);
        let timeout_at = timeout.and_then(after);
        let next = if deadline.is_some() { None } else { after(settings.interval) };
        Limit { timeout, timeout_at, end: timeout_at.into_iter().chain(deadline).min(), next }
    }

    /// With the deadline of a last command, if it is one.
    fn shorten(&mut self, last: Option<Instant>) {
        self.end = self.end.into_iter().chain(last).min();
    }

    /// Whether there may be another attempt as late as that.
    fn leaves_time_until(&self, moment: Instant) -> bool {
        self.end.is_none_or(|end| moment < end) && self.next.is_none_or(|next| moment < next)
    }

    async fn reached(&self) {
        match self.end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    fn cause(&self, connected: bool) -> Cause {
        match self.timeout {
            Some(within) if self.end == self.timeout_at => Cause::Timeout { within, connected },
            _ => Cause::Deadline { connected },
        }
    }
}
