//! The dynamic series of one store: which labels have which cell.
//!
//! Looking a series up takes no lock and writes nothing. A series that is not there yet is made under a lock.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::blocks::Blocks;
use super::directory::CHUNK_WORDS;
use super::layout::Layout;
use super::line::{Cold, Line, LineKey};
use super::table::Table;
use crate::definition::{Definition, Kind};
use crate::label::{Faults, KeyValue, LabelSet, Pairs, choose_seed, hash_of};

/// Where the value of a dynamic series lives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    /// One word in each region.
    Sum(u32),
    /// Two words in each region: ups and downs.
    UpDown(u32),
    /// Two words in the store: bits and epoch.
    Gauge(u32),
    /// A count for each bucket and the sum, in each region.
    Histogram(u32, &'static Layout),
}

/// What making a series gave.
pub(crate) struct Made<'a> {
    pub(crate) cell: Cell,
    /// What was wrong with the labels.
    pub(crate) faults: Faults<'a>,
    /// Whether the metric has just reached its limit.
    pub(crate) full: bool,
}

/// The series of a store, from first use to the end of the store.
pub(crate) struct Dictionary {
    table: Table,
    lines: Blocks<Line>,
    cold: Blocks<Cold>,
    /// The buckets that the histograms of this store have.
    layouts: Blocks<&'static Layout>,
    writer: Mutex<Option<Writer>>,
}

/// What only the one who makes a series needs.
#[derive(Default)]
struct Writer {
    /// Per definition: its lines in the order of their creation.
    by_definition: HashMap<u32, Vec<u32>, BuildHasherDefault<Spread>>,
    /// The first free word of the regions' dynamic cells.
    next_slot: u32,
    /// The first free word of the store's dynamic gauges.
    next_gauge: u32,
}

/// Series of one metric; beyond it everything lands in one overflow series.
pub(crate) const SERIES_LIMIT: usize = 2000;

/// Metrics SDK, "Cardinality limits": the label of the series that takes what is over the limit.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

impl Dictionary {
    pub(crate) const fn new() -> Dictionary {
        Dictionary {
            table: Table::new(),
            lines: Blocks::new(),
            cold: Blocks::new(),
            layouts: Blocks::new(),
            writer: Mutex::new(None),
        }
    }

    /// The cell of the series with these labels, if there is one.
    #[inline(always)]
    pub(crate) fn find<P: Pairs + ?Sized>(&self, definition: &Definition, pairs: &P) -> Option<Cell> {
        let (hash, key) = pairs.query(definition.id);
        let number = self.table.find(hash, |number| self.is(number, &key, definition.id, pairs))?;
        self.lines.get(number).map(|line| self.cell_of(definition.kind, line))
    }

    #[inline(always)]
    fn is<P: Pairs + ?Sized>(&self, number: u32, key: &LineKey, definition: u32, pairs: &P) -> bool {
        let Some(line) = self.lines.get(number) else { return false };
        line.key().same(key).unwrap_or_else(|| self.is_by_labels(number, definition, pairs))
    }

    #[cold]
    fn is_by_labels<P: Pairs + ?Sized>(&self, number: u32, definition: u32, pairs: &P) -> bool {
        self.cold.get(number).is_some_and(|cold| cold.definition == definition && cold.labels.is(pairs))
    }

