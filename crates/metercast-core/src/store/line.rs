//! One dynamic series: the cache line that a lookup compares and finds, and the rest that only readings look at.

use std::sync::Arc;
use std::time::SystemTime;

use crate::label::{Encoded, LabelSet};

/// The most values that a line holds.
pub(crate) const INLINE: usize = 3;

/// What a lookup compares and finds.
#[repr(C, align(64))]
pub(crate) struct Line {
    key: LineKey,
    /// The first word of the cell.
    pub(crate) slot: u32,
    /// The number of its buckets among those of the store, if it is a histogram.
    pub(crate) layout: u16,
}

const _: () = assert!(size_of::<Line>() == 64);

/// Labels in words, if there are at most three and none is long: equal keys of one family are equal labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineKey {
    /// In the order in which the site gives them.
    values: [[u64; 2]; INLINE],
    /// The tags of the values, a byte each, and above them the family: the metric, and its keys in the order of the
    /// site. 0 if the words do not say everything.
    family_and_tags: u64,
}

impl LineKey {
    /// The key that says nothing.
    pub(crate) const NONE: LineKey = LineKey { values: [[0; 2]; INLINE], family_and_tags: 0 };

    /// The key of no values yet.
    #[inline(always)]
    pub(crate) fn begin(family: u32) -> LineKey {
        LineKey { family_and_tags: u64::from(family) << 32, ..LineKey::NONE }
    }

    /// Adds the value at `at`.
    #[inline(always)]
    pub(crate) fn put(&mut self, at: usize, value: Encoded) {
        match self.values.get_mut(at) {
            Some(words) if value.is_exact() => {
                *words = value.words;
                self.family_and_tags |= u64::from(value.tag) << (8 * at);
            }
            _ => self.family_and_tags = 0,
        }
    }

    /// The key, which says nothing if a value on the way could not be held.
    #[inline(always)]
    pub(crate) fn end(self) -> LineKey {
        // The tags of later values may have been put beside a family that is gone.
        if self.family_and_tags >> 32 == 0 { LineKey::NONE } else { self }
    }

    /// Whether both are the same labels; `None` if only the labels can say.
    #[inline(always)]
    pub(crate) fn same(&self, other: &LineKey) -> Option<bool> {
        if (self.family_and_tags ^ other.family_and_tags) >> 32 != 0 || self.family_and_tags == 0 {
            return None;
        }
        // Without a branch for each word: which of them differs cannot be foreseen.
        let mut difference = self.family_and_tags ^ other.family_and_tags;
        for (a, b) in self.values.iter().zip(&other.values) {
            difference |= (a[0] ^ b[0]) | (a[1] ^ b[1]);
        }
        Some(difference == 0)
    }
}

impl Line {
    pub(crate) fn new(key: LineKey, slot: u32, layout: u16) -> Line {
        Line { key, slot, layout }
    }

    #[inline(always)]
    pub(crate) fn key(&self) -> &LineKey {
        &self.key
    }
}

/// What lookups rarely need.
pub(crate) struct Cold {
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) started: SystemTime,
    pub(crate) hash: u64,
    pub(crate) definition: u32,
}
