//! The dynamic series of one store: which labels have which cell.
//!
//! Looking a series up takes no lock and writes nothing. A series that is not there yet is made under a lock. A series
//! has a line for each order in which sites give its labels: the first is its own, the others point at the same cell. Labels
//! that do not fit into a line are kept as text; sites find them by a line for their order, whose words stand elsewhere.

mod limits;
mod metrics;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::directory::{CHUNK_WORDS, Directory};
use super::hint::{Generation, Hint};
use super::layout::Layout;
use super::layouts::Layouts;
use super::line::{CellWord, Key, LINE_WORDS, Line, SIDE_WORDS, Side};
use super::table::{Table, Test};
use super::wide::Wide;
use crate::clock::Clock;
use crate::definition::{Definition, Kind};
use crate::label::{
    Faults, LabelSet, Long, LongBuffer, Packed, Pairs, Shape, Words, choose_seeds, hash_of, seeds,
};
use crate::lock;

use limits::LIMIT_ALL;
pub(crate) use limits::{LIMIT_EACH, OVERFLOW};
use metrics::ENDS;
pub(crate) use metrics::Ends;

/// The series of a store.
pub(crate) struct Dictionary {
    /// Ends when a series leaves the table.
    pub(crate) generation: Generation,
    pub(crate) table: Table,
    /// What lookups compare.
    lines: Directory,
    /// What stands beside each line.
    sides: Directory,
    pub(crate) wide: Wide,
    /// The words of long labels.
    long: Directory,
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
    /// When series begin.
    pub(crate) clock: Clock,
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
    /// The first free word of long labels.
    next_long: u32,
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
    /// Words of long labels, by how many they are.
    pub(super) long: BTreeMap<u32, Vec<u32>>,
}

/// What making a series gave.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    /// Somebody else is just making one.
    Busy,
    /// It is there now.
    There,
    /// Its cell would not be what is wanted now.
    Outdated,
    /// The metric or the store is full: the series that takes what is beyond.
    Overflow {
        /// Its line; `None` if there are more lines than numbers, and nothing can be kept.
        number: Option<u32>,
        /// Whether it has just become full.
        first: bool,
    },
}

/// What a new series is to be.
pub(crate) struct New<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) layout: Option<&'static Layout>,
    /// Whether the program text bounds the series of the metric.
    pub(crate) is_closed: bool,
    /// Whether the layout is still the one that is wanted.
    pub(crate) is_current: &'a dyn Fn() -> bool,
}

impl Dictionary {
    pub(crate) const fn new() -> Dictionary {
        Dictionary {
            generation: Generation::new(),
            table: Table::new(),
            lines: Directory::new(),
            sides: Directory::new(),
            wide: Wide::new(),
            long: Directory::new(),
            layouts: Layouts::new(),
            metrics: Directory::new(),
            limit_each: AtomicU32::new(LIMIT_EACH),
            limit_all: AtomicU32::new(LIMIT_ALL),
            writer: Mutex::new(None),
            taken: AtomicU64::new(0),
            clock: Clock::new(),
        }
    }

    /// The cell of the series with these labels, if there is one under these keys in this order. The caller is in an
    /// operation of its region.
    #[inline(always)]
    pub(crate) fn find_packed(&self, packed: &impl Words) -> Option<CellWord> {
        self.table.find(packed.hash(seeds()), &HasLabels(self, packed)).map(|(_, cell)| cell)
    }

    /// The same for labels that come again: they are not looked for where they were found before.
    #[inline(always)]
    pub(crate) fn find_again(&self, packed: &Packed, hint: &Hint) -> Option<CellWord> {
        let generation = self.generation.get();
        match hint.line_in(generation) {
            Some(number) => self.line(number).map(Line::cell),
            None => self.find_and_hint(packed, hint, generation),
        }
    }

    #[inline(never)]
    fn find_and_hint(&self, packed: &Packed, hint: &Hint, generation: u64) -> Option<CellWord> {
        let (number, cell) = self.table.find(packed.hash(seeds()), &HasLabels(self, packed))?;
        hint.set(generation, number);
        Some(cell)
    }

    /// The line of these labels as a site gives them, if there is one.
    pub(crate) fn find(&self, definition: &Definition, pairs: &dyn Pairs) -> Option<u32> {
        match Spelling::of(pairs, &LongBuffer::new()) {
            Some(spelling) => self.find_spelling(&spelling),
            None => self.find_wide(definition.id, pairs),
        }
    }

    fn find_spelling(&self, spelling: &Spelling<'_>) -> Option<u32> {
        match spelling {
            Spelling::Packed(packed) => self.find_number(packed),
            Spelling::Long(long) => self.find_long(long).map(|(number, _)| number),
        }
    }

    /// The line of these labels under any keys and in any order, if there is one.
    pub(crate) fn find_set(&self, definition: &Definition, shapes: &[u32], labels: &LabelSet) -> Option<u32> {
        // No need to look for long ones: they are aliases.
        let packed = packed_in(shapes, labels).find_map(|packed| self.find_number(&packed));
        packed.or_else(|| self.find_wide(definition.id, labels))
    }

