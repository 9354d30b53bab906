//! One dynamic series: a cache line that a lookup compares and finds, and beside it what only readings look at.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::label::{Long, Packed, WORDS, Words};

/// Words of a line: the values, the head, the cell.
pub(crate) const LINE_WORDS: usize = WORDS + 2;

/// In the shape of a line whose labels are not in it. If they are words elsewhere the rest is the shape, and below is how many
/// words there are; if they are text, the rest is the number of the metric.
const WIDE: u32 = 1 << 31;

/// What a lookup compares and finds.
///
/// Its words change only while nobody can find it: before it is put into the table, and after everybody who could have
/// found it has finished. But for the cell, which a histogram may change for one that has other buckets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a>(&'a [AtomicU64; LINE_WORDS]);

impl<'a> Line<'a> {
    pub(crate) fn of(words: &'a [AtomicU64]) -> Option<Line<'a>> {
        words.first_chunk().map(Line)
    }

    /// Whether it has these labels.
    #[inline(always)]
    pub(crate) fn is(self, labels: &impl Words) -> bool {
        // Without a branch for each word: which of them differs cannot be foreseen.
        let mut difference = self.0[WORDS].load(Relaxed) ^ labels.head();
        for (at, word) in self.0[..WORDS].iter().enumerate() {
            difference |= word.load(Relaxed) ^ labels.word(at);
        }
        difference == 0
    }

    /// Whether it may have the labels with this hash; only comparing them can say.
    pub(crate) fn may_be(self, definition: u32, hash: [u64; 2]) -> bool {
        self.0[WORDS].load(Relaxed) == wide_head(definition)
            && self.0[0].load(Relaxed) == hash[0]
            && self.0[1].load(Relaxed) == hash[1]
    }

    /// Where the words of its labels begin, if it may have these; only comparing them can say.
    #[inline(always)]
    pub(crate) fn may_be_long(self, long: &Long<'_>) -> Option<u32> {
        let is_head = self.0[WORDS].load(Relaxed) == long_head(long.shape(), long.count());
        (is_head && self.0[0].load(Relaxed) == long.hash()).then(|| self.0[1].load(Relaxed) as u32)
    }

    #[inline(always)]
    pub(crate) fn cell(self) -> CellWord {
        // Acquire: who sees a new cell sees what was noted of the one before, and the layout that its number stands for.
        CellWord(self.0[WORDS + 1].load(Acquire))
    }

    /// Gives the series another cell.
    pub(crate) fn set_cell(self, cell: CellWord) {
        self.0[WORDS + 1].store(cell.0, Release);
    }

    /// Whether the labels themselves are in it.
    #[inline(always)]
    pub(crate) fn is_packed(self) -> bool {
        self.0[WORDS].load(Relaxed) >> 32 & u64::from(WIDE) == 0
    }

    /// The number of metric and keys, if the labels are in it.
    #[inline(always)]
    pub(crate) fn shape(self) -> u32 {
        (self.0[WORDS].load(Relaxed) >> 32) as u32
    }

    /// What the values are, if they are in it: a byte for each.
    #[inline(always)]
    pub(crate) fn tags(self) -> u32 {
        self.0[WORDS].load(Relaxed) as u32
    }

    /// All of its words.
    #[inline(always)]
    pub(crate) fn words(self) -> &'a [AtomicU64; LINE_WORDS] {
        self.0
    }

    /// The labels, or where they are.
    #[inline]
    pub(crate) fn key(self) -> Key {
        let head = self.0[WORDS].load(Relaxed);
        let word = |at: usize| self.0[at].load(Relaxed);
        if self.is_packed() {
            Key::Packed(Packed { words: std::array::from_fn(word), head })
        } else {
            let number = (head >> 32) as u32 & !WIDE;
            match head as u32 {
                0 => Key::Wide { definition: number, hash: [word(0), word(1)], labels: word(2) as u32 },
                count => Key::Long { shape: number, hash: word(0), words: word(1) as u32, count },
            }
        }
    }

    pub(crate) fn write(self, key: &Key, cell: CellWord) {
        let (words, head) = match *key {
            Key::Packed(packed) => (packed.words, packed.head),
            Key::Wide { definition, hash, labels } => {
                ([hash[0], hash[1], u64::from(labels), 0, 0, 0], wide_head(definition))
            }
            Key::Long { shape, hash, words, count } => {
                ([hash, u64::from(words), 0, 0, 0, 0], long_head(shape, count as usize))
            }
        };
        for (to, word) in self.0.iter().zip(words.into_iter().chain([head, cell.0])) {
            to.store(word, Relaxed);
        }
    }
}

