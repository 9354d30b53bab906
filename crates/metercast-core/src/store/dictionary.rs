//! The dynamic series of one store: which labels have which cell.
//!
//! Looking a series up takes no lock and writes nothing. A series that is not there yet is made under a lock. A series
//! has a line for each order in which sites give its labels: the first is its own, the others point at the same cell.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::directory::{CHUNK_WORDS, Directory};
use super::layout::Layout;
use super::layouts::Layouts;
use super::line::{CellWord, Key, LINE_WORDS, Line, SIDE_WORDS, Side};
use super::table::{Table, Test};
use super::wide::Wide;
use crate::definition::{Definition, Kind};
use crate::label::{Faults, KeyValue, LabelSet, Packed, Pairs, Shape, Words, choose_seeds, hash_of, seeds};
use crate::lock;

/// The series of a store.
pub(crate) struct Dictionary {
    pub(crate) table: Table,
    /// What lookups compare.
    lines: Directory,
    /// What stands beside each line.
    sides: Directory,
    pub(crate) wide: Wide,
    /// The buckets that the histograms of this store have.
    layouts: Layouts,
    /// What is known of each metric, by its number.
    metrics: Directory,
    /// The most series of a metric that has no limit of its own, and of the whole store.
    limit_each: AtomicU32,
    limit_all: AtomicU32,
    writer: Mutex<Option<Writer>>,
    /// How often that lock was taken to make a series.
    taken: AtomicU64,
}

/// What only the one who makes or removes a series needs.
#[derive(Default)]
pub(super) struct Writer {
    /// How many lines there ever were.
    lines: u32,
    /// How many series there are.
    pub(super) series: u32,
    /// The first free word of the regions' dynamic cells.
    next_slot: u32,
    /// The first free word of the store's dynamic gauges.
    next_gauge: u32,
    /// The limits that were asked for, by the name of the metric, which may not be used yet.
    limits: HashMap<String, u32>,
    /// What was in use once.
    pub(super) free: Free,
}

/// What can be used again.
#[derive(Default)]
pub(super) struct Free {
    pub(super) lines: Vec<u32>,
    pub(super) wide: Vec<u32>,
    /// Cells of the regions by their width, and of gauges.
    pub(super) cells: BTreeMap<usize, Vec<u32>>,
    pub(super) gauges: Vec<u32>,
}

/// The first and the last line of a metric, each its number plus one; 0 if there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends(u64);

impl Ends {
    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What making a series gave.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    /// Somebody else is just making one.
    Busy,
    /// It is there now.
    There,
    /// The metric or the store is full: the series that takes what is beyond.
    Overflow {
        cell: CellWord,
        /// Whether it has just become full.
        first: bool,
    },
}

/// Series of one metric, unless it is told otherwise; beyond it everything lands in one overflow series.
pub(crate) const LIMIT_EACH: u32 = 2_000;

/// Series of one store, unless it is told otherwise.
pub(crate) const LIMIT_ALL: u32 = 200_000;

/// Metrics SDK, "Cardinality limits": the label of the series that takes what is over the limit.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

/// Words that are known of a metric: first and last line (each its number plus one), how many series and at most how many
/// (0: as the store says), the overflow series (its number plus one) and whether the metric is full, and the types that all
/// its labels have, if they have (plus one).
const METRIC_WORDS: usize = 4;
const ENDS: usize = 0;
const COUNT: usize = 1;
const OVER: usize = 2;
const FULL: u64 = 1 << 63;
const TYPES: usize = 3;
const MIXED: u64 = u64::MAX;

impl Dictionary {
    pub(crate) const fn new() -> Dictionary {
        Dictionary {
            table: Table::new(),
            lines: Directory::new(),
            sides: Directory::new(),
            wide: Wide::new(),
            layouts: Layouts::new(),
            metrics: Directory::new(),
            limit_each: AtomicU32::new(LIMIT_EACH),
            limit_all: AtomicU32::new(LIMIT_ALL),
            writer: Mutex::new(None),
            taken: AtomicU64::new(0),
        }
    }

