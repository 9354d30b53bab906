//! What becomes of what was delivered when all streams are made anew.
//!
//! What came since the last delivery goes on for streams whose temporality was delta, under whatever name, labels, buckets or unit.
//! A stream that begins to be told so counts from the moment at which it was made: what a receiver heard of it as totals, or was
//! not meant to hear, is not told once more.

use std::collections::HashSet;

use metercast_core::Store;

use super::envelope::{Deltas, Observed, Temporalities, address, identity};
use super::thread::State;
use crate::config::TemporalityPreference;
use crate::view::Plan;

/// What streams were, and what they are from now on.
pub(super) struct Change<'a> {
    /// `None` if there were none.
    pub(super) before: Option<(&'a mut Plan, Temporalities)>,
    pub(super) after: (&'a mut Plan, TemporalityPreference),
    /// The time, and when the store began.
    pub(super) times: [u64; 2],
}

impl Deltas {
    /// All streams are those of another plan from now on, told with another temporality.
    pub(super) fn hand_over(&mut self, store: &Store, change: Change<'_>, observed: &Observed) {
        let Deltas { cursors, since } = self;
        let Change { before, after: (plan, after), times: [now, store_started] } = change;
        if after == TemporalityPreference::Cumulative {
            cursors.reshape(now, store_started);
            cursors.end_unclaimed(|_| true);
            return;
        }
        store.read(|reading| {
            // Streams that were not read yet are not new.
            if let Some((plan, before)) = before {
                for view in plan.streams(reading) {
                    let state = before.state(view.stream().kind(), observed.has(&view));
                    if state != State::Idle {
                        cursors.number(identity(view.stream()), state, 0);
                    }
                }
            }
            cursors.reshape(now, store_started);
            let there: HashSet<usize> =
                reading.families().map(|family| address(family.definition())).collect();
            let mut streams = plan.streams(reading);
            streams.retain(|view| after.is_delta(view.stream().kind(), observed.has(view)));
            // Names first: who is known by another one may only take what nobody has by name.
            let known: Vec<_> = streams.iter().map(|view| cursors.claim(identity(view.stream()))).collect();
            let mut told = cursors.taken();
            for (view, known) in streams.iter().zip(known) {
                let begins = cursors.go_on(identity(view.stream()), known);
                if let Some(thread) = begins.and_then(|number| cursors.thread(number)) {
                    view.each_as(true, |series| since.take(cursors, thread, series, &mut told));
                }
            }
            cursors.end_unclaimed(|metric| there.contains(&metric));
            cursors.delivered(told);
        });
    }
}
