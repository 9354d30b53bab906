//! The dynamic series of one store: which labels have which cell.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use super::directory::CHUNK_WORDS;
use super::layout::Layout;
use crate::definition::{Definition, Kind};
use crate::label::{Faults, KeyValue, LabelSet, Pairs, hash_of};

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

/// One dynamic series.
pub(crate) struct Line {
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) cell: Cell,
    pub(crate) started: SystemTime,
    definition: u32,
    /// The next line of the same hash.
    next: Option<u32>,
}

/// What looking a series up gave.
pub(crate) struct Found<'a> {
    pub(crate) cell: Cell,
    /// What was wrong with the labels; only ever set when they were seen for the first time or have a key twice.
    pub(crate) faults: Faults<'a>,
    /// Whether the metric has just reached its limit.
    pub(crate) full: bool,
}

/// The series of a store, from first use to the end of the store.
pub(crate) struct Dictionary(RwLock<Lines>);

#[derive(Default)]
struct Lines {
    first_of_hash: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    lines: Vec<Line>,
    /// Per definition: its lines in the order of their creation.
    by_definition: HashMap<u32, Vec<u32>, BuildHasherDefault<AsItIs>>,
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
        Dictionary(RwLock::new(Lines {
            first_of_hash: HashMap::with_hasher(BuildHasherDefault::new()),
            lines: Vec::new(),
            by_definition: HashMap::with_hasher(BuildHasherDefault::new()),
            next_slot: 0,
            next_gauge: 0,
        }))
    }

    /// The cell of the series with these labels, made if it was not there.
    pub(crate) fn cell<'a, P: Pairs + ?Sized>(
        &self,
        definition: &Definition,
        layout: impl FnOnce() -> Option<&'static Layout>,
        pairs: &'a P,
    ) -> Found<'a> {
        let hash = hash_of(definition.id, pairs, seed());
        {
            let lines = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(cell) = lines.find(hash, definition.id, pairs) {
                return Found { cell, faults: Faults::default(), full: false };
            }
        }
        self.add(definition, layout, pairs)
    }

    #[cold]
    fn add<'a, P: Pairs + ?Sized>(
        &self,
        definition: &Definition,
        layout: impl FnOnce() -> Option<&'static Layout>,
        pairs: &'a P,
    ) -> Found<'a> {
        let (labels, faults) = LabelSet::of(pairs);
        let layout = layout();
        let mut lines = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let hash = hash_of(definition.id, &labels, seed());
        if let Some(cell) = lines.find(hash, definition.id, &labels) {
            return Found { cell, faults, full: false };
        }
        if lines.by_definition.get(&definition.id).is_none_or(|of| of.len() < SERIES_LIMIT) {
            return Found { cell: lines.insert(definition, layout, labels, hash), faults, full: false };
        }
        let overflow = LabelSet::of(&[KeyValue::new(OVERFLOW, true)][..]).0;
        let hash = hash_of(definition.id, &overflow, seed());
        match lines.find(hash, definition.id, &overflow) {
            Some(cell) => Found { cell, faults, full: false },
            None => Found { cell: lines.insert(definition, layout, overflow, hash), faults, full: true },
        }
    }

    /// Calls `f` with every series of a metric, in the order of their creation.
    pub(crate) fn each_of(&self, definition: u32, mut f: impl FnMut(&Line)) {
        let lines = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for &at in lines.by_definition.get(&definition).map_or(&[][..], Vec::as_slice) {
            f(&lines.lines[at as usize]);
        }
    }
}

impl Lines {
    fn find<P: Pairs + ?Sized>(&self, hash: u64, definition: u32, pairs: &P) -> Option<Cell> {
        let mut at = self.first_of_hash.get(&hash).copied();
        while let Some(index) = at {
            let line = &self.lines[index as usize];
            if line.definition == definition && line.labels.is(pairs) {
                return Some(line.cell);
            }
            at = line.next;
        }
        None
    }

    fn insert(
        &mut self,
        definition: &Definition,
        layout: Option<&'static Layout>,
        labels: LabelSet,
        hash: u64,
    ) -> Cell {
        let cell = match definition.kind {
            Kind::Counter => Cell::Sum(take(&mut self.next_slot, 1)),
            Kind::UpDownCounter => Cell::UpDown(take(&mut self.next_slot, 2)),
            Kind::Gauge => Cell::Gauge(take(&mut self.next_gauge, 2)),
            Kind::Histogram => {
                let layout = layout.unwrap_or_else(|| Layout::by_unit(definition.unit));
                Cell::Histogram(take(&mut self.next_slot, layout.words()), layout)
            }
        };
        let index = self.lines.len() as u32;
        let next = self.first_of_hash.insert(hash, index);
        let started = SystemTime::now();
        self.lines.push(Line { labels: Arc::new(labels), cell, started, definition: definition.id, next });
        self.by_definition.entry(definition.id).or_default().push(index);
        cell
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

/// Random per process, so that nobody outside can choose labels that collide.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().hash_one(0))
}

/// Keys that are hashes or small numbers already.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u32(&mut self, key: u32) {
        // hashbrown looks at the upper bits as well.
        self.0 = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
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
