//! What is done at the cell of a series.

use std::cell::Cell;
use std::sync::atomic::Ordering::Acquire;

use crate::held::Hold;
use crate::local::{self, Write};
use crate::number::Number;
use crate::store::deferred::What;
use crate::store::line::CellWord;
use crate::store::region::Region;
use crate::store::{Found, GaugeSlot, Inner};

/// Word 0 of an up-down cell takes the ups, word 1 the downs: both only grow, so a reading that takes the downs
/// first never sees less than there is.
#[inline(always)]
pub(crate) fn up_or_down<N: Number>(amount: N) -> (u32, N) {
    (u32::from(amount.is_negative()), amount.magnitude())
}

/// Holds a series.
pub(crate) struct Take(pub(crate) Cell<Option<Hold>>);

impl Write for Take {
    fn write(&self, _: &Inner, _: &Region, _: CellWord) -> bool {
        false
    }

    fn write_at(&self, found: &Found<'_>) -> bool {
        if let Some(side) = found.store.dictionary.side(found.number) {
            side.hold();
        }
        self.0.set(Some(Hold { cell: found.cell, number: found.number }));
        true
    }

    fn later(&self) -> Option<What> {
        None
    }
}

/// Adds to one word of a cell.
#[derive(Clone, Copy)]
pub(crate) struct Add<N> {
    pub(crate) word: u32,
    pub(crate) amount: N,
}

impl<N: Number> Write for Add<N> {
    #[inline(always)]
    fn write(&self, _: &Inner, region: &Region, cell: CellWord) -> bool {
        local::add_series(region, cell.slot() + self.word, self.amount)
    }

    fn measured(&self) -> Option<f64> {
        Some(self.amount.to_f64())
    }

    fn later(&self) -> Option<What> {
        Some(What::Add { word: self.word, number: N::TYPE, bits: self.amount.bits() })
    }
}

/// Records into a histogram.
#[derive(Clone, Copy)]
pub(crate) struct Record(pub(crate) f64);

impl Write for Record {
    #[inline(always)]
    fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool {
        local::record_series(region, cell.slot(), store.dictionary.layout(cell), self.0)
    }

    fn write_at(&self, found: &Found<'_>) -> bool {
        self.write(found.store, found.region, found.cell) || found.store.keep(found, self.0)
    }

    fn measured(&self) -> Option<f64> {
        Some(self.0)
    }

    fn later(&self) -> Option<What> {
        Some(What::Record(self.0))
    }
}

/// Records a value so many times. None makes the series appear.
#[derive(Clone, Copy)]
pub(crate) struct RecordMany {
    pub(crate) value: f64,
    pub(crate) times: u64,
}

impl Write for RecordMany {
    fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool {
        if self.times == 0 {
            return true;
        }
        let Some(chunk) = region.series(cell.slot()) else { return false };
        // Without buckets yet it is given them: many values are not kept as they are.
        let layout = store.dictionary.layout(cell);
        region.at_once(|| layout.record_many(chunk, cell.slot(), self.value, self.times))
    }

    fn measured(&self) -> Option<f64> {
        (self.times > 0).then_some(self.value)
    }

    fn later(&self) -> Option<What> {
        None
    }
}

/// Brings a counter to at least so much. Whoever does is alone in doing so.
pub(crate) struct Raise(pub(crate) u64);

impl Write for Raise {
    fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool {
        let slot = cell.slot();
        let cells = store.regions.iter().filter_map(|region| region.series(slot));
        let total = cells.fold(0u64, |total, chunk| total.wrapping_add(chunk.word(slot).load(Acquire)));
        match self.0.checked_sub(total) {
            None | Some(0) => true,
            Some(lacking) => local::add_series(region, slot, lacking),
        }
    }

    fn later(&self) -> Option<What> {
        None
    }
}

/// Changes a gauge.
#[derive(Clone, Copy)]
pub(crate) enum Change<N> {
    /// To a value.
    To(N),
    /// By an amount; integers wrap.
    By(N),
}

impl<N: Number> Change<N> {
    #[inline(always)]
    pub(crate) fn of(self, bits: u64) -> u64 {
        match self {
            Change::To(value) => value.bits(),
            Change::By(amount) => N::from_bits(bits).plus(amount).bits(),
        }
    }

    #[inline(always)]
    pub(crate) fn value(self) -> N {
        match self {
            Change::To(value) | Change::By(value) => value,
        }
    }
}

impl<N: Number> Write for Change<N> {
    #[inline(always)]
    fn write(&self, store: &Inner, _: &Region, cell: CellWord) -> bool {
        let gauge = GaugeSlot::Series(cell.slot());
        match self {
            Change::To(value) => store.set_gauge(gauge, value.bits()),
            Change::By(_) => store.change_gauge(gauge, |bits| self.of(bits)),
        }
    }

    fn write_fixed_gauge(&self, store: &Inner, slot: u32) {
        store.change_mapped(GaugeSlot::Fixed(slot), |bits| self.of(bits));
    }

    fn later(&self) -> Option<What> {
        Some(match self {
            Change::To(value) => What::Set(value.bits()),
            Change::By(amount) => What::Change { number: N::TYPE, bits: amount.bits() },
        })
    }
}
