//! Threads that record all the time and know what they recorded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use metercast::{Store, metrics};

use crate::support::random::Random;

metrics! {
    /// Orders taken.
    static ORDERS: Counter<u64> = "soak.orders" { labels: { side: &str, region: &str } };
    /// Orders open.
    static OPEN: UpDownCounter<i64> = "soak.open" { labels: { side: &str, region: &str } };
    /// Time waited.
    static WAIT: Histogram<f64> = "soak.wait" {
        unit: "s", buckets: [0.25, 1.0, 2.5, 5.0], labels: { side: &str, region: &str }
    };
    /// What nobody asks for.
    static NOISE: Counter<u64> = "soak.noise" { visibility: private };
}

pub(crate) const SIDES: [&str; 2] = ["buy", "sell"];
pub(crate) const REGIONS: [&str; 3] = ["eu", "us", "ap"];
pub(crate) const BOUNDS: [f64; 4] = [0.25, 1.0, 2.5, 5.0];

/// What was recorded under one side and region. Doubles are multiples of 1/64, so that sums are exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) orders: f64,
    pub(crate) open: f64,
    pub(crate) waits: [u64; BOUNDS.len() + 1],
    pub(crate) waited: f64,
}

impl Recorded {
    pub(crate) fn add(&mut self, other: &Recorded) {
        self.orders += other.orders;
        self.open += other.open;
        self.waits.iter_mut().zip(other.waits).for_each(|(all, more)| *all += more);
        self.waited += other.waited;
    }

    pub(crate) fn count(&self) -> f64 {
        self.waits.iter().sum::<u64>() as f64
    }
}

/// By side and region.
pub(crate) type Truth = BTreeMap<(&'static str, &'static str), Recorded>;

/// Records until it is `done`.
pub(crate) fn record(store: &Store, seed: u64, done: &AtomicBool) -> Truth {
    let mut random = Random::new(seed);
    let mut truth = Truth::new();
    while !done.load(Ordering::Relaxed) {
        for _ in 0..16 {
            let labels = (random.pick(&SIDES), random.pick(&REGIONS));
            let there = truth.entry(labels).or_default();
            let (orders, open) = (1 + random.below(3), random.below(7) as i64 - 3);
            let waited = (1 + random.below(640)) as f64 / 64.0;
            store.scope(|| {
                ORDERS.add(orders as u64, labels);
                OPEN.add(open, labels);
                WAIT.record(waited, labels);
                NOISE.add(1);
            });
            there.orders += orders as f64;
            there.open += open as f64;
            there.waits[BOUNDS.iter().take_while(|bound| waited > **bound).count()] += 1;
            there.waited += waited;
        }
        // The machine is to do something else as well.
        std::thread::yield_now();
    }
    truth
}
