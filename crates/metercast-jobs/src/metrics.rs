//! What the metrics of jobs are called: with a prefix, as the semantic conventions say, or in the user's own way.

use std::sync::Mutex;

use metercast_core::{InstrumentError, KeyValue, Kind};

use crate::jobs::{Jobs, Parts};
use crate::part::Name;

/// From five milliseconds to an hour, in seconds.
const BUCKETS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0];

/// Those of `messaging.process.duration` in the semantic conventions.
const SEMANTIC_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Which metrics tell of jobs, and what they are called.
///
/// [`prefixed`](JobMetrics::prefixed) has all of them, and [`messaging`](JobMetrics::messaging) those that the semantic conventions
/// know. Methods with a name add a metric, or give it that name instead; [`new`](JobMetrics::new) begins with none.
///
/// ```
/// use metercast::{Log, PrometheusPage, Store};
/// use metercast_jobs::{Delivery, JobMetrics};
///
/// # let store = Store::new();
/// # store.scope(|| {
/// let jobs = JobMetrics::new()
///     .completed("worker_runs")
///     .duration("worker_run_seconds")
///     .buckets(&[1.0, 60.0])
///     .label("queue", "mail")
///     .build()?;
/// jobs.begin(Delivery::first()).skip();
///
/// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
/// assert!(page.contains("\nworker_runs_total{queue=\"mail\",status=\"skipped\"} 1\n"));
/// assert!(page.contains("\nworker_run_seconds_bucket{queue=\"mail\",le=\"60\"} 1\n"));
/// # Ok::<(), metercast_core::InstrumentError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is measured until `build`"]
pub struct JobMetrics {
    created: Option<Name>,
    active: Option<Name>,
    attempts: Option<Name>,
    completed: Option<Name>,
    failures: Option<Name>,
    redelivered: Option<Name>,
    duration: Option<Name>,
    wait: Option<Name>,
    processed: Option<Name>,
    consumed: Option<Name>,
    buckets: Vec<f64>,
    is_semantic: bool,
    labels: Vec<KeyValue>,
}

impl JobMetrics {
    /// None yet.
    pub fn new() -> JobMetrics {
        JobMetrics {
            created: None,
            active: None,
            attempts: None,
            completed: None,
            failures: None,
            redelivered: None,
            duration: None,
            wait: None,
            processed: None,
            consumed: None,
            buckets: BUCKETS.to_vec(),
            is_semantic: false,
            labels: Vec::new(),
        }
    }

    /// All of them, with names that begin with this and a dot; with nothing, if it is empty.
    ///
    /// | name | on a Prometheus page, of `osapi` | |
    /// | --- | --- | --- |
    /// | `jobs.created` | `osapi_jobs_created_total` | jobs made |
    /// | `jobs.active` | `osapi_jobs_active` | attempts that run |
    /// | `jobs.attempts` | `osapi_jobs_attempts_total{outcome}` | attempts by [how they ended](crate::AttemptOutcome) |
    /// | `jobs.completed` | `osapi_jobs_completed_total{status}` | jobs that are done, by [how they ended](crate::JobStatus) |
    /// | `jobs.failures` | `osapi_jobs_failures_total{reason}` | attempts by [why they did not end as they should](crate::Attempt::because) |
    /// | `jobs.redelivered` | `osapi_jobs_redelivered_total` | deliveries after the first |
    /// | `job.duration` | `osapi_job_duration_seconds` | how long attempts took |
    /// | `job.wait` | `osapi_job_wait_seconds` | time from a job's making to its first attempt, [if it is known](crate::Delivery::created_at) |
    /// | `worker.jobs.processed` | `osapi_worker_jobs_processed_total{worker}` | jobs that are done, by who ended them |
    pub fn prefixed(prefix: &str) -> JobMetrics {
        let name = |name: &str| prefixed(prefix, name);
        JobMetrics::new()
            .created(&name("jobs.created"))
            .active(&name("jobs.active"))
            .attempts(&name("jobs.attempts"))
            .completed(&name("jobs.completed"))
            .failures(&name("jobs.failures"))
            .redelivered(&name("jobs.redelivered"))
            .duration(&name("job.duration"))
            .wait(&name("job.wait"))
            .processed(&name("worker.jobs.processed"))
    }

