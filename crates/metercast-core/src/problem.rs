//! What is wrong with how metrics are defined or labelled, each said once per store.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::lock;

/// A contradiction or a limit that the record side met. Recording went on; this says what was left out and how to
/// mend it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Problem {
    /// The metric it is about.
    pub metric: String,
    /// What is wrong, where, and how to mend it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metric {:?} {}", self.metric, self.message)
    }
}

/// The problems of one store in the order in which they were met, each once.
pub(crate) struct Problems(Mutex<Option<Listed>>);

#[derive(Default)]
struct Listed {
    order: Vec<Problem>,
    seen: HashSet<Problem>,
}

/// More than a person reads; bounds the memory when labels from outside cause them.
const MOST: usize = 256;

impl Problems {
    pub(crate) const fn new() -> Problems {
        Problems(Mutex::new(None))
    }

    /// Lists a problem unless it is listed already or the list is full.
    pub(crate) fn report(&self, metric: &str, message: String) {
        let problem = Problem { metric: metric.to_owned(), message };
        // A problem that is met again is listed then.
        let Some(mut guard) = lock::patiently(&self.0) else { return };
        let listed = guard.get_or_insert_default();
        if listed.order.len() < MOST && listed.seen.insert(problem.clone()) {
            listed.order.push(problem);
        }
    }

    /// All problems so far.
    pub(crate) fn list(&self) -> Vec<Problem> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().map(|listed| listed.order.clone()).unwrap_or_default()
    }
}
