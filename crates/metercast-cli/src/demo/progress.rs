//! A line each second while the load runs.

use std::time::Duration;

use metercast_tower::snapshot::Point;
use metercast_tower::{InMemoryReader, Store};
use tokio::time::{Instant, MissedTickBehavior};

use super::console::Console;
use super::receiver::Receiver;
use super::report::number;
use super::signals::Signals;
use super::tally::SharedTally;
use super::totals::{HTTP_ACTIVE, Metric, SETTLE_QUEUE};

/// What is shown.
pub(super) struct Progress<'a> {
    pub(super) console: &'a Console,
    pub(super) tally: &'a SharedTally,
    pub(super) visitors: &'a SharedTally,
    /// `None` if nothing is pushed to it.
    pub(super) receiver: Option<&'a Receiver>,
}

impl Progress<'_> {
    /// Shows it for so many seconds (0: without end), or until a signal.
    pub(super) async fn show_until(&self, seconds: u64, signals: &mut Signals) {
        let start = Instant::now();
        let mut second = tokio::time::interval_at(start + Duration::from_secs(1), Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut before = (start, 0);
        loop {
            tokio::select! {
                now = second.tick() => {
                    before = self.show(start, now, before);
                    if seconds > 0 && start.elapsed() >= Duration::from_secs(seconds) {
                        return;
                    }
                }
                () = signals.next() => return,
            }
        }
    }

    fn show(&self, start: Instant, now: Instant, (then, before): (Instant, u64)) -> (Instant, u64) {
        let (mut requests, mut refused, mut cancelled) = (0, 0, 0);
        for tally in [self.tally, self.visitors] {
            let tally = tally.lock();
            requests += tally.requests();
            refused += tally.refusals();
            cancelled += tally.cancellations();
        }
        let per_second = (requests - before) as f64 / (now - then).as_secs_f64();
        let pushes =
            self.receiver.map_or_else(|| "?".to_owned(), |receiver| number(receiver.messages() as f64));
        self.console.progress(&format!(
            "{:>4} s {:>11} requests {:>7}/s {:>8} refused {:>7} cancelled {:>4} in flight {:>5} pushes",
            (now - start).as_secs(),
            number(requests as f64),
            number(per_second.round()),
            number(refused as f64),
            number(cancelled as f64),
            in_flight(),
            pushes,
        ));
        (now, requests)
    }
}

/// How many requests the service is answering, as its metrics say.
pub(super) fn in_flight() -> i64 {
    total(&HTTP_ACTIVE)
}

/// How many orders wait to be settled, as its metrics say.
pub(super) fn queued() -> i64 {
    total(&SETTLE_QUEUE)
}

fn total(metric: &Metric) -> i64 {
    let snapshot = InMemoryReader::new(Store::global()).collect();
    let points = snapshot.family(metric.name).into_iter().flat_map(|family| &family.series);
    points.map(|series| if let Point::I64(value) = series.point { value } else { 0 }).sum()
}
