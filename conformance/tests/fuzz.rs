//! Random recordings come back from every format as they were made, whoever reads it.

use conformance::{Given, Random, run_all, use_programs};

mod judges;

use judges::{Judged, judge};

/// Any other is as good; that it is fixed makes a fault appear again.
const SEED: u64 = 20_261_101;

#[test]
fn what_is_recorded_at_random_comes_back_from_every_format() {
    let name = "what_is_recorded_at_random_comes_back_from_every_format";
    if !use_programs(name, "prometheus, prometheus-pushgateway, victoria-metrics, Python packages") {
        return;
    }
    let rounds = if std::env::var_os("METERCAST_LONG").is_some() { 10 } else { 1 };
    for round in 0..rounds {
        let mut random = Random::new(SEED + round);
        // Not new ones for each case: what a program defines stays, and slows every reading down.
        let metrics: Vec<_> = (0..30).map(|group| random.metrics(&format!("r{round}g{group}"))).collect();
        let cases: Vec<(String, Given)> = (0..200)
            .map(|number| (format!("r{round}n{number}"), random.given(&metrics[number % metrics.len()])))
            .collect();
        let outcomes = run_all(&cases);
        let judged = cases.into_iter().zip(outcomes);
        let judged = judged.map(|((name, given), outcome)| Judged { name, given, outcome });
        judge(&judged.collect::<Vec<_>>());
    }
}