    /// The cell of the series with these labels, if there is one under these keys in this order. The caller is in an
    /// operation of its region.
    #[inline(always)]
    pub(crate) fn find_packed(&self, packed: &impl Words) -> Option<CellWord> {
        self.table.find(packed.hash(seeds()), &HasLabels(self, packed)).map(|(_, cell)| cell)
    }

    /// The line of these labels as a site gives them, if there is one.
    pub(crate) fn find(&self, definition: &Definition, pairs: &dyn Pairs) -> Option<u32> {
        match pairs.packed() {
            Some(packed) => self.find_number(&packed),
            None => self.find_wide(definition.id, pairs),
        }
    }

    /// The line of these labels under any keys and in any order, if there is one.
    pub(crate) fn find_set(&self, definition: &Definition, shapes: &[u32], labels: &LabelSet) -> Option<u32> {
        let packed = packed_keys(shapes, labels).find_map(|(_, key)| self.find_key(&key));
        packed.or_else(|| self.find_wide(definition.id, labels))
    }

    fn find_key(&self, key: &Key) -> Option<u32> {
        match key {
            Key::Packed(packed) => self.find_number(packed),
            Key::Wide { .. } => None,
        }
    }

    /// The line with this key.
    #[inline(always)]
    pub(super) fn find_number(&self, packed: &impl Words) -> Option<u32> {
        self.table.find(packed.hash(seeds()), &HasLabels(self, packed)).map(|(number, _)| number)
    }

    fn find_wide(&self, definition: u32, pairs: &(impl Pairs + ?Sized)) -> Option<u32> {
        let hash = hash_of(pairs);
        self.table.find(hash[0], &|number| {
            self.line(number).is_some_and(|line| {
                // The hash alone proves nothing.
                line.may_be(definition, hash)
                    && matches!(line.key(), Key::Wide { labels, .. }
                        if self.wide.get(labels).is_some_and(|labels| labels.is(pairs)))
            })
        })
    }

