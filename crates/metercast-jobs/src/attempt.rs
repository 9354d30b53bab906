//! One attempt at a job, from its delivery to its end, however that comes.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metercast_core::label::Word;
use metercast_core::{Guard, Store, ValueRef, labels};

use crate::delivery::Delivery;
use crate::jobs::{Jobs, Parts};

labels! {
    /// How an attempt ended.
    pub enum AttemptOutcome {
        /// The work was done.
        Completed,
        /// The work failed.
        Failed,
        /// There was nothing to do.
        Skipped,
        /// It was dropped by a panic.
        Panicked,
        /// It was dropped otherwise: the task was cancelled, or the worker ends.
        Aborted,
    }

    /// How a job ended, after all its attempts.
    pub enum JobStatus {
        /// The work was done.
        Completed,
        /// The work failed, and is not tried again.
        Failed,
        /// There was nothing to do.
        Skipped,
    }
}

/// An attempt at a job; made by [`Jobs::begin`] and [`Worker::begin`](crate::Worker::begin).
///
/// It moves into the task that does the work. Dropped, it counts as `panicked` while its thread unwinds, else as `aborted`; if its
/// delivery was the [last](Delivery::of), the job has failed then.
#[must_use = "dropping the attempt counts it as aborted at once"]
pub struct Attempt {
    jobs: Jobs,
    worker: Option<Arc<str>>,
    delivery: Delivery,
    reason: Option<ValueRef<'static>>,
    /// `None` until it is said.
    ending: Option<Ending>,
    started: Instant,
    store: Store,
    _active: Option<Guard>,
}

/// How it ended, and how the job did if that is done.
#[derive(Clone, Copy)]
struct Ending {
    outcome: ValueRef<'static>,
    status: Option<ValueRef<'static>>,
}

impl Ending {
    fn new(outcome: AttemptOutcome, status: Option<JobStatus>) -> Ending {
        Ending { outcome: outcome.spelled(), status: status.map(Word::spelled) }
    }
}

impl Attempt {
    #[track_caller]
    pub(crate) fn begin(jobs: Jobs, worker: Option<Arc<str>>, delivery: Delivery) -> Attempt {
        let store = Store::current();
        let Parts { active, consumed, redelivered, wait, .. } = jobs.parts();
        let active = active.map(|active| active.guard(jobs.labels()));
        if let Some(consumed) = consumed {
            consumed.add(1, jobs.labels());
        }
        match (redelivered, delivery.is_again()) {
            (Some(redelivered), true) => redelivered.add(1, jobs.labels()),
            _ => {
                if let (Some(wait), Some(created), false) = (wait, delivery.created(), delivery.is_again()) {
                    let waited = store.time().duration_since(created).unwrap_or_default();
                    wait.record(waited.as_secs_f64(), jobs.labels());
                }
            }
        }
        let started = store.now();
        Attempt { jobs, worker, delivery, reason: None, ending: None, started, store, _active: active }
    }

    /// Which delivery of the job it is.
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The time since it began, by the store's clock.
    pub fn elapsed(&self) -> Duration {
        self.store.now().saturating_duration_since(self.started)
    }

    /// Why it does not end as it should: counted by `reason` among the [failures](crate::JobMetrics::failures), and the `error.type` of a
    /// duration of the [semantic conventions](crate::JobMetrics::messaging). The last that is said stays; say none if all is well.
    ///
    /// ```
    /// use metercast::{Log, PrometheusPage, Store};
    /// use metercast_jobs::{Delivery, JobMetrics};
    ///
    /// metercast::labels! { enum Reason { Timeout, Refused } }
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// let jobs = JobMetrics::prefixed("mail").build()?;
    /// jobs.begin(Delivery::first()).because(Reason::Timeout).fail();
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("\nmail_jobs_failures_total{reason=\"timeout\"} 1\n"));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    pub fn because(mut self, reason: impl Word) -> Attempt {
        self.reason = Some(reason.spelled());
        self
    }

    /// The work is done, and so is the job.
    pub fn complete(self) {
        self.end_as(Ending::new(AttemptOutcome::Completed, Some(JobStatus::Completed)));
    }

    /// There was nothing to do, and the job is done.
    pub fn skip(self) {
        self.end_as(Ending::new(AttemptOutcome::Skipped, Some(JobStatus::Skipped)));
    }

    /// The work failed. Whether the job has too, which is returned, is for the [delivery](Delivery::of) to say: if it was the last,
    /// or there may be more.
    pub fn fail(self) -> bool {
        let is_last = self.delivery.is_last();
        let ending = self.broken(AttemptOutcome::Failed);
        self.end_as(ending);
        is_last
    }

    /// The work failed, and is not tried again whatever number of deliveries there may be.
    pub fn give_up(self) {
        self.end_as(Ending::new(AttemptOutcome::Failed, Some(JobStatus::Failed)));
    }

    /// The job ends in the application's own words, which are the outcome of the attempt as well as the status of the job.
    ///
    /// ```
    /// use metercast::{Log, PrometheusPage, Store};
    /// use metercast_jobs::{Delivery, JobMetrics};
    ///
    /// metercast::labels! { enum Ending { Settled, Expired, Withdrawn } }
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// let jobs = JobMetrics::prefixed("orders").build()?;
    /// jobs.begin(Delivery::first()).end(Ending::Expired);
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("\norders_jobs_completed_total{status=\"expired\"} 1\n"));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    pub fn end(self, status: impl Word) {
        let status = status.spelled();
        self.end_as(Ending { outcome: status, status: Some(status) });
    }

    /// Does the work: it [completes](Self::complete) with `Ok`, and [fails](Self::fail) with `Err`. A future that is dropped before its end
    /// is an attempt that was aborted.
    ///
    /// # Errors
    ///
    /// Those of the work.
    pub async fn run<T, E>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let done = work.await;
        match &done {
            Ok(_) => self.complete(),
            Err(_) => _ = self.fail(),
        }
        done
    }

    fn end_as(mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// An end that is one of the job only if there are no more deliveries.
    fn broken(&self, outcome: AttemptOutcome) -> Ending {
        Ending::new(outcome, self.delivery.is_last().then_some(JobStatus::Failed))
    }

    fn record(&self, Ending { outcome, status }: Ending, took: Duration) {
        let Parts { attempts, completed, failures, duration, duration_has_reason, processed, .. } =
            self.jobs.parts();
        let labels = || self.jobs.labels();
        if let Some(attempts) = attempts {
            attempts.add(1, labels().chain([("outcome", outcome)]));
        }
        if let (Some(failures), Some(reason)) = (failures, self.reason) {
            failures.add(1, labels().chain([("reason", reason)]));
        }
        if let Some(duration) = duration {
            let reason = self.reason.filter(|_| *duration_has_reason).map(|reason| ("error.type", reason));
            duration.record(took.as_secs_f64(), labels().chain(reason));
        }
        let Some(status) = status else { return };
        if let Some(completed) = completed {
            completed.add(1, labels().chain([("status", status)]));
        }
        if let (Some(processed), Some(worker)) = (processed, &self.worker) {
            processed.add(1, labels().chain([("worker", ValueRef::from(&**worker))]));
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let took = self.elapsed();
        let ending = self.ending.unwrap_or_else(|| {
            self.broken(if std::thread::panicking() {
                AttemptOutcome::Panicked
            } else {
                AttemptOutcome::Aborted
            })
        });
        self.store.scope(|| self.record(ending, took));
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt { worker, delivery, .. } = self;
        let mut debug = f.debug_struct("Attempt");
        debug.field("worker", worker).field("delivery", delivery).finish_non_exhaustive()
    }
}
