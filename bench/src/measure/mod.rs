//! How it is measured: pinned threads, interleaved rounds, medians.

mod crew;
mod latencies;
mod rounds;
mod spread;

use std::time::Duration;

pub(crate) use crew::{Crew, cpus, pin, pinned};
pub(crate) use latencies::Latencies;
pub(crate) use rounds::{BATCH, Rounds, calibrate};
pub(crate) use spread::Spread;

/// How thorough a run is.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    /// Rounds of short batches, and the most rounds of long ones.
    pub(crate) rounds: usize,
    /// How long the rounds of one case with long batches may take; one round is always made.
    pub(crate) budget: Duration,
    /// Up to how many series are read and checked once more after the rounds.
    pub(crate) rereads: usize,
    /// How long a stall is waited for.
    pub(crate) stall: Duration,
    /// Whether all projects of the `build` group are checked, which takes minutes.
    pub(crate) checks_all: bool,
}

impl Effort {
    pub(crate) const FULL: Effort = Effort {
        rounds: 51,
        budget: Duration::from_secs(60),
        rereads: usize::MAX,
        stall: Duration::from_secs(5),
        checks_all: true,
    };

    pub(crate) const QUICK: Effort = Effort {
        rounds: 15,
        budget: Duration::from_secs(2),
        rereads: 100_000,
        stall: Duration::from_secs(1),
        checks_all: false,
    };
}
