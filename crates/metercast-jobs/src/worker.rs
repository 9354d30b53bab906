//! One who does jobs.

use std::sync::Arc;

use metercast_core::label::Word;

use crate::attempt::Attempt;
use crate::delivery::Delivery;
use crate::jobs::Jobs;

/// One who does jobs; made by [`Jobs::worker`]. Clones are the same.
#[derive(Clone, Debug)]
pub struct Worker {
    jobs: Jobs,
    name: Arc<str>,
}

impl Worker {
    pub(crate) fn new(jobs: Jobs, name: Arc<str>) -> Worker {
        Worker { jobs, name }
    }

    /// What he is called in the label `worker`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same at jobs that have one more label, as [`Jobs::with`] adds it.
    #[must_use = "the labels of the worker himself stay as they are"]
    pub fn with(&self, key: &str, value: impl Word) -> Worker {
        Worker { jobs: self.jobs.with(key, value), name: Arc::clone(&self.name) }
    }

    /// Begins an attempt at a job.
    #[must_use = "dropping the attempt counts it as aborted at once"]
    #[track_caller]
    pub fn begin(&self, delivery: Delivery) -> Attempt {
        Attempt::begin(self.jobs.clone(), Some(Arc::clone(&self.name)), delivery)
    }
}