#[inline(always)]
fn wide_head(definition: u32) -> u64 {
    u64::from(definition | WIDE) << 32
}

/// Never that of a wide line: there is at least one word.
#[inline(always)]
fn long_head(shape: u32, count: usize) -> u64 {
    wide_head(shape) | count as u64
}

/// What tells one line from all others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    /// The labels themselves.
    Packed(Packed),
    /// A hash of the labels, and where they are kept.
    Wide { definition: u32, hash: [u64; 2], labels: u32 },
    /// A hash of the labels, and where their words are. Only an alias has such a line: the labels of a series are in a line
    /// or kept as text.
    Long { shape: u32, hash: u64, words: u32, count: u32 },
}

impl Key {
    /// Where the table looks for it.
    pub(crate) fn hash(&self, seeds: &[AtomicU64; WORDS]) -> u64 {
        match self {
            Key::Packed(packed) => packed.hash(seeds),
            Key::Wide { hash, .. } => hash[0],
            Key::Long { hash, .. } => *hash,
        }
    }
}

/// Where the value of a series lives: the first word of its cell, the number of its buckets among those of the store, and
/// whether its labels can be written to a page as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CellWord(u64);

impl CellWord {
    /// The most layouts that a cell can tell apart.
    pub(crate) const MOST_LAYOUTS: u32 = 1 << 15;

    pub(crate) fn new(slot: u32, layout: u16, plain: bool) -> CellWord {
        CellWord(u64::from(slot) << 32 | u64::from(layout) << 1 | u64::from(plain))
    }

    #[inline(always)]
    pub(crate) fn slot(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    pub(crate) fn layout(self) -> u32 {
        self.0 as u32 >> 1
    }

    pub(crate) fn is_plain(self) -> bool {
        self.0 & 1 != 0
    }
}

/// Words of what stands beside a line.
pub(crate) const SIDE_WORDS: usize = 2;

/// What only readings and those who hold a series look at.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a>(&'a [AtomicU64; SIDE_WORDS]);

/// In the second word: the line was removed and is not read any more. Below are those who hold it, above the next line.
const REMOVED: u64 = 1 << 31;
const HOLDS: u64 = REMOVED - 1;

/// In the first word, beside the time: the line leads to the cell of a series that has another line of its own.
const ALIAS: u64 = 1 << 63;

impl<'a> Side<'a> {
    pub(crate) fn of(words: &'a [AtomicU64]) -> Option<Side<'a>> {
        words.first_chunk().map(Side)
    }

    /// Begins anew; the line is nowhere listed.
    pub(crate) fn reset(self, started: u64, is_alias: bool) {
        self.0[0].store(started & !ALIAS | if is_alias { ALIAS } else { 0 }, Relaxed);
        self.0[1].store(0, Relaxed);
    }

    /// Whether the series has another line of its own.
    pub(crate) fn is_alias(self) -> bool {
        self.0[0].load(Relaxed) & ALIAS != 0
    }

    /// When the series began to count, in nanoseconds since 1970.
    pub(crate) fn started(self) -> u64 {
        self.0[0].load(Relaxed) & !ALIAS
    }

    /// The next line of the same metric.
    pub(crate) fn next(self) -> Option<u32> {
        ((self.0[1].load(Acquire) >> 32) as u32).checked_sub(1)
    }

    /// Sets the next line. One at a time does this.
    pub(crate) fn set_next(self, next: Option<u32>) {
        let next = next.map_or(0, |number| u64::from(number) + 1) << 32;
        let low = u64::from(u32::MAX);
        // Others may hold or let go meanwhile.
        let _ = self.0[1].fetch_update(Release, Relaxed, |word| Some(word & low | next));
    }

    /// Keeps the series from being removed until `let_go`; for ever, if more hold it than can be counted.
    pub(crate) fn hold(self) {
        let one_more = |word: u64| (word & HOLDS != HOLDS).then_some(word + 1);
        let _ = self.0[1].fetch_update(Relaxed, Relaxed, one_more);
    }

    pub(crate) fn let_go(self) {
        let one_less = |word: u64| (word & HOLDS != HOLDS).then_some(word - 1);
        let _ = self.0[1].fetch_update(Release, Relaxed, one_less);
    }

    pub(crate) fn is_held(self) -> bool {
        self.0[1].load(Acquire) & HOLDS != 0
    }

    pub(crate) fn is_removed(self) -> bool {
        self.0[1].load(Relaxed) & REMOVED != 0
    }

    pub(crate) fn set_removed(self, removed: bool) {
        if removed {
            self.0[1].fetch_or(REMOVED, Relaxed);
        } else {
            self.0[1].fetch_and(!REMOVED, Relaxed);
        }
    }
}
