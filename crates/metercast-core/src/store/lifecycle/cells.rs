//! What is in the cells of a series: whether something was recorded there, and how much.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::Leaving;
use crate::definition::{Definition, Kind};
use crate::label::LabelSet;
use crate::number::NumberType;
use crate::store::exponential::Exponential;
use crate::store::layout::{Explicit, Layout};
use crate::store::line::{CellWord, Key};
use crate::store::{GaugeSlot, Inner};

/// What tells whether something was recorded: for gauges value and epoch, for others two of their words.
pub(super) type Recorded = (u64, u64);

/// Whether a word of a cell, one that can be added up, is a double.
pub(super) fn is_double(definition: &Definition, at: usize) -> bool {
    match definition.kind {
        Kind::Histogram | Kind::Summary => at == 0,
        _ => definition.number == NumberType::F64,
    }
}

impl Inner {
    /// Before their cells are used again; all at once, since the exemplars of all series are looked through.
    pub(super) fn forget_exemplars(&self, definition: &Definition, gone: &[Leaving]) {
        // Cells of gauges have numbers of their own.
        if self.exemplars.are_wanted() && definition.kind != Kind::Gauge {
            self.exemplars.forget(&gone.iter().map(|leaving| leaving.cell.slot()).collect());
        }
    }

    /// The buckets of a cell that has some.
    pub(super) fn buckets_of(&self, definition: &Definition, cell: CellWord) -> Option<&'static Layout> {
        let has_buckets = matches!(definition.kind, Kind::Histogram | Kind::Summary);
        has_buckets.then(|| self.dictionary.layout(cell))
    }

    /// What all regions hold in the exponential buckets of a cell that has some.
    pub(super) fn exponential(&self, definition: &Definition, cell: CellWord) -> Option<Exponential> {
        let (at, shape) = self.buckets_of(definition, cell)?.exponential()?;
        let slot = cell.slot() + at;
        let mut all = Exponential::default();
        let mut copy = vec![0; shape.words()];
        for region in self.regions.iter() {
            let Some(chunk) = region.series(slot) else { continue };
            region.read_at_once(|| {
                for (to, word) in copy.iter_mut().zip(chunk.words(slot, shape.words())) {
                    *to = word.load(Relaxed);
                }
            });
            if let Some(part) = shape.read(&copy) {
                all.merge(&part, shape);
            }
        }
        Some(all)
    }

    /// The words of a cell, added up over all regions, without those that are not added up.
    pub(super) fn totals(&self, definition: &Definition, cell: CellWord) -> Vec<u64> {
        if definition.kind == Kind::Gauge {
            return Vec::new();
        }
        let words = match self.buckets_of(definition, cell) {
            Some(layout) => layout.explicit().map_or(0, Explicit::words),
            None => self.words_of(definition, cell),
        };
        let total = |at: usize| {
            let slot = cell.slot() + at as u32;
            let chunks = self.regions.iter().filter_map(|region| region.series(slot));
            let words = chunks.map(|chunk| chunk.word(slot).load(Acquire));
            if is_double(definition, at) {
                words.map(f64::from_bits).sum::<f64>().to_bits()
            } else {
                words.fold(0, u64::wrapping_add)
            }
        };
        (0..words).map(total).collect()
    }

    /// What was recorded into a cell, in as much as two words can say.
    pub(super) fn recorded(&self, definition: &Definition, cell: CellWord) -> Recorded {
        let slot = cell.slot();
        let total = |slot: u32, count: usize| {
            self.regions.iter().filter_map(|region| region.series(slot)).fold(0u64, |total, chunk| {
                let words = chunk.words(slot, count).iter();
                words.fold(total, |total, word| total.wrapping_add(word.load(Acquire)))
            })
        };
        match (definition.kind, definition.number) {
            (Kind::Gauge, _) => match self.gauge(GaugeSlot::Series(slot)) {
                Some([bits, epoch]) => (bits.load(Acquire), epoch.load(Acquire)),
                _ => (0, 0),
            },
            (Kind::Counter, _) => (total(slot, 1), 0),
            (Kind::UpDownCounter, NumberType::F64) => {
                let sum = |slot: u32| {
                    let chunks = self.regions.iter().filter_map(|region| region.series(slot));
                    let bits = chunks.map(|chunk| chunk.word(slot).load(Acquire));
                    bits.map(f64::from_bits).sum::<f64>().to_bits()
                };
                (sum(slot), sum(slot + 1))
            }
            (Kind::UpDownCounter, _) => (total(slot, 1), total(slot + 1, 1)),
            // Each value counts in some word of the cell that there is.
            (Kind::Histogram | Kind::Summary, _) => {
                (total(slot + 1, self.words_of(definition, cell) - 1), slot.into())
            }
        }
    }

    /// The words of a cell.
    pub(super) fn words_of(&self, definition: &Definition, cell: CellWord) -> usize {
        match definition.kind {
            Kind::Counter => 1,
            Kind::UpDownCounter | Kind::Gauge => 2,
            Kind::Histogram | Kind::Summary => self.dictionary.layout(cell).words(),
        }
    }

    pub(in crate::store) fn labels_of(&self, number: u32) -> Option<Arc<LabelSet>> {
        match self.dictionary.line(number)?.key() {
            Key::Packed(packed) => {
                let shape = crate::label::Shape::get(packed.shape())?;
                Some(Arc::new(LabelSet::from_packed(&packed, shape.keys)))
            }
            Key::Wide { labels, .. } => self.dictionary.wide.share(labels),
            // An alias.
            Key::Long { .. } => None,
        }
    }
}
