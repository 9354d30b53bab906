//! What becomes of what was delivered when all streams are made anew.
//!
//! What came since the last delivery goes on for streams whose temporality was delta, under whatever name, labels, buckets or unit.
//! A stream that begins to be told so counts from the moment at which it was made: what a receiver heard of it as totals, or was
//! not meant to hear, is not told once more.

use std::collections::HashSet;

use metercast_core::Store;

use super::envelope::{Deltas, Observed, address, identity};
use crate::config::TemporalityPreference;
use crate::view::Plan;

impl Deltas {
    /// All streams are those of this plan from now on, told with this temporality.
    pub(super) fn hand_over(
        &mut self,
        store: &Store,
        plan: &mut Plan,
        preference: TemporalityPreference,
        observed: &Observed,
        [now, store_started]: [u64; 2],
    ) {
        let Deltas { cursors, since } = self;
        cursors.reshape(now, store_started);
        if preference == TemporalityPreference::Cumulative {
            cursors.end_unclaimed(|_| true);
            return;
        }
        store.read(|reading| {
            let there: HashSet<usize> =
                reading.families().map(|family| address(family.definition())).collect();
            let mut streams = plan.streams(reading);
            streams.retain(|view| preference.is_delta(view.stream().kind(), observed.has(view)));
            // Names first: who is known by another one may only take what nobody has by name.
            let known: Vec<_> = streams.iter().map(|view| cursors.claim(identity(view.stream()))).collect();
            let mut told = cursors.taken();
            for (view, known) in streams.iter().zip(known) {
                let begins = cursors.go_on(identity(view.stream()), known);
                if let Some(thread) = begins.and_then(|number| cursors.thread(number)) {
                    view.each(|series| since.take(cursors, thread, series, &mut told));
                }
            }
            cursors.end_unclaimed(|metric| there.contains(&metric));
            cursors.delivered(told);
        });
    }
}
