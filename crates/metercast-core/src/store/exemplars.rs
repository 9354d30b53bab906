//! Exemplars: single measurements that stand for many, each with the sampled span that it was made in, if there is one.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::clock::Clock;
use crate::label::{KeyValue, LabelSet};
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

/// Which measurements become exemplars, as OpenTelemetry's metrics SDK specification names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExemplarFilter {
    /// Those that are made in a sampled span, if the application says which span is current
    /// ([`Store::take_exemplars`](crate::Store::take_exemplars)).
    #[default]
    TraceBased,
    /// All, with the sampled span that they are made in or without one.
    AlwaysOn,
    /// None.
    AlwaysOff,
}

/// A measurement, and the span that it was made in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// What was recorded, or added to a counter, in the metric's unit.
    pub value: f64,
    /// When.
    pub time: SystemTime,
    /// Where, if that was a sampled span. There always is one unless the filter is [`ExemplarFilter::AlwaysOn`], or a producer
    /// says it.
    pub span: Option<SpanContext>,
    /// What else is known of it. In a store only producers say such; an exporter's view may add labels that it takes from the series.
    pub labels: Option<Arc<LabelSet>>,
}

impl Exemplar {
    /// A measurement that somebody else took, to be said by a [producer](crate::Store::produce).
    ///
    /// ```
    /// use metercast_core::{Exemplar, KeyValue, SpanContext};
    ///
    /// let exemplar = Exemplar::new(0.7).span(SpanContext::new([1; 16], [2; 8])).labels([KeyValue::new("user", "a")]);
    /// assert_eq!(exemplar.labels.unwrap().to_string(), "{user=\"a\"}");
    /// ```
    pub fn new(value: f64) -> Exemplar {
        Exemplar { value, time: SystemTime::UNIX_EPOCH, span: None, labels: None }
    }

    /// With when it was made. Without, it is when it was first said.
    #[must_use]
    pub fn time(self, time: SystemTime) -> Exemplar {
        Exemplar { time, ..self }
    }

    /// With the span that it was made in.
    #[must_use]
    pub fn span(self, span: SpanContext) -> Exemplar {
        Exemplar { span: Some(span), ..self }
    }

    /// With what else is known of it.
    #[must_use]
    pub fn labels(self, labels: impl IntoIterator<Item = KeyValue>) -> Exemplar {
        let labels: LabelSet = labels.into_iter().collect();
        Exemplar { labels: (!labels.is_empty()).then(|| Arc::new(labels)), ..self }
    }
}

/// Gives the span that is current on this thread, if it is sampled.
pub(crate) type CurrentSpan = fn() -> Option<SpanContext>;

/// The exemplars of a store: of each bucket of a series the newest.
pub(crate) struct Exemplars {
    current: OnceLock<CurrentSpan>,
    /// Which are taken: a filter as a number.
    filter: AtomicU8,
    /// By series and bucket.
    newest: Mutex<Option<HashMap<(Of, u32), Exemplar>>>,
}

/// A series: the slot of its cell, and when it began, since a cell may be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Of {
    pub(crate) slot: u32,
    pub(crate) started: u64,
}