    /// Without the jobs made: for who does jobs that others make and count.
    ///
    /// ```
    /// use metercast::{Log, PrometheusPage, Store};
    /// use metercast_jobs::JobMetrics;
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// let _jobs = JobMetrics::prefixed("osapi").without_created().build()?.zeroes();
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("\nosapi_jobs_redelivered_total 0\n") && !page.contains("osapi_jobs_created"));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    pub fn without_created(mut self) -> JobMetrics {
        self.created = None;
        self
    }

    /// Those of the semantic conventions: `messaging.client.sent.messages`, which [`Jobs::created`] counts,
    /// `messaging.client.consumed.messages` of each delivery, and `messaging.process.duration`, of each attempt, with the
    /// [reason](crate::Attempt::because) of a failure as `error.type`. The system is that of the broker, such as `kafka` or `nats`, the
    /// destination a queue or a topic: never one that is made for one client, since each is a series.
    ///
    /// The conventions have no words for what else is known of jobs; add it under names of your own.
    ///
    /// ```
    /// use metercast::{InMemoryReader, Store};
    /// use metercast_jobs::{Delivery, JobMetrics};
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// let jobs = JobMetrics::messaging("nats", "orders").build()?;
    /// jobs.begin(Delivery::first()).complete();
    ///
    /// let snapshot = InMemoryReader::new(Store::current()).collect();
    /// let duration = &snapshot.family("messaging.process.duration").unwrap().series[0];
    /// assert_eq!(
    ///     duration.labels.to_string(),
    ///     r#"{messaging.destination.name="orders",messaging.operation.name="process",messaging.system="nats"}"#
    /// );
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    pub fn messaging(system: &str, destination: &str) -> JobMetrics {
        let name = |kind, name: &str, unit, description, operation| {
            let own = Some(("messaging.operation.name", operation));
            Some(Name { name: format!("messaging.{name}"), kind, unit, description, own })
        };
        JobMetrics {
            created: name(
                Kind::Counter,
                "client.sent.messages",
                "{message}",
                "Number of messages producer attempted to send to the broker.",
                "publish",
            ),
            consumed: name(
                Kind::Counter,
                "client.consumed.messages",
                "{message}",
                "Number of messages that were delivered to the application.",
                "receive",
            ),
            duration: name(
                Kind::Histogram,
                "process.duration",
                "s",
                "Duration of processing operation.",
                "process",
            ),
            buckets: SEMANTIC_BUCKETS.to_vec(),
            is_semantic: true,
            ..JobMetrics::new()
        }
        .label("messaging.system", system)
        .label("messaging.destination.name", destination)
    }

    /// A counter of this name with the jobs made.
    pub fn created(mut self, name: &str) -> JobMetrics {
        self.created = own(Kind::Counter, name, "{job}", "Jobs made");
        self
    }

    /// An up-down counter of this name with the attempts that run.
    pub fn active(mut self, name: &str) -> JobMetrics {
        self.active = own(Kind::UpDownCounter, name, "{job}", "Jobs that are worked on");
        self
    }

    /// A counter of this name with the attempts, by `outcome`.
    pub fn attempts(mut self, name: &str) -> JobMetrics {
        self.attempts = own(Kind::Counter, name, "{attempt}", "Attempts at jobs, by how they ended");
        self
    }

    /// A counter of this name with the jobs that are done, by `status`.
    pub fn completed(mut self, name: &str) -> JobMetrics {
        self.completed = own(Kind::Counter, name, "{job}", "Jobs that are done, by how they ended");
        self
    }

    /// A counter of this name with the attempts that a [reason](crate::Attempt::because) was given for, by `reason`.
    pub fn failures(mut self, name: &str) -> JobMetrics {
        self.failures =
            own(Kind::Counter, name, "{attempt}", "Attempts that did not end as they should, by why");
        self
    }

    /// A counter of this name with the deliveries after the first.
    pub fn redelivered(mut self, name: &str) -> JobMetrics {
        self.redelivered = own(Kind::Counter, name, "{job}", "Jobs that were delivered again");
        self
    }

    /// A histogram of this name with how long attempts took, in seconds.
    pub fn duration(mut self, name: &str) -> JobMetrics {
        self.duration = own(Kind::Histogram, name, "s", "Time that an attempt at a job took");
        self
    }

    /// A histogram of this name with how long jobs waited for their first attempt, in seconds.
    pub fn wait(mut self, name: &str) -> JobMetrics {
        self.wait = own(Kind::Histogram, name, "s", "Time from the making of a job to its first attempt");
        self
    }

    /// A counter of this name with the jobs that are done, by `worker`.
    pub fn processed(mut self, name: &str) -> JobMetrics {
        self.processed = own(Kind::Counter, name, "{job}", "Jobs that are done, by who ended them");
        self
    }

    /// With these upper bounds of the buckets of durations and waits, in seconds, finite and increasing, at most 510. Without, from
    /// five milliseconds to an hour, or as the semantic conventions say.
    pub fn buckets(mut self, bounds: &[f64]) -> JobMetrics {
        self.buckets = bounds.to_vec();
        self
    }

    /// With this label on all of them.
    pub fn label(mut self, key: &str, value: &str) -> JobMetrics {
        self.labels.push(KeyValue::new(key.to_owned(), value.to_owned()));
        self
    }

    /// The jobs, to be recorded. Each recording goes to the store that is current.
    ///
    /// # Errors
    ///
    /// If a name or the buckets are not valid, or the process has as many instruments as it may.
    #[track_caller]
    pub fn build(&self) -> Result<Jobs, InstrumentError> {
        let part =
            |name: &Option<Name>| name.as_ref().map(|name| name.build(&self.buckets, false)).transpose();
        let parts = Parts {
            created: part(&self.created)?,
            active: part(&self.active)?,
            attempts: part(&self.attempts)?,
            completed: part(&self.completed)?,
            failures: part(&self.failures)?,
            redelivered: part(&self.redelivered)?,
            duration: part(&self.duration)?,
            wait: part(&self.wait)?,
            processed: part(&self.processed)?,
            consumed: part(&self.consumed)?,
            duration_has_reason: self.is_semantic,
            workers: Mutex::default(),
        };
        Ok(Jobs::new(parts, self.labels.clone()))
    }
}

impl Default for JobMetrics {
    fn default() -> JobMetrics {
        JobMetrics::new()
    }
}

fn own(kind: Kind, name: &str, unit: &'static str, description: &'static str) -> Option<Name> {
    Some(Name { name: name.to_owned(), kind, unit, description, own: None })
}

/// A name behind a prefix, if there is one.
fn prefixed(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
