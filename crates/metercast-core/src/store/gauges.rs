//! The gauges of a store: one cell each, whichever threads set them.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::Inner;
use crate::{lock, own};

/// Where a gauge lives in its store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GaugeSlot {
    /// The same in all stores.
    Fixed(u32),
    /// Of a dynamic series.
    Series(u32),
}

impl Inner {
    /// The words of a gauge: its bits, and the epoch in which it was set, 0 if it never was.
    #[inline]
    pub(crate) fn gauge(&self, cell: GaugeSlot) -> Option<&[AtomicU64]> {
        match cell {
            GaugeSlot::Fixed(slot) => self.fixed_gauges.chunk(slot).map(|chunk| chunk.words(slot, 2)),
            GaugeSlot::Series(slot) => self.series_gauges.chunk(slot).map(|chunk| chunk.words(slot, 2)),
        }
    }

    /// The same as the hot path sees it.
    #[inline]
    fn shown_gauge(&self, cell: GaugeSlot) -> Option<&[AtomicU64]> {
        match cell {
            GaugeSlot::Fixed(slot) => self.fixed_gauges.shown(slot).map(|chunk| chunk.words(slot, 2)),
            GaugeSlot::Series(_) => self.gauge(cell),
        }
    }

    /// Makes room for a gauge; false if that is out of reach.
    #[cold]
    pub(crate) fn map_gauge(&self, cell: GaugeSlot) -> bool {
        self.started();
        let one_at_a_time = lock::patiently(&self.mapping);
        if one_at_a_time.is_some() {
            match cell {
                GaugeSlot::Fixed(slot) => self.fixed_gauges.map_alone(slot, self.is_watched()),
                GaugeSlot::Series(slot) => _ = self.series_gauges.map_alone(slot),
            }
        }
        one_at_a_time.is_some()
    }

    /// Sets a gauge that is mapped; false if it is not, or hidden.
    #[inline]
    pub(crate) fn set_gauge(&self, cell: GaugeSlot, bits: u64) -> bool {
        let Some(words) = self.shown_gauge(cell) else { return false };
        words[0].store(bits, Relaxed);
        words[1].store(self.epoch.load(Relaxed), Release);
        true
    }

    /// Changes a gauge, which is mapped first if need be.
    pub(crate) fn change_mapped(&self, cell: GaugeSlot, change: impl Fn(u64) -> u64) {
        if self.shown_gauge(cell).is_none() {
            self.map_gauge(cell);
        }
        if !self.change_gauge(cell, change) {
            own::unable();
        }
    }

    /// Changes a gauge that is mapped; false if it is not.
    #[inline]
    pub(crate) fn change_gauge(&self, cell: GaugeSlot, change: impl Fn(u64) -> u64) -> bool {
        let Some(words) = self.gauge(cell) else { return false };
        let mut bits = words[0].load(Acquire);
        while let Err(now) = words[0].compare_exchange_weak(bits, change(bits), AcqRel, Acquire) {
            bits = now;
        }
        words[1].store(self.epoch.load(Relaxed), Release);
        true
    }
}
