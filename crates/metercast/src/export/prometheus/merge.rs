//! Series that are spelled alike stand on the page once. Finding that out costs memory for each of them, so it is done only
//! where two may be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use metercast_core::Kind;

use super::series::Series;

/// The series under one name, each once, in the order in which they came.
#[derive(Default)]
pub(super) struct Merged {
    series: Vec<Series>,
    /// Where labels stand, under what they are if sorted.
    places: HashMap<Vec<(String, String)>, usize>,
}

impl Merged {
    /// Takes a series of a metric of this kind.
    pub(super) fn add(&mut self, series: Series, kind: Kind) {
        match self.places.entry(series.labels.sorted()) {
            Entry::Vacant(free) => {
                free.insert(self.series.len());
                self.series.push(series);
            }
            // Labels that differ only in what a page cannot show.
            Entry::Occupied(there) => {
                let first = &mut self.series[*there.get()];
                if kind != Kind::Gauge {
                    first.value.add(&series.value);
                }
                first.started_unix_nanos = first.started_unix_nanos.min(series.started_unix_nanos);
                first.exemplars.extend(series.exemplars);
            }
        }
    }

    /// All of them.
    pub(super) fn series(&self) -> impl Iterator<Item = &Series> {
        self.series.iter()
    }
}