    #[inline(always)]
    pub(crate) fn line(&self, number: u32) -> Option<Line<'_>> {
        let slot = number * LINE_WORDS as u32;
        Line::of(self.lines.chunk(slot)?.words(slot, LINE_WORDS))
    }

    pub(crate) fn side(&self, number: u32) -> Option<Side<'_>> {
        let slot = number * SIDE_WORDS as u32;
        Side::of(self.sides.chunk(slot)?.words(slot, SIDE_WORDS))
    }

    /// The own line of the series that this line leads to. The caller is a reading, or holds the lock of the writer.
    pub(crate) fn own_line(&self, definition: &Definition, number: u32) -> Option<u32> {
        if !self.side(number)?.is_alias() {
            return Some(number);
        }
        let cell = self.line(number)?.cell();
        let is_own = |(_, line, side): &(u32, Line<'_>, Side<'_>)| line.cell() == cell && !side.is_removed();
        self.lines_of(definition).find(is_own).map(|(number, ..)| number)
    }

    /// The buckets of a histogram's cell.
    #[inline(always)]
    pub(crate) fn layout(&self, cell: CellWord) -> &'static Layout {
        self.layouts.get(cell.layout())
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody is making a series; false if whoever does comes to no end.
    pub(crate) fn will_be_free(&self) -> bool {
        loop {
            let taken = self.taken.load(Relaxed);
            if lock::patiently(&self.writer).is_some() {
                return true;
            }
            if taken == self.taken.load(Relaxed) {
                return false;
            }
        }
    }

    /// Makes the series with these labels, if nobody else made it meanwhile.
    pub(crate) fn make(
        &self,
        definition: &Definition,
        layout: Option<&'static Layout>,
        pairs: &dyn Pairs,
        labels: &LabelSet,
        faults: &Faults<'_>,
        is_closed: bool,
    ) -> Made {
        choose_seeds();
        let Some(mut guard) = lock::soon(&self.writer) else { return Made::Busy };
        self.taken.fetch_add(1, Relaxed);
        // Not before: another site's may have come, and with it a series with these labels.
        let shapes = definition.shapes();
        let writer = guard.get_or_insert_default();
        if self.ends_of(definition).is_empty()
            && let Some(limit) = writer.limits.get(definition.name)
        {
            self.limit(definition, *limit);
        }
        // Labels that had to be mended are never found as they are given, only as they are kept.
        let key = pairs.packed().filter(|_| !faults.any()).map(Key::Packed);
        if let Some(number) = self.find_set(definition, &shapes, labels) {
            if let Some(key) = key {
                self.add_alias(writer, &key, number);
            }
            return Made::There;
        }
        if is_closed || self.has_room(definition, writer) {
            let key = key.or_else(|| self.wide_key(definition, writer, labels));
            let number = key.and_then(|key| self.insert(writer, definition, layout, labels, &key));
            if let Some(side) = number.and_then(|number| self.side(number)) {
                if is_closed {
                    self.keep(writer, definition, side);
                }
                return Made::There;
            }
        }
        self.overflow(writer, definition, layout)
    }

    /// Lets a site that gives the labels of a series in an order of its own find it by that, if nobody else is here.
    pub(crate) fn alias(&self, definition: &Definition, packed: Packed, labels: &LabelSet) {
        let Some(mut guard) = lock::soon(&self.writer) else { return };
        // It may have ended meanwhile.
        if let Some(number) = self.find_set(definition, &definition.shapes(), labels) {
            self.add_alias(guard.get_or_insert_default(), &Key::Packed(packed), number);
        }
    }

    fn add_alias(&self, writer: &mut Writer, key: &Key, number: u32) {
        if let (Some(line), Some(side)) = (self.line(number), self.side(number))
            && self.find_key(key).is_none()
        {
            self.add_line(writer, key, line.cell(), Some(side.started()));
        }
    }

    /// The series that takes what is beyond the limits, made if need be.
    fn overflow(
        &self,
        writer: &mut Writer,
        definition: &Definition,
        layout: Option<&'static Layout>,
    ) -> Made {
        if let Some(cell) = self.overflow_of(definition) {
            let first = self.set_full(definition, true);
            return Made::Overflow { cell, first };
        }
        let labels = LabelSet::of(&[KeyValue::new(OVERFLOW, true)][..]).0;
        let number = self.find_set(definition, &definition.shapes(), &labels).or_else(|| {
            let key = self.wide_key(definition, writer, &labels)?;
            self.insert(writer, definition, layout, &labels, &key)
        });
        if let Some(number) = number
            && let (Some(side), Some(line)) = (self.side(number), self.line(number))
        {
            self.keep(writer, definition, side);
            self.metric_made(definition.id)[OVER].store(FULL | (u64::from(number) + 1), Release);
            return Made::Overflow { cell: line.cell(), first: true };
        }
        // There are more lines than numbers: nothing can be kept.
        Made::Overflow { cell: CellWord::new(0, 0, false), first: false }
    }

    fn has_room(&self, definition: &Definition, writer: &Writer) -> bool {
        let (count, limit) = self.count_and_limit(definition.id);
        count < limit && writer.series < self.limit_all.load(Relaxed)
    }

    /// How many series a metric has, and at most how many.
    fn count_and_limit(&self, definition: u32) -> (u32, u32) {
        let each = self.limit_each.load(Relaxed);
        self.metric(definition).map_or((0, each), |words| {
            let word = words[COUNT].load(Relaxed);
            let own = word as u32;
            ((word >> 32) as u32, if own == 0 { each } else { own })
        })
    }

    /// The overflow series, if what the dictionary does not know belongs there.
    pub(crate) fn full(&self, definition: &Definition) -> Option<CellWord> {
        let over = self.metric(definition.id)?[OVER].load(Acquire);
        if over & FULL == 0 { None } else { self.overflow_of(definition) }
    }

    fn overflow_of(&self, definition: &Definition) -> Option<CellWord> {
        let over = self.metric(definition.id)?[OVER].load(Acquire);
        self.line((over as u32).checked_sub(1)?).map(Line::cell)
    }

    /// Whether that is new.
    pub(super) fn set_full(&self, definition: &Definition, full: bool) -> bool {
        let Some(words) = self.metric(definition.id) else { return false };
        let before = words[OVER].load(Relaxed);
        words[OVER].store(if full { before | FULL } else { before & !FULL }, Release);
        (before & FULL != 0) != full
    }

    /// Sets the limits of the store, and of one metric.
    pub(crate) fn set_limits(&self, each: u32, all: u32) {
        self.limit_each.store(each, Relaxed);
        self.limit_all.store(all, Relaxed);
        self.look_for_room(None);
    }

    /// Sets the limit of the metrics of this name, now and when they are first used.
    pub(crate) fn set_limit(&self, metric: &str, limit: u32) {
        {
            let guard = &mut *self.writer();
            let limit = limit.max(1);
            guard.get_or_insert_default().limits.insert(metric.to_owned(), limit);
            let all = crate::registry::definitions();
            all.iter().filter(|there| there.name == metric).for_each(|there| self.limit(there, limit));
        }
        self.look_for_room(None);
    }

    /// The caller holds the lock of the writer.
    fn limit(&self, definition: &Definition, limit: u32) {
        let word = &self.metric_made(definition.id)[COUNT];
        word.store(word.load(Relaxed) >> 32 << 32 | u64::from(limit), Relaxed);
    }

    /// What was full may not be any more.
    pub(super) fn look_for_room(&self, of: Option<&Definition>) {
        let guard = &mut *self.writer();
        let writer = guard.get_or_insert_default();
        let all = crate::registry::definitions();
        for definition in all.iter().filter(|definition| of.is_none_or(|of| of.id == definition.id)) {
            if self.has_room(definition, writer) {
                self.set_full(definition, false);
            }
        }
    }

    /// A key for labels that are not packed: under keys that some site packs, else as text.
    fn wide_key(&self, definition: &Definition, writer: &mut Writer, labels: &LabelSet) -> Option<Key> {
        if let Some((_, key)) = packed_keys(&definition.shapes(), labels).next() {
            return Some(key);
        }
        let number = self.wide.put(Arc::new(labels.clone()), writer.free.wide.pop())?;
        Some(Key::Wide { definition: definition.id, hash: hash_of(labels), labels: number })
    }

    /// Adds a series. The caller holds the lock, which the writer is proof of.
    fn insert(
        &self,
        writer: &mut Writer,
        definition: &Definition,
        layout: Option<&'static Layout>,
        labels: &LabelSet,
        key: &Key,
    ) -> Option<u32> {
        let (number_of_layout, layout) = match layout {
            Some(layout) => self.layouts.number_of(layout),
            None => (0, Layout::fallback()),
        };
        let slot = match definition.kind {
            Kind::Counter => writer.take_cell(1),
            Kind::UpDownCounter => writer.take_cell(2),
            Kind::Gauge => match writer.free.gauges.pop() {
                Some(slot) => slot,
                None => take(&mut writer.next_gauge, 2),
            },
            Kind::Histogram | Kind::Summary => writer.take_cell(layout.words()),
        };
        let cell = CellWord::new(slot, number_of_layout, labels.is_plain());
        let number = self.add_line(writer, key, cell, None)?;
        let words = self.metric_made(definition.id);
        Dictionary::note_types(words, key);
        let ends = words[ENDS].load(Relaxed);
        let (first, last) = ((ends >> 32) as u32, ends as u32);
        // Readers come from the first line on, so it stays, and is set last.
        match last.checked_sub(1).and_then(|last| self.side(last)) {
            Some(side) => side.set_next(Some(number)),
            None => debug_assert_eq!(first, 0, "a list has a first line and a last, or neither"),
        }
        let first = if first == 0 { number + 1 } else { first };
        words[ENDS].store(u64::from(first) << 32 | u64::from(number + 1), Release);
        self.count(writer, definition.id, true);
        Some(number)
    }

    /// Lets a series stay for as long as the store, and be none of those that are limited.
    fn keep(&self, writer: &mut Writer, definition: &Definition, side: Side<'_>) {
        side.hold();
        self.count(writer, definition.id, false);
    }

    /// Counts a series that came or went.
    pub(super) fn count(&self, writer: &mut Writer, definition: u32, came: bool) {
        let word = &self.metric_made(definition)[COUNT];
        if came {
            word.fetch_add(1 << 32, Relaxed);
            writer.series += 1;
        } else {
            word.fetch_sub(1 << 32, Relaxed);
            writer.series -= 1;
        }
    }

    /// Before the line can be read, so that a reading that sees it knows its types.
    fn note_types(words: &[AtomicU64], key: &Key) {
        let types = match key {
            Key::Packed(packed) => packed.types().map_or(MIXED, |types| types + 1),
            Key::Wide { .. } => MIXED,
        };
        let before = words[TYPES].load(Relaxed);
        words[TYPES].store(if before == 0 || before == types { types } else { MIXED }, Relaxed);
    }

    /// Adds a line that leads to a cell: the own line of a new series, or an alias of one that began then. `None` if there
    /// are too many.
    pub(super) fn add_line(
        &self,
        writer: &mut Writer,
        key: &Key,
        cell: CellWord,
        alias_since: Option<u64>,
    ) -> Option<u32> {
        const MOST: u32 = u32::MAX / LINE_WORDS as u32 - 1;
        let number = match writer.free.lines.pop() {
            Some(number) => number,
            None if writer.lines < MOST => {
                writer.lines += 1;
                writer.lines - 1
            }
            None => return None,
        };
        let (line, side) = (number * LINE_WORDS as u32, number * SIDE_WORDS as u32);
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        // Under the lock of the writer, so alone.
        Side::of(self.sides.map_alone(side).words(side, SIDE_WORDS))?
            .reset(alias_since.unwrap_or_else(now), alias_since.is_some());
        Line::of(self.lines.map_alone(line).words(line, LINE_WORDS))?.write(key, cell);
        self.put_in_table(number, key);
        Some(number)
    }

    /// Lets lookups find a line.
    pub(super) fn put_in_table(&self, number: u32, key: &Key) {
        let seeds = seeds();
        let hash_of = |number| self.line(number).map_or(0, |line| line.key().hash(seeds));
        self.table.insert(key.hash(seeds), number, hash_of);
    }

    pub(super) fn take_out_of_table(&self, number: u32, key: &Key) {
        self.table.remove(key.hash(seeds()), number);
    }

    /// The first and the last line of a metric.
    pub(crate) fn ends_of(&self, definition: &Definition) -> Ends {
        Ends(self.metric(definition.id).map_or(0, |words| words[ENDS].load(Acquire)))
    }

    /// The lines of a metric in the order of their creation. The caller is a reading, or holds the lock of the writer.
    pub(crate) fn lines_of(
        &self,
        definition: &Definition,
    ) -> impl Iterator<Item = (u32, Line<'_>, Side<'_>)> {
        self.lines_between(self.ends_of(definition))
    }

    /// [`lines_of`](Self::lines_of), but for those that were added since.
    pub(crate) fn lines_between(&self, ends: Ends) -> impl Iterator<Item = (u32, Line<'_>, Side<'_>)> {
        let mut next = ((ends.0 >> 32) as u32).checked_sub(1);
        let last = ends.0 as u32;
        // Lines that follow each other lie in the same chunks, which are looked up once.
        let (mut lines, mut sides) = (None, None);
        std::iter::from_fn(move || {
            let number = next?;
            let (line, side) = (number * LINE_WORDS as u32, number * SIDE_WORDS as u32);
            let line = Line::of(self.lines.chunk_again(line, &mut lines)?.words(line, LINE_WORDS))?;
            let side = Side::of(self.sides.chunk_again(side, &mut sides)?.words(side, SIDE_WORDS))?;
            next = if number + 1 == last { None } else { side.next() };
            Some((number, line, side))
        })
    }

    /// Whether all labels have the same keys in the same order, and under each key values of the same type.
    pub(crate) fn is_uniform(&self, definition: &Definition) -> bool {
        self.metric(definition.id).is_none_or(|words| words[TYPES].load(Relaxed) != MIXED)
    }

    /// Whether a metric has its first series, and no others.
    pub(crate) fn is_first(&self, definition: &Definition) -> bool {
        let ends = self.ends_of(definition).0;
        ends != 0 && (ends >> 32) as u32 == ends as u32
    }

    /// How many series a metric has.
    pub(crate) fn count_of(&self, definition: &Definition) -> u32 {
        self.count_and_limit(definition.id).0
    }

    fn metric(&self, definition: u32) -> Option<&[AtomicU64]> {
        let slot = definition * METRIC_WORDS as u32;
        self.metrics.chunk(slot).map(|chunk| chunk.words(slot, METRIC_WORDS))
    }

    /// What is known of a metric. The caller holds the lock of the writer.
    fn metric_made(&self, definition: u32) -> &[AtomicU64] {
        let slot = definition * METRIC_WORDS as u32;
        self.metrics.map_alone(slot).words(slot, METRIC_WORDS)
    }

    /// Takes these lines out of the list of a metric. No reading is under way, and one at a time calls this.
    ///
    /// The walk over all lines is made without the lock of the writer, for which somebody may wait who makes a series: what
    /// is made meanwhile stands behind the last line that the walk knows of, and changes no other.
    pub(super) fn unlist(&self, definition: &Definition, gone: &HashSet<u32>) {
        let Some(words) = self.metric(definition.id) else { return };
        let (mut first, mut last, mut known) = (None, None::<u32>, None);
        for number in self.lines_of(definition).map(|(number, ..)| number).collect::<Vec<_>>() {
            known = Some(number);
            if gone.contains(&number) {
                continue;
            }
            match last.and_then(|last| self.side(last)) {
                Some(side) => side.set_next(Some(number)),
                None => first = Some(number),
            }
            last = Some(number);
        }
        let Some(known) = known else { return };
        let _writer = self.writer();
        let behind = self.side(known).and_then(Side::next);
        if gone.contains(&known) {
            match last.and_then(|last| self.side(last)) {
                Some(side) => side.set_next(behind),
                None => first = behind,
            }
        }
        let end = |number: Option<u32>| number.map_or(0, |number| u64::from(number) + 1);
        let newest = words[ENDS].load(Relaxed) & u64::from(u32::MAX);
        let last = if behind.is_none() { end(last) } else { newest };
        words[ENDS].store(end(first) << 32 | last, Release);
    }
}

/// Whether a line has these labels.
struct HasLabels<'a, W>(&'a Dictionary, &'a W);

impl<W: Words> Test for HasLabels<'_, W> {
    type Found = (u32, CellWord);

    #[inline(always)]
    fn found(&self, number: u32) -> Option<Self::Found> {
        let line = self.0.line(number)?;
        line.is(self.1).then(|| (number, line.cell()))
    }
}

impl Writer {
    fn take_cell(&mut self, words: usize) -> u32 {
        let free = self.free.cells.get_mut(&words).and_then(Vec::pop);
        free.unwrap_or_else(|| take(&mut self.next_slot, words))
    }
}

/// The keys under which sites of these shapes would look for a series.
pub(super) fn packed_keys<'a>(
    shapes: &'a [u32],
    labels: &'a LabelSet,
) -> impl Iterator<Item = (u32, Key)> + 'a {
    shapes.iter().filter_map(|number| {
        let shape = Shape::get(*number)?;
        labels.packed_in(*number, shape.keys).map(|packed| (*number, Key::Packed(packed)))
    })
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
