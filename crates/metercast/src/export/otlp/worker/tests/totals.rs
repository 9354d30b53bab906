//! Whatever a receiver does: what it holds in the end is what was recorded.

use std::collections::HashSet;

use super::*;
use crate::config::TemporalityPreference;

/// Numbers that look random and are the same in each run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

pub(super) fn some_fault(numbers: &mut Numbers) -> Play {
    let play = match numbers.below(9) {
        0 => status(503),
        1 => status(429).waiting(SECOND * numbers.below(200) as u32),
        2 => status(401),
        3 => status(500),
        4 => answers(Cause::Closed),
        5 => status(502),
        6 => hangs(),
        7 => answers(Cause::Protocol("HTTP/1.1", Arc::new(io::Error::other("garbage")))),
        _ => return taken(),
    };
    let may_be_taken = matches!(&play.answer, Err(failure) if failure.outcome().is_in_doubt());
    if may_be_taken && numbers.below(2) == 0 { play.taken() } else { Play { takes: false, ..play } }
}

#[tokio::test(start_paused = true)]
async fn deltas_that_arrived_add_up_to_what_was_recorded_after_any_faults() {
    for seed in 0..100 {
        let mut numbers = Numbers(seed);
        let mut settings = settings();
        settings.options.temporality = TemporalityPreference::Delta;
        let script: Vec<_> = (0..30).map(|_| some_fault(&mut numbers)).collect();
        play(settings, script, async |stage| {
            let mut recorded = 0;
            for _ in 0..20 {
                for _ in 0..numbers.below(4) {
                    stage.order();
                    recorded += 1;
                }
                match numbers.below(3) {
                    0 => drop(stage.flush(SECOND * numbers.below(20) as u32).await),
                    _ => sleep(SECOND * numbers.below(200) as u32).await,
                }
            }
            // The script is over at the latest now, and nobody is silent for longer than this.
            while stage.flush(300 * SECOND).await.is_err() {}
            let mut seen = HashSet::new();
            let arrived: i64 = stage
                .sent()
                .iter()
                .filter(|sent| sent.is_taken && seen.insert(sent.body.clone()))
                .map(Sent::orders)
                .sum();
            assert_eq!(arrived, recorded, "seed {seed}");
        })
        .await;
    }
}
