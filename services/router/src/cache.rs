//! Answers of one upstream that are kept, and how many there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use metercast_tower::Observation;
use metercast_tower::dynamic::StageHandle;

use crate::metrics::CACHE_SIZE;
use crate::stages::Seen;

/// The most answers that are kept.
const MOST: usize = 1_000;

/// Kept answers by path. How many there are is observed as long as this lives.
#[derive(Debug)]
pub(crate) struct Cache {
    upstream: String,
    answers: Arc<Mutex<HashMap<String, Bytes>>>,
    _observed: Observation,
}

impl Cache {
    /// For the upstream of this name.
    pub(crate) fn new(upstream: &str) -> Cache {
        let answers = Arc::<Mutex<HashMap<String, Bytes>>>::default();
        let (observed, kind) = (Arc::clone(&answers), upstream.to_owned());
        let observation = CACHE_SIZE.observe(move |observer| {
            let size = observed.lock().unwrap_or_else(PoisonError::into_inner).len();
            observer.set(size as u64, (&kind,));
        });
        Cache { upstream: upstream.to_owned(), answers, _observed: observation }
    }

    /// What was kept for a path, if it is. The instruments of this stage see it.
    pub(crate) fn get(&self, path: &str, stage: &StageHandle) -> Option<Bytes> {
        let asked = stage.begin(&Seen(self.upstream.clone()));
        let kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(mut asked) = asked {
            asked.response(&Seen(kept.is_some()));
            asked.end(&());
        }
        kept
    }

    /// Keeps an answer, unless there are many.
    pub(crate) fn keep(&self, path: &str, answer: &Bytes) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() < MOST {
            answers.insert(path.to_owned(), answer.clone());
        }
    }
}
