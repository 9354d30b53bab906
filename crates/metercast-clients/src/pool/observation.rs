//! A pool that is being measured.

use std::time::Duration;

use metercast_core::{Instrument, Observation};

use super::state::PoolState;
use crate::sampler::Sampling;

/// What a series takes of a pool's state.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Count(fn(&PoolState) -> Option<u64>),
    Time(fn(&PoolState) -> Option<Duration>),
}

/// A series of a metric: the label that it has beside those of all, and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    pub(super) label: Option<(&'static str, &'static str)>,
    pub(super) read: Read,
}

/// A metric of a pool.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) instrument: Instrument,
    pub(super) series: Vec<Series>,
}

/// A pool that is measured until this is dropped; from the next reading on its series are gone.
#[must_use = "dropping it ends the measuring at once; keep it, or call `forever`"]
#[derive(Debug)]
pub struct PoolObservation {
    observations: Vec<Observation>,
    sampling: Option<Sampling>,
}

impl PoolObservation {
    pub(super) fn new(observations: Vec<Observation>) -> PoolObservation {
        PoolObservation { observations, sampling: None }
    }

    pub(super) fn with(self, sampling: Sampling) -> PoolObservation {
        PoolObservation { sampling: Some(sampling), ..self }
    }

    /// Measures for as long as the store lives, and the runtime if it samples.
    pub fn forever(self) {
        self.observations.into_iter().for_each(Observation::forever);
        if let Some(sampling) = self.sampling {
            sampling.forever();
        }
    }
}
