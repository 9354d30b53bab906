//! What a store knows of each metric: the list of its lines, and in words how many there are and of which types.

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::Dictionary;
use crate::definition::Definition;
use crate::store::line::{Key, LINE_WORDS, Line, SIDE_WORDS, Side};

/// The first and the last line of a metric, each its number plus one; 0 if there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends(u64);

impl Ends {
    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Words that are known of a metric: first and last line (each its number plus one), how many series and at most how many
/// (0: as the store says), the overflow series (its number plus one) and whether the metric is full, and the types that all
/// its labels have, if they have (plus one).
const METRIC_WORDS: usize = 4;
pub(super) const ENDS: usize = 0;
pub(super) const COUNT: usize = 1;
pub(super) const OVER: usize = 2;
pub(super) const FULL: u64 = 1 << 63;
pub(super) const TYPES: usize = 3;
const MIXED: u64 = u64::MAX;

impl Dictionary {
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

    /// Before the line can be read, so that a reading that sees it knows its types.
    pub(super) fn note_types(words: &[AtomicU64], key: &Key) {
        let types = match key {
            Key::Packed(packed) => packed.types().map_or(MIXED, |types| types + 1),
            Key::Wide { .. } | Key::Long { .. } => MIXED,
        };
        let before = words[TYPES].load(Relaxed);
        words[TYPES].store(if before == 0 || before == types { types } else { MIXED }, Relaxed);
    }

    pub(super) fn metric(&self, definition: u32) -> Option<&[AtomicU64]> {
        let slot = definition * METRIC_WORDS as u32;
        self.metrics.chunk(slot).map(|chunk| chunk.words(slot, METRIC_WORDS))
    }

    /// What is known of a metric. The caller holds the lock of the writer.
    pub(super) fn metric_made(&self, definition: u32) -> &[AtomicU64] {
        let slot = definition * METRIC_WORDS as u32;
        self.metrics.map_alone(slot).words(slot, METRIC_WORDS)
    }

    /// Takes these lines out of the list of a metric. No reading is under way, and one at a time calls this.
    ///
    /// The walk over all lines is made without the lock of the writer, for which somebody may wait who makes a series: what
    /// is made meanwhile stands behind the last line that the walk knows of, and changes no other.
    pub(crate) fn unlist(&self, definition: &Definition, gone: &HashSet<u32>) {
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
