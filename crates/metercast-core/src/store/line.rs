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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineKey {
    /// In the order of their keys.
    values: [[u64; 2]; INLINE],
    tags: [u8; INLINE],
    /// The metric and its keys, as the registry numbers them; 0 if the words do not say everything.
    family: u32,
}

impl LineKey {
    /// The key of values in the order of their keys.
    #[inline(always)]
    pub(crate) fn of(family: u32, values: impl ExactSizeIterator<Item = Encoded>) -> LineKey {
        let mut key = LineKey::NONE;
        if values.len() > INLINE {
            return key;
        }
        let mut exact = true;
        for (at, value) in values.enumerate() {
            key.values[at] = value.words;
            key.tags[at] = value.tag;
            exact &= value.is_exact();
        }
        key.family = if exact { family } else { 0 };
        key
    }

    /// The key that says nothing.
    pub(crate) const NONE: LineKey = LineKey { values: [[0; 2]; INLINE], tags: [0; INLINE], family: 0 };

    /// Whether both are the same labels; `None` if only the labels can say.
    #[inline(always)]
    pub(crate) fn same(&self, other: &LineKey) -> Option<bool> {
        (self.family != 0 && other.family != 0).then(|| self == other)
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
