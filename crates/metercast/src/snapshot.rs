//! One reading of the store at one moment: what exporters see instead of cells.

use std::time::SystemTime;

pub use metercast_core::reading::{Buckets, Family, Point, Series};

/// Everything that a store held when it was read. Values are cumulative: everything since `Series::started`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// When the store was read.
    pub time: SystemTime,
    /// The metrics that have a series, sorted by name, each name once, or once for each [scope](metercast_core::Scope) that
    /// has it.
    pub families: Vec<Family>,
}

impl Snapshot {
    /// Reads `store` now.
    pub fn of(store: &metercast_core::Store) -> Snapshot {
        Snapshot { time: store.time(), families: store.collect() }
    }

    /// The metric of this name; of those that several [scopes](metercast_core::Scope) have, the first.
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.definition.name() == name)
    }

    /// How many points there are: one for each series.
    pub fn points(&self) -> usize {
        self.families.iter().map(|family| family.series.len()).sum()
    }
}
