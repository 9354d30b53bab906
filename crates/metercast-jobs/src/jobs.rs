//! The jobs of a queue, for whoever makes them and whoever does them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use metercast_core::label::Word;
use metercast_core::{KeyValue, LabelRef, ValueRef};

use crate::attempt::{Attempt, AttemptOutcome, JobStatus};
use crate::delivery::Delivery;
use crate::part::{Part, given};
use crate::worker::Worker;

/// How many workers are told apart by name.
const WORKERS: usize = 256;

/// The jobs of a queue; made by [`JobMetrics::build`](crate::JobMetrics::build). Clones are the same.
#[derive(Clone, Debug)]
pub struct Jobs {
    parts: Arc<Parts>,
    labels: Arc<[KeyValue]>,
}

/// The metrics of jobs, of which there are those that were named.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) created: Option<Part>,
    pub(crate) active: Option<Part>,
    pub(crate) attempts: Option<Part>,
    pub(crate) completed: Option<Part>,
    pub(crate) failures: Option<Part>,
    pub(crate) redelivered: Option<Part>,
    pub(crate) duration: Option<Part>,
    pub(crate) wait: Option<Part>,
    pub(crate) processed: Option<Part>,
    pub(crate) consumed: Option<Part>,
    /// Whether durations have the reason of a failure as their `error.type`.
    pub(crate) duration_has_reason: bool,
    pub(crate) workers: Mutex<BTreeSet<Arc<str>>>,
}

impl Jobs {
    pub(crate) fn new(parts: Parts, labels: Vec<KeyValue>) -> Jobs {
        Jobs { parts: Arc::new(parts), labels: labels.into() }
    }

    /// The same with one more label on all that is recorded, such as what kind of jobs they are. A key that is there gets this value.
    ///
    /// ```
    /// use metercast::{Log, PrometheusPage, Store};
    /// use metercast_jobs::{Delivery, JobMetrics};
    ///
    /// metercast::labels! { enum Kind { Import, Report } }
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// let jobs = JobMetrics::prefixed("shop").build()?;
    /// let imports = jobs.with("kind", Kind::Import);
    /// imports.created();
    /// imports.begin(Delivery::first()).complete();
    ///
    /// let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    /// assert!(page.contains("\nshop_jobs_created_total{kind=\"import\"} 1\n"));
    /// assert!(page.contains("\nshop_jobs_completed_total{kind=\"import\",status=\"completed\"} 1\n"));
    /// # Ok::<(), metercast_core::InstrumentError>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "the labels of the jobs themselves stay as they are"]
    pub fn with(&self, key: &str, value: impl Word) -> Jobs {
        let others = self.labels.iter().filter(|label| *label.key != *key).cloned();
        let labels = others.chain([KeyValue::new(key.to_owned(), value.kept())]).collect();
        Jobs { parts: Arc::clone(&self.parts), labels }
    }

    /// Shows the counters at zero in the current store from now on, so that a rate or an alert sees the first failure as a step from zero.
    #[must_use]
    pub fn zeroes(self) -> Jobs {
        let Parts { created, attempts, completed, redelivered, .. } = &*self.parts;
        for counter in [created, redelivered].into_iter().flatten() {
            counter.add(0, self.labels());
        }
        if let Some(attempts) = attempts {
            for outcome in AttemptOutcome::ALL {
                attempts.add(0, self.labels().chain([("outcome", ValueRef::from(outcome.as_str()))]));
            }
        }
        if let Some(completed) = completed {
            for status in JobStatus::ALL {
                completed.add(0, self.labels().chain([("status", ValueRef::from(status.as_str()))]));
            }
        }
        self
    }

    /// Counts a job that was made. Best called when it is in the queue, not before.
    pub fn created(&self) {
        if let Some(created) = self.parts.created {
            created.add(1, self.labels());
        }
    }

    /// Begins an attempt at a job, by nobody in particular.
    #[must_use = "dropping the attempt counts it as aborted at once"]
    #[track_caller]
    pub fn begin(&self, delivery: Delivery) -> Attempt {
        Attempt::begin(self.clone(), None, delivery)
    }

    /// The worker of this name, whose attempts have it in the label `worker` of what he has done.
    ///
    /// Names are those of one's own processes, not what a client says. Of the first 256 in these jobs each is told apart; whoever comes
    /// later is `other`.
    pub fn worker(&self, name: &str) -> Worker {
        let mut workers = self.parts.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let name = match workers.get(name) {
            Some(known) => Arc::clone(known),
            None if workers.len() < WORKERS => {
                let name: Arc<str> = name.into();
                workers.insert(Arc::clone(&name));
                name
            }
            None => "other".into(),
        };
        Worker::new(self.clone(), name)
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = LabelRef<'_>> {
        given(&self.labels)
    }
}
