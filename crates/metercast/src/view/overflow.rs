//! Metrics that have more series than an exporter lets out: said to the store once, and measured as long as the exporter's plan lives.

use std::collections::BTreeSet;

use metercast_core::Store;

use super::group::Overflowed;
use super::relabel::OVERFLOW;
use crate::own::{OVERFLOWED_NAME, Own};

/// The metrics of one plan that had too many series once.
#[derive(Debug, Default)]
pub(super) struct Overflows {
    own: Own,
    metrics: BTreeSet<&'static str>,
}

impl Overflows {
    /// None yet, to be measured there.
    pub(super) fn of(own: &Own) -> Overflows {
        Overflows { own: own.clone(), metrics: BTreeSet::new() }
    }

    /// Takes what a limit came to in the last reading. Not in a reading: it records.
    pub(super) fn note(&mut self, store: &Store, metric: &'static str, overflowed: Overflowed) {
        let Overflowed { limit, series } = overflowed;
        let is_new = !self.metrics.contains(metric);
        // What names those with too many series does not name itself: else it would grow with each reading.
        if metric == OVERFLOWED_NAME || (is_new && series == 0) {
            return;
        }
        if is_new {
            self.metrics.insert(metric);
            // However many exporters meet it, a problem of the store is said once.
            let message = format!(
                "has more series than the limit of {limit} that a view or an exporter sets; what is above is counted in one series \
                 with {OVERFLOW}=true: bound the values of its labels, or raise the limit"
            );
            store.report(metric, message);
        }
        self.own.overflowed(metric, series as u64);
    }
}

impl Drop for Overflows {
    fn drop(&mut self) {
        // Who comes next has limits of its own.
        self.metrics.iter().for_each(|metric| self.own.forget_overflowed(metric));
    }
}
