//! Exemplars: single measurements that stand for many, each with the sampled span that it was made in.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::{local, lock};

/// The span that is current on a thread, as W3C Trace Context names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SpanContext {
    /// The trace, not all zeros.
    pub trace_id: [u8; 16],
    /// The span, not all zeros.
    pub span_id: [u8; 8],
}

impl SpanContext {
    /// The span of these numbers.
    pub const fn new(trace_id: [u8; 16], span_id: [u8; 8]) -> SpanContext {
        SpanContext { trace_id, span_id }
    }
}

/// A measurement, and the span that it was made in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// What was recorded, or added to a counter, in the metric's unit.
    pub value: f64,
    /// When.
    pub time: SystemTime,
    /// Where.
    pub span: SpanContext,
}

/// Gives the span that is current on this thread, if it is sampled.
pub(crate) type CurrentSpan = fn() -> Option<SpanContext>;

/// The exemplars of a store: of each bucket of a series the newest.
pub(crate) struct Exemplars {
    current: OnceLock<CurrentSpan>,
    /// By line and bucket.
    newest: Mutex<Option<HashMap<(u32, u32), Exemplar>>>,
}

/// The most exemplars that a store keeps; more are not taken.
const MOST: usize = 10_000;

impl Exemplars {
    pub(crate) const fn new() -> Exemplars {
        Exemplars { current: OnceLock::new(), newest: Mutex::new(None) }
    }

    /// Where spans come from. Only the first counts.
    pub(crate) fn come_from(&self, current: CurrentSpan) {
        let _ = self.current.set(current);
    }

    /// Whether there is a source of spans.
    pub(crate) fn are_wanted(&self) -> bool {
        self.current.get().is_some()
    }

    /// Takes a measurement, if it is made in a sampled span and nobody else is here. `bucket` says which exemplar it replaces.
    pub(crate) fn offer(&self, line: u32, bucket: u32, value: f64) {
        let Some(current) = self.current.get() else { return };
        // Somebody else's code, which may record.
        let Some(span) = local::for_ourselves(current) else { return };
        let Some(mut newest) = lock::soon(&self.newest) else { return };
        let newest = newest.get_or_insert_default();
        if newest.len() < MOST || newest.contains_key(&(line, bucket)) {
            newest.insert((line, bucket), Exemplar { value, time: SystemTime::now(), span });
        }
    }

    /// All of them, by line, those of lower buckets first.
    pub(crate) fn by_line(&self) -> HashMap<u32, Vec<Exemplar>> {
        let guard = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = guard.iter().flatten().map(|(place, exemplar)| (*place, *exemplar)).collect();
        drop(guard);
        all.sort_by_key(|(place, _)| *place);
        let mut by_line: HashMap<u32, Vec<Exemplar>> = HashMap::new();
        for ((line, _), exemplar) in all {
            by_line.entry(line).or_default().push(exemplar);
        }
        by_line
    }

    /// Forgets those of a line that ends.
    pub(crate) fn forget(&self, line: u32) {
        let mut guard = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newest) = guard.as_mut() {
            newest.retain(|(of, _), _| *of != line);
        }
    }
}
