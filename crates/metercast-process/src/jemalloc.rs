//! What jemalloc says of the memory that it has.

use std::fmt;
use std::sync::Arc;

use metercast_core::{Observation, metrics};
use tikv_jemalloc_ctl::{Error, epoch, epoch_mib, stats};

use crate::shared::Shared;

metrics! {
    /// Bytes that the program has allocated.
    static ALLOCATED: ObservableUpDownCounter<i64> = "jemalloc.allocated" { unit: "By" };
    /// Bytes in pages that hold what the program has allocated.
    static ACTIVE: ObservableUpDownCounter<i64> = "jemalloc.active" { unit: "By" };
    /// Bytes that the allocator needs for itself.
    static METADATA: ObservableUpDownCounter<i64> = "jemalloc.metadata" { unit: "By" };
    /// Bytes of physical memory that the allocator has mapped.
    static RESIDENT: ObservableUpDownCounter<i64> = "jemalloc.resident" { unit: "By" };
    /// Bytes that the allocator has mapped and uses.
    static MAPPED: ObservableUpDownCounter<i64> = "jemalloc.mapped" { unit: "By" };
    /// Bytes of addresses that the allocator keeps, which may have no memory behind them.
    static RETAINED: ObservableUpDownCounter<i64> = "jemalloc.retained" { unit: "By" };
}

/// What jemalloc said last, in the order of the metrics.
type Said = [usize; 6];

/// How jemalloc is asked.
struct Questions {
    epoch: epoch_mib,
    allocated: stats::allocated_mib,
    active: stats::active_mib,
    metadata: stats::metadata_mib,
    resident: stats::resident_mib,
    mapped: stats::mapped_mib,
    retained: stats::retained_mib,
}

impl Questions {
    fn new() -> Result<Questions, Error> {
        Ok(Questions {
            epoch: epoch::mib()?,
            allocated: stats::allocated::mib()?,
            active: stats::active::mib()?,
            metadata: stats::metadata::mib()?,
            resident: stats::resident::mib()?,
            mapped: stats::mapped::mib()?,
            retained: stats::retained::mib()?,
        })
    }

    /// All of one moment.
    fn ask(&self) -> Result<Said, Error> {
        // What it says is of the last epoch.
        self.epoch.advance()?;
        Ok([
            self.allocated.read()?,
            self.active.read()?,
            self.metadata.read()?,
            self.resident.read()?,
            self.mapped.read()?,
            self.retained.read()?,
        ])
    }
}

/// Observes jemalloc in the current store, until what is returned is dropped: `jemalloc.allocated`, `.active`, `.metadata`, `.resident`,
/// `.mapped` and `.retained`, in bytes, as its manual describes them (`stats.*`). It is asked once for each reading.
///
/// That is the jemalloc of `tikv-jemallocator` 0.7. A program whose allocator it is not finds little in it.
///
/// # Errors
///
/// jemalloc was compiled without statistics.
#[track_caller]
pub fn jemalloc() -> Result<JemallocObservation, JemallocError> {
    let questions = Questions::new().map_err(|cause| JemallocError { cause })?;
    let shared = Arc::new(Shared::new(move || questions.ask().ok()));
    let mut observations = Vec::new();
    let gauges = [&ALLOCATED, &ACTIVE, &METADATA, &RESIDENT, &MAPPED, &RETAINED];
    for (at, gauge) in gauges.into_iter().enumerate() {
        let shared = Arc::clone(&shared);
        observations.push(gauge.observe(move |gauge| {
            if let Some(said) = shared.read(at) {
                gauge.set(i64::try_from(said[at]).unwrap_or(i64::MAX));
            }
        }));
    }
    Ok(JemallocObservation { observations })
}

/// There is nothing that jemalloc could be asked.
#[derive(Debug)]
pub struct JemallocError {
    cause: Error,
}

impl fmt::Display for JemallocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = &self.cause;
        write!(f, "jemalloc has no statistics: {cause}; compile it with them, or leave its metrics out")
    }
}

impl std::error::Error for JemallocError {}

/// jemalloc, observed until this is dropped.
#[must_use = "dropping it ends the observation at once; keep it, or call `forever`"]
pub struct JemallocObservation {
    observations: Vec<Observation>,
}

impl JemallocObservation {
    /// Observes it for as long as the store lives.
    pub fn forever(self) {
        self.observations.into_iter().for_each(Observation::forever);
    }
}

impl fmt::Debug for JemallocObservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JemallocObservation").finish_non_exhaustive()
    }
}