    #[inline(always)]
    fn cell_of(&self, kind: Kind, line: &Line) -> Cell {
        match kind {
            Kind::Counter => Cell::Sum(line.slot),
            Kind::UpDownCounter => Cell::UpDown(line.slot),
            Kind::Gauge => Cell::Gauge(line.slot),
            Kind::Histogram => {
                let layout = self.layouts.get(u32::from(line.layout));
                Cell::Histogram(line.slot, layout.copied().unwrap_or_else(Layout::fallback))
            }
        }
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cell of the series with these labels, made if nobody else made it meanwhile.
    #[cold]
    pub(crate) fn make<'a, P: Pairs + ?Sized>(
        &self,
        definition: &Definition,
        layout: Option<&'static Layout>,
        pairs: &'a P,
    ) -> Made<'a> {
        choose_seed();
        let (labels, faults) = LabelSet::of(pairs);
        // Labels that had to be mended are never found as they are given, only as they are kept.
        if faults.any()
            && let Some(cell) = self.find(definition, &labels)
        {
            return Made { cell, faults, full: false };
        }
        let mut guard = self.writer();
        let writer = guard.get_or_insert_default();
        if let Some(cell) = self.find(definition, &labels) {
            return Made { cell, faults, full: false };
        }
        if writer.by_definition.get(&definition.id).is_none_or(|of| of.len() < SERIES_LIMIT) {
            let key = pairs.query(definition.id).1;
            return Made { cell: self.insert(writer, definition, layout, labels, key), faults, full: false };
        }
        let overflow = LabelSet::of(&[KeyValue::new(OVERFLOW, true)][..]).0;
        match self.find(definition, &overflow) {
            Some(cell) => Made { cell, faults, full: false },
            None => Made {
                cell: self.insert(writer, definition, layout, overflow, LineKey::NONE),
                faults,
                full: true,
            },
        }
    }

    /// Adds a line. The caller holds the lock, which the writer is proof of.
    fn insert(
        &self,
        writer: &mut Writer,
        definition: &Definition,
        layout: Option<&'static Layout>,
        labels: LabelSet,
        key: LineKey,
    ) -> Cell {
        let (number_of_layout, layout) = match layout {
            Some(layout) => self.number_of(layout),
            None => (0, Layout::fallback()),
        };
        let slot = match definition.kind {
            Kind::Counter => take(&mut writer.next_slot, 1),
            Kind::UpDownCounter => take(&mut writer.next_slot, 2),
            Kind::Gauge => take(&mut writer.next_gauge, 2),
            Kind::Histogram => take(&mut writer.next_slot, layout.words()),
        };
        let hash = hash_of(definition.id, &labels);
        let cold =
            Cold { labels: Arc::new(labels), started: SystemTime::now(), hash, definition: definition.id };
        let line = Line::new(key, slot, number_of_layout);
        let cell = self.cell_of(definition.kind, &line);
        self.publish(writer, definition.id, line, cold);
        cell
    }

    fn publish(&self, writer: &mut Writer, definition: u32, line: Line, cold: Cold) {
        let hash = cold.hash;
        // Under the lock of the writer both lists grow together.
        let (Some(number), Some(_)) = (self.lines.push(line), self.cold.push(cold)) else { return };
        self.table.insert(hash, number, |number| self.cold.get(number).map_or(0, |cold| cold.hash));
        writer.by_definition.entry(definition).or_default().push(number);
    }

    /// The number of these buckets among those of the store; with more than a line can tell apart, the first.
    fn number_of(&self, layout: &'static Layout) -> (u16, &'static Layout) {
        let known = (0..self.layouts.len())
            .find(|at| self.layouts.get(*at).is_some_and(|there| std::ptr::eq(*there, layout)));
        let number = known.or_else(|| {
            let room = self.layouts.len() <= u32::from(u16::MAX);
            room.then(|| self.layouts.push(layout)).flatten()
        });
        match number.and_then(|number| u16::try_from(number).ok()) {
            Some(number) => (number, layout),
            None => (0, self.layouts.get(0).copied().unwrap_or_else(Layout::fallback)),
        }
    }

    /// Every series of a metric, in the order of their creation.
    pub(crate) fn each_of(&self, definition: &Definition, mut f: impl FnMut(&Cold, Cell)) {
        let numbers = match self.writer().as_ref().and_then(|writer| writer.by_definition.get(&definition.id))
        {
            Some(numbers) => numbers.clone(),
            None => return,
        };
        for number in numbers {
            if let (Some(line), Some(cold)) = (self.lines.get(number), self.cold.get(number)) {
                f(cold, self.cell_of(definition.kind, line));
            }
        }
    }
}

/// Takes `words` words that lie in one chunk.
fn take(next: &mut u32, words: usize) -> u32 {
    let left = CHUNK_WORDS - *next as usize % CHUNK_WORDS;
    if left < words {
        *next += left as u32;
    }
    let slot = *next;
    *next += words as u32;
    slot
}

/// Hashes of small numbers.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u32(&mut self, key: u32) {
        self.0 = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_never_straddle_chunks() {
        let mut next = 510;
        assert_eq!(take(&mut next, 2), 510);
        assert_eq!(take(&mut next, 500), 512);
        assert_eq!(take(&mut next, 13), 1024);
        assert_eq!(next, 1037);
    }
}
