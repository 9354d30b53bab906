//! Hands out tickets, one for each request, at an even pace.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Tickets from 0, so many per second.
#[derive(Debug)]
pub(super) struct Pace {
    start: Instant,
    per_second: u32,
    next: AtomicU64,
}

impl Pace {
    /// Starts now; 0 per second is as many as are asked for.
    pub(super) fn new(per_second: u32) -> Pace {
        Pace { start: Instant::now(), per_second, next: AtomicU64::new(0) }
    }

    /// The next ticket, when its time has come. Who comes late gets it at once: the pace is made good.
    pub(super) async fn ticket(&self) -> u64 {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        if self.per_second > 0 {
            let second = u64::from(self.per_second);
            // In two steps, so that a long run does not overflow.
            let part = Duration::from_nanos((ticket % second) * 1_000_000_000 / second);
            tokio::time::sleep_until(self.start + Duration::from_secs(ticket / second) + part).await;
        }
        ticket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tickets_come_at_their_time() {
        let pace = Pace::new(1000);
        let start = Instant::now();
        for expected in 0..2500 {
            assert_eq!(pace.ticket().await, expected);
        }
        assert_eq!(start.elapsed(), Duration::from_millis(2499));
    }
}
