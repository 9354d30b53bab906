//! The requests of a reading that nobody has heard of yet, so that nothing expires before it is delivered.

use std::time::{Instant, SystemTime};

use metercast_core::{Store, Witness};

use super::request::Request;

/// The requests of the last reading.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Counts the readings, from 1.
    reading: u64,
    began: Option<Instant>,
    /// Of how many nothing is known yet.
    open: usize,
    /// With the start of its store.
    witness: Option<(SystemTime, Witness)>,
}

impl Pending {
    /// What happens in this store from now on is to be delivered.
    pub(super) fn watch(&mut self, store: &Store) {
        let started = store.started();
        if self.witness.as_ref().is_none_or(|(known, _)| *known != started) {
            self.witness = Some((started, store.witness()));
        }
    }

    /// A reading of this store begins.
    pub(super) fn begin(&mut self, store: &Store) {
        self.watch(store);
        self.reading += 1;
        self.began = Some(Instant::now());
    }

    /// The reading came to these requests.
    pub(super) fn wait_for(&mut self, requests: &mut [Request]) {
        requests.iter_mut().for_each(|request| request.reading = self.reading);
        self.open = requests.len();
        self.tell();
    }

    /// The request needs not be waited for any more.
    pub(super) fn settle(&mut self, request: &Request) {
        if request.reading == self.reading {
            self.open = self.open.saturating_sub(1);
            self.tell();
        }
    }

    fn tell(&self) {
        if let (0, Some((_, witness)), Some(began)) = (self.open, &self.witness, self.began) {
            witness.has_seen(began);
        }
    }
}
