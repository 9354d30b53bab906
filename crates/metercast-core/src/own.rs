//! What the record side counts about itself.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::definition::Descriptor;
use crate::store::Inner;
use crate::{early, local};

crate::labels! {
    /// Why a recording was dropped.
    pub(crate) enum Reason {
        /// The value is NaN or infinite.
        NotFinite,
        /// The value is negative where the instrument cannot be, or too large for it.
        Negative = "out_of_range",
        /// The metric's definition is not valid.
        Definition = "invalid_definition",
        /// Something was out of reach: the allocator recorded while we were making a series, or a fork left a lock
        /// behind.
        Unable = "out_of_reach",
    }
}

crate::metrics! {
    /// Recordings that made no sense and were not kept, by reason.
    static RECORDINGS_DROPPED: Counter<u64> = "metercast.recordings.dropped" {
        unit: "{recording}", labels: { reason: Reason }
    };
    /// Metrics that reached their limit of series, by the metric's name: how often.
    static LIMITS_REACHED: Counter<u64> = "metercast.series.limits_reached" {
        unit: "{event}", labels: { metric: &str }
    };
}

/// Counts that a metric became full.
#[cold]
pub(crate) fn full(metric: &str) {
    if metric != "metercast.series.limits_reached" {
        local::for_ourselves(|| LIMITS_REACHED.add(1, (metric,)));
    }
}

/// What was out of reach since the last reading.
static UNABLE: AtomicU64 = AtomicU64::new(0);

/// Counts a recording that could not be kept, where not even that can be recorded.
#[cold]
pub(crate) fn unable() {
    UNABLE.fetch_add(1, Relaxed);
}

/// Records what could not be recorded before. `store` is the current one.
pub(crate) fn settle(store: &Inner) {
    if !store.is_enabled() {
        return;
    }
    let unable = UNABLE.swap(0, Relaxed);
    if unable > 0 {
        RECORDINGS_DROPPED.add(unable, (Reason::Unable,));
    }
    // An allocator is the program's, and so is what it counts.
    if store.is_global() {
        early::settle(store);
    }
}

/// Counts a recording that was not kept.
#[cold]
pub(crate) fn dropped(of: &Descriptor, reason: Reason) {
    dropped_by(of.name, reason);
}

/// [`dropped`], of the metric of this name.
#[cold]
pub(crate) fn dropped_by(metric: &str, reason: Reason) {
    // Should somebody else own our name with another meaning, we must not count that by ourselves.
    if metric != "metercast.recordings.dropped" {
        local::for_ourselves(|| RECORDINGS_DROPPED.add(1, (reason,)));
    }
}

/// [`dropped`], where nothing has looked yet whether the store is on.
#[cold]
pub(crate) fn dropped_if_enabled(of: &Descriptor, reason: Reason) {
    if local::is_enabled() {
        dropped(of, reason);
    }
}
