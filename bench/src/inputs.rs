//! What is recorded: label values and amounts, prepared once and picked in an order that no processor can learn.
//!
//! In a repeating order a branch predictor memorizes the lengths of the strings, and every lookup looks two to three
//! times cheaper than it will be.

use std::sync::OnceLock;

/// Values of `method`, `route` and `status`; all combinations of them are used.
pub(crate) const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
pub(crate) const ROUTES: [&str; 5] =
    ["/health", "/orders", "/orders/{id}", "/users/{id}", "/orders/{id}/items"];
pub(crate) const STATUSES: [u16; 2] = [200, 503];

/// How the statuses are called where a label is an enum.
pub(crate) const OUTCOMES: [&str; 2] = ["ok", "unavailable"];

pub(crate) const COMBINATIONS: usize = METHODS.len() * ROUTES.len() * STATUSES.len();

/// The upper bounds of the histograms, in seconds.
pub(crate) const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// One set of labels as a request has them: strings of its own.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    pub(crate) method: String,
    pub(crate) route: String,
    pub(crate) status: u16,
}

/// Where a combination stands in [`METHODS`], [`ROUTES`] and [`STATUSES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Combination {
    pub(crate) method: usize,
    pub(crate) route: usize,
    pub(crate) status: usize,
}

impl Combination {
    /// All of them, in order.
    pub(crate) fn all() -> impl Iterator<Item = Combination> {
        (0..COMBINATIONS).map(|index| Combination {
            method: index % 5,
            route: index / 5 % 5,
            status: index / 25,
        })
    }
}

/// The labels of every combination.
pub(crate) fn combinations() -> Vec<Labels> {
    let sets = Combination::all();
    sets.map(|at| Labels {
        method: METHODS[at.method].to_owned(),
        route: ROUTES[at.route].to_owned(),
        status: STATUSES[at.status],
    })
    .collect()
}

impl Labels {
    /// The labels of the series with this number, of any number of series; each has its own.
    pub(crate) fn of_series(index: usize) -> Labels {
        Labels {
            method: METHODS[index % 5].to_owned(),
            route: format!("/api/v1/items/{:05}", index / 10),
            status: STATUSES[index / 5 % 2],
        }
    }
}

/// How many inputs are prepared.
const INPUTS: usize = 1024;

#[derive(Debug)]
struct Prepared {
    order: [u8; INPUTS],
    values: [f64; INPUTS],
}

/// Picks of one thread: a combination, and an amount for it.
#[derive(Clone, Debug)]
pub(crate) struct Picks {
    prepared: &'static Prepared,
    state: u64,
}

impl Picks {
    pub(crate) fn new(seed: u64) -> Picks {
        static PREPARED: OnceLock<Prepared> = OnceLock::new();
        let prepared = PREPARED.get_or_init(|| {
            let mut state = 7;
            let mut next = || advance(&mut state) >> 33;
            let order = std::array::from_fn(|_| (next() % COMBINATIONS as u64) as u8);
            // As many of each size from half a millisecond to ten seconds.
            let values =
                std::array::from_fn(|_| 0.0005 * 20_000f64.powf(next() as f64 / (1u64 << 31) as f64));
            Prepared { order, values }
        });
        Picks { prepared, state: seed.wrapping_add(1) }
    }

    /// The number of a combination, and an amount in seconds.
    #[inline(always)]
    pub(crate) fn pick(&mut self) -> (usize, f64) {
        let at = (advance(&mut self.state) >> 54) as usize;
        (usize::from(self.prepared.order[at]), self.prepared.values[at])
    }

    /// A number below `end`.
    #[inline]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(advance(&mut self.state)) * end as u128) >> 64) as usize
    }
}

/// A linear congruential generator, whose high bits are good enough here; two instructions.
#[inline(always)]
fn advance(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn all_combinations_are_picked_about_as_often() {
        let mut picks = Picks::new(1);
        let mut times = BTreeMap::new();
        for _ in 0..100_000 {
            let (index, value) = picks.pick();
            assert!((0.0005..=10.0).contains(&value), "{value}");
            *times.entry(index).or_insert(0) += 1;
        }
        assert_eq!(times.len(), COMBINATIONS);
        assert!(times.values().all(|times| (800..4000).contains(times)), "{times:?}");
    }

    #[test]
    fn every_series_has_labels_of_its_own() {
        let sets =
            (0..10_000).map(Labels::of_series).map(|labels| (labels.method, labels.route, labels.status));
        assert_eq!(sets.collect::<BTreeSet<_>>().len(), 10_000);
        let sets = combinations().into_iter().map(|labels| (labels.method, labels.route, labels.status));
        assert_eq!(sets.collect::<BTreeSet<_>>().len(), COMBINATIONS);
    }
}
