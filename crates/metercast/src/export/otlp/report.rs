//! What became of a push, counted in the exporter's own metrics, logged, and told to who asked for it.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Accepted;
use super::error::{Cause, ExportError, Failure, and};
use super::retry::LONGEST_WAIT;
use super::settings::Settings;
use crate::log::Level;
use crate::reader::Reader;

/// What there is to say about a push so far.
#[derive(Debug)]
pub(super) struct Report {
    started: Instant,
    /// Why the last attempt that failed did.
    failure: Option<Failure>,
    /// Points that go back to the store.
    pub(super) merged: u64,
    /// Points that are larger than a request may be.
    pub(super) left_out: u64,
    /// Whether the store has points that the push did not get to.
    pub(super) is_unread: bool,
    /// How many points were taken or given up.
    settled: u64,
    /// The first that was taken without some points, and the first that was given up.
    rejected: Option<ExportError>,
    given_up: Option<ExportError>,
    /// What the receiver says beside a success.
    but: Option<String>,
}

impl Report {
    pub(super) fn new() -> Report {
        Report {
            started: Instant::now(),
            failure: None,
            merged: 0,
            left_out: 0,
            is_unread: true,
            settled: 0,
            rejected: None,
            given_up: None,
            but: None,
        }
    }

    /// An attempt failed, and what it was about is not lost.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }
}

/// Reports on the pushes of one exporter.
pub(super) struct Reporter {
    name: String,
    url: String,
    reader: Reader,
}

impl Reporter {
    pub(super) fn new(settings: &Settings, reader: &Reader) -> Reporter {
        Reporter { name: settings.name.clone(), url: settings.url.clone(), reader: reader.clone() }
    }

    fn error(&self, cause: Cause) -> ExportError {
        ExportError::new(&self.url, cause)
    }

    fn count(&self, points: u64, error: Option<&ExportError>) {
        if points > 0 {
            self.reader.own().points(points, error.map(ExportError::error_type));
        }
    }

    /// A request with so many points was taken, perhaps without some.
    pub(super) fn taken(&self, accepted: Accepted, points: u64, report: &mut Report) {
        let warning = accepted.warning(&self.url);
        let Accepted { rejected, says, mend, .. } = accepted;
        report.settled += points;
        self.count(points - rejected, None);
        if rejected > 0 {
            let error = self.error(Cause::Rejected { rejected, points, says, mend });
            self.count(rejected, Some(&error));
            self.say(Level::Warn, ANSWERS, &error.to_string());
            report.rejected.get_or_insert(error);
            return;
        }
        report.but = report.but.take().or(warning);
    }

    /// A request with so many points is dropped for good.
    pub(super) fn given_up(&self, cause: Cause, points: u64, report: &mut Report) {
        report.settled += points;
        let error = self.error(cause).losing(points);
        self.count(points, Some(&error));
        self.say(Level::Error, "given up", &error.to_string());
        report.given_up.get_or_insert(error);
    }

    /// The push is over, with requests of at most `limit` bytes. Unless everything is settled, some points are merged or held; after the last push, so many are
    /// lost.
    pub(super) fn conclude(
        &self,
        mut report: Report,
        limit: usize,
        is_settled: bool,
        lost: Option<u64>,
    ) -> Result<(), ExportError> {
        if report.left_out > 0 {
            self.given_up(Cause::PointTooLarge { limit }, report.left_out, &mut report);
        }
        let Report { started, failure, merged, settled, rejected, given_up, but, .. } = report;
        let measure = |error: Option<&ExportError>| {
            let failure = error.map(|error| (error.error_type(), error as &dyn fmt::Display));
            self.reader.own().operation(started.elapsed(), failure);
        };
        if let Some(Failure { cause, wait }) = failure.filter(|_| !is_settled) {
            let error = self.error(cause).losing(lost.unwrap_or(0));
            self.count(lost.unwrap_or(merged), Some(&error));
            measure(Some(&error));
            self.say_failure(&error, wait, lost.is_some());
            return Err(error);
        }
        if let Some(error) = given_up {
            measure(Some(&error));
            return Err(error);
        }
        if settled == 0 {
            return Ok(());
        }
        measure(rejected.as_ref());
        self.say_success();
        match (&rejected, but) {
            (None, None) => drop(self.reader.log().settle(&self.subject(ANSWERS))),
            (None, Some(but)) => self.say(Level::Warn, ANSWERS, &but),
            (Some(_), _) => {}
        }
        rejected.map_or(Ok(()), Err)
    }

    fn say_failure(&self, error: &ExportError, wait: Option<Duration>, last: bool) {
        let kept = "counts are kept and go with the next push";
        let line = match wait {
            _ if last => error.to_string(),
            None => and(&error.to_string(), kept),
            Some(wait) if wait > LONGEST_WAIT => and(
                &error.to_string(),
                &format!("{kept}, in {LONGEST_WAIT:?}, though the collector asks for {wait:?}"),
            ),
            Some(wait) => and(
                &error.to_string(),
                &format!("{kept}, not before {wait:?} have passed, as the collector asks"),
            ),
        };
        self.reader.log().write_rarely_of(
            Level::Error,
            &self.name,
            error.error_type(),
            &format!("exporter {:?}: {line}", self.name),
        );
    }

    fn say_success(&self) {
        let (name, url, log) = (&self.name, &self.url, self.reader.log());
        if log.settle(name) {
            log.write(Level::Info, &format!("exporter {name:?}: push to {url} works again"));
        }
    }

    /// Says what comes with every push as rarely as a failure.
    fn say(&self, level: Level, about: &str, says: &str) {
        let line = format!("exporter {:?}: {says}", self.name);
        self.reader.log().write_rarely(level, &self.subject(about), &line);
    }

    fn subject(&self, about: &str) -> String {
        format!("{} ({about})", self.name)
    }
}

/// What lines are about that say what came beside a success.
const ANSWERS: &str = "answers";