    /// The line with this key.
    #[inline(always)]
    pub(super) fn find_number(&self, packed: &impl Words) -> Option<u32> {
        self.table.find(packed.hash(seeds()), &HasLabels(self, packed)).map(|(number, _)| number)
    }

    /// The line and the cell of these labels, if there is one under these keys in this order. The caller is in an operation of
    /// its region, or holds the lock of the writer.
    #[inline(always)]
    pub(crate) fn find_long(&self, long: &Long<'_>) -> Option<(u32, CellWord)> {
        self.table.find(long.hash(), &HasLong(self, long))
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

    /// The same for one of the first lines alone.
    #[inline(always)]
    pub(crate) fn line_among_first(&self, number: u32) -> Option<Line<'_>> {
        let slot = number * LINE_WORDS as u32;
        Line::of(self.lines.chunk_among_first(slot)?.words(slot, LINE_WORDS))
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

    /// The same if it is one of the first.
    #[inline(always)]
    pub(crate) fn layout_among_first(&self, cell: CellWord) -> Option<&'static Layout> {
        self.layouts.get_among_first(cell.layout())
    }

    pub(super) fn lock_of_writer(&self) -> &Mutex<Option<Writer>> {
        &self.writer
    }

    /// A new cell with these buckets for one that has some; `None` if there are more than can be told apart. One that has none
    /// gets what is left.
    pub(super) fn cell_instead(
        &self,
        writer: &mut Writer,
        (definition, layout): (&Definition, &'static Layout),
        cell: CellWord,
    ) -> Option<CellWord> {
        let (number, layout) = match self.layout(cell) {
            Layout::Unplanned => self.numbered(definition, layout)?,
            _ => (self.layouts.number_of(layout)?, layout),
        };
        Some(CellWord::new(writer.take_cell(layout.words()), number, cell.is_plain()))
    }

    /// A number for these buckets, or else for those that are left: so whoever has none never stays without.
    fn numbered(&self, definition: &Definition, layout: &'static Layout) -> Option<(u16, &'static Layout)> {
        self.layouts.number_of(layout).map(|number| (number, layout)).or_else(|| {
            let spare = Layout::spare(definition.kind, definition.unit());
            Some((self.layouts.number_of_spare(spare)?, spare))
        })
    }

    /// The lines that lead to a series: its own, and those of other orders of its labels. The caller holds the lock of the
    /// writer.
    pub(super) fn lines_to(&self, definition: &Definition, own: u32, labels: &LabelSet) -> Vec<(u32, Key)> {
        let mut lines: Vec<_> = self.line(own).map(|line| (own, line.key())).into_iter().collect();
        let shapes = definition.shapes();
        for packed in packed_in(&shapes, labels) {
            let number = self.find_number(&packed).filter(|number| *number != own);
            lines.extend(number.map(|number| (number, Key::Packed(packed))));
        }
        for number in &shapes {
            let buffer = LongBuffer::new();
            let long = Shape::get(*number).and_then(|shape| labels.long_in(&buffer, *number, shape.keys));
            let number = long.and_then(|long| self.find_long(&long)).map(|(number, _)| number);
            lines.extend(number.and_then(|number| Some((number, self.line(number)?.key()))));
        }
        lines
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
        New { definition, layout, is_closed, is_current }: New<'_>,
        pairs: &dyn Pairs,
        labels: &LabelSet,
        faults: &Faults<'_>,
    ) -> Made {
        choose_seeds();
        let Some(mut guard) = lock::soon(&self.writer) else { return Made::Busy };
        if !is_current() {
            return Made::Outdated;
        }
        self.taken.fetch_add(1, Relaxed);
        // Not before: another site's may have come, and with it a series with these labels.
        let shapes = definition.shapes();
        let writer = guard.get_or_insert_default();
        if self.ends_of(definition).is_empty()
            && let Some(limit) = writer.limits.get(definition.name)
        {
            self.limit(definition, *limit);
        }
        let buffer = LongBuffer::new();
        // Labels that had to be mended are never found as they are given, only as they are kept.
        let spelling = Spelling::of(pairs, &buffer).filter(|_| !faults.any());
        if let Some(number) = self.find_set(definition, &shapes, labels) {
            if let Some(spelling) = spelling {
                self.add_alias(writer, &spelling, number);
            }
            return Made::There;
        }
        if is_closed || self.has_room(definition, writer) {
            let key = match spelling {
                Some(Spelling::Packed(packed)) => Some(Key::Packed(packed)),
                _ => self.wide_key(definition, writer, labels),
            };
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
    pub(crate) fn alias(&self, definition: &Definition, pairs: &dyn Pairs, labels: &LabelSet) {
        let buffer = LongBuffer::new();
        let Some(spelling) = Spelling::of(pairs, &buffer) else { return };
        let Some(mut guard) = lock::soon(&self.writer) else { return };
        // It may have ended meanwhile.
        if let Some(number) = self.find_set(definition, &definition.shapes(), labels) {
            self.add_alias(guard.get_or_insert_default(), &spelling, number);
        }
    }

    fn add_alias(&self, writer: &mut Writer, spelling: &Spelling<'_>, number: u32) {
        let (Some(line), Some(side)) = (self.line(number), self.side(number)) else { return };
        if self.find_spelling(spelling).is_some() {
            return;
        }
        let key = match spelling {
            Spelling::Packed(packed) => Key::Packed(*packed),
            Spelling::Long(long) => self.long_key(writer, long),
        };
        if self.add_line(writer, &key, line.cell(), Some(side.started())).is_none()
            && let Key::Long { words, count, .. } = key
        {
            writer.free.long.entry(count).or_default().push(words);
        }
    }

    /// Keeps the words of long labels.
    pub(super) fn long_key(&self, writer: &mut Writer, long: &Long<'_>) -> Key {
        let count = long.count();
        let free = writer.free.long.get_mut(&(count as u32)).and_then(Vec::pop);
        let words = free.unwrap_or_else(|| take(&mut writer.next_long, count));
        // Under the lock of the writer, so alone.
        long.copy_to(self.long.map_alone(words).words(words, count));
        Key::Long { shape: long.shape(), hash: long.hash(), words, count: count as u32 }
    }

    /// A key for labels that are not packed: under keys that some site packs, else as text.
    fn wide_key(&self, definition: &Definition, writer: &mut Writer, labels: &LabelSet) -> Option<Key> {
        if let Some(packed) = packed_in(&definition.shapes(), labels).next() {
            return Some(Key::Packed(packed));
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
            Some(layout) => self.numbered(definition, layout)?,
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
        let now = || self.clock.unix_nanos();
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
}

/// Labels that a recording looks for, in words.
pub(crate) trait Sought {
    /// The cell of the series with these labels, if there is one under these keys in this order. The caller is in an operation
    /// of its region.
    fn cell_in(&self, dictionary: &Dictionary) -> Option<CellWord>;
}

impl Sought for Packed {
    #[inline(always)]
    fn cell_in(&self, dictionary: &Dictionary) -> Option<CellWord> {
        dictionary.find_packed(self)
    }
}

impl Sought for Long<'_> {
    #[inline(always)]
    fn cell_in(&self, dictionary: &Dictionary) -> Option<CellWord> {
        dictionary.find_long(self).map(|(_, cell)| cell)
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

/// Whether a line leads to the words of these labels.
struct HasLong<'a>(&'a Dictionary, &'a Long<'a>);

impl Test for HasLong<'_> {
    type Found = (u32, CellWord);

    #[inline(always)]
    fn found(&self, number: u32) -> Option<Self::Found> {
        let line = self.0.line(number)?;
        let words = line.may_be_long(self.1)?;
        // The hash alone proves nothing.
        self.1.is(self.0.long.chunk(words)?.words(words, self.1.count())).then(|| (number, line.cell()))
    }
}

/// Labels in words, as a site gives them.
enum Spelling<'a> {
    Packed(Packed),
    Long(Long<'a>),
}

impl<'a> Spelling<'a> {
    /// `None` if their keys are not known beforehand, or if they do not fit.
    fn of(pairs: &dyn Pairs, buffer: &'a LongBuffer) -> Option<Spelling<'a>> {
        let packed = Packed::of_pairs(pairs).map(Spelling::Packed);
        packed.or_else(|| Long::of_pairs(buffer, pairs).map(Spelling::Long))
    }
}

impl Writer {
    fn take_cell(&mut self, words: usize) -> u32 {
        let free = self.free.cells.get_mut(&words).and_then(Vec::pop);
        free.unwrap_or_else(|| take(&mut self.next_slot, words))
    }
}

/// The words by which sites of these shapes would look for a series.
fn packed_in<'a>(shapes: &'a [u32], labels: &'a LabelSet) -> impl Iterator<Item = Packed> + 'a {
    shapes.iter().filter_map(|number| labels.packed_in(*number, Shape::get(*number)?.keys))
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

    impl Dictionary {
        /// How many words of cells there ever were, and how many cells are free.
        pub(in crate::store) fn cells(&self) -> (u32, usize) {
            let guard = self.writer();
            guard
                .as_ref()
                .map_or((0, 0), |writer| (writer.next_slot, writer.free.cells.values().map(Vec::len).sum()))
        }

        /// How many words of long labels there ever were.
        pub(in crate::store) fn words_of_long(&self) -> u32 {
            self.writer().as_ref().map_or(0, |writer| writer.next_long)
        }

        /// As if there had been as many layouts as can be told apart.
        pub(in crate::store) fn use_up_layouts(&self) {
            self.layouts.use_up();
        }
    }

    #[test]
    fn cells_never_straddle_chunks() {
        let mut next = 510;
        assert_eq!(take(&mut next, 2), 510);
        assert_eq!(take(&mut next, 500), 512);
        assert_eq!(take(&mut next, 13), 1024);
        assert_eq!(next, 1037);
    }
}