thread_local! {
    /// Whether this thread is asking for its span: what is recorded meanwhile is no exemplar.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// The most exemplars that a store keeps; more are not taken.
const MOST: usize = 10_000;

impl Exemplars {
    pub(crate) const fn new() -> Exemplars {
        Exemplars {
            current: OnceLock::new(),
            filter: AtomicU8::new(ExemplarFilter::TraceBased as u8),
            newest: Mutex::new(None),
        }
    }

    /// Where spans come from. Only the first counts.
    pub(crate) fn come_from(&self, current: CurrentSpan) {
        let _ = self.current.set(current);
    }

    fn is(&self, filter: ExemplarFilter) -> bool {
        self.filter.load(Relaxed) == filter as u8
    }

    /// Whether any can come: all are taken, or those of spans and there is a source of these.
    pub(crate) fn are_wanted(&self) -> bool {
        self.is(ExemplarFilter::AlwaysOn)
            || self.is(ExemplarFilter::TraceBased) && self.current.get().is_some()
    }

    /// Takes those from now on, and forgets what it would not have taken.
    pub(crate) fn filter(&self, filter: ExemplarFilter) {
        self.filter.store(filter as u8, Relaxed);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match (filter, &mut *newest) {
            (ExemplarFilter::AlwaysOff, all) => *all = None,
            (ExemplarFilter::TraceBased, Some(all)) => all.retain(|_, exemplar| exemplar.span.is_some()),
            _ => {}
        }
    }

    /// Takes a measurement, if the filter does and nobody else is here. `bucket` says which exemplar it replaces.
    pub(crate) fn offer(&self, of: Of, bucket: u32, value: f64, clock: &Clock) {
        if ASKING.replace(true) {
            return;
        }
        // Somebody else's code, which may record, and must not make a recording panic.
        let current = || self.current.get().and_then(|current| current());
        let span = catch_unwind(AssertUnwindSafe(|| local::for_ourselves(current))).unwrap_or_default();
        ASKING.set(false);
        if span.is_none() && !self.is(ExemplarFilter::AlwaysOn) {
            return;
        }
        let Some(mut newest) = lock::soon(&self.newest) else { return };
        let newest = newest.get_or_insert_default();
        if newest.len() < MOST || newest.contains_key(&(of, bucket)) {
            newest.insert((of, bucket), Exemplar { time: clock.time(), span, ..Exemplar::new(value) });
        }
    }

    /// All of them, by series, those of lower buckets first.
    pub(crate) fn by_series(&self) -> HashMap<Of, Vec<Exemplar>> {
        let guard = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> =
            guard.iter().flatten().map(|(place, exemplar)| (*place, exemplar.clone())).collect();
        drop(guard);
        all.sort_by_key(|(place, _)| *place);
        let mut by_series: HashMap<Of, Vec<Exemplar>> = HashMap::new();
        for ((of, _), exemplar) in all {
            by_series.entry(of).or_default().push(exemplar);
        }
        by_series
    }

    /// Gives those of cells that were replaced to the cells that did so, each its `bucket` there.
    pub(crate) fn move_to(&self, cells: &HashMap<u32, u32>, bucket: impl Fn(f64) -> u32) {
        let mut guard = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(newest) = guard.as_mut() else { return };
        let moved: Vec<_> = newest.extract_if(|(of, _), _| cells.contains_key(&of.slot)).collect();
        for ((of, _), exemplar) in moved {
            let place = (Of { slot: cells[&of.slot], ..of }, bucket(exemplar.value));
            let there = newest.entry(place).or_insert_with(|| exemplar.clone());
            if there.time < exemplar.time {
                *there = exemplar;
            }
        }
    }

    /// Forgets those of cells that are cleared.
    pub(crate) fn forget(&self, slots: &HashSet<u32>) {
        let mut guard = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newest) = guard.as_mut() {
            newest.retain(|(of, _), _| !slots.contains(&of.slot));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{ExemplarFilter, SpanContext, Store, metrics};

    metrics! {
        /// Anything.
        static SAMPLED: Histogram<f64> = "exemplars.sampled" { unit: "s" };
    }

    fn exemplars(store: &Store) -> usize {
        let mut count = 0;
        store.read(|reading| {
            reading.families().for_each(|family| family.each(|series| count += series.exemplars.len()));
        });
        count
    }

    #[test]
    fn exemplars_that_are_refused_are_not_taken_whichever_comes_first() {
        let span = || Some(SpanContext::new([1; 16], [2; 8]));
        let (before, after) = (Store::new(), Store::new());
        before.set_exemplars(ExemplarFilter::AlwaysOff);
        before.take_exemplars(span);
        after.take_exemplars(span);
        after.scope(|| SAMPLED.record(0.1));
        assert_eq!(exemplars(&after), 1);
        after.set_exemplars(ExemplarFilter::AlwaysOff);
        for store in [&before, &after] {
            store.scope(|| SAMPLED.record(0.2));
            assert_eq!(exemplars(store), 0);
            store.set_enabled(false);
            store.set_enabled(true);
            store.scope(|| SAMPLED.record(0.2));
            assert_eq!(exemplars(store), 0);
            store.set_exemplars(ExemplarFilter::TraceBased);
            store.scope(|| SAMPLED.record(0.3));
            assert_eq!(exemplars(store), 1);
        }
    }
}
