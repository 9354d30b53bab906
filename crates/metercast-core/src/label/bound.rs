//! Which values a label can have, as far as the program text says it.

use std::ops::RangeInclusive;

use super::value::ValueRef;

/// The values that the type of a label lets through. Part of what the catalogue knows of a metric.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// Any text.
    Text,
    /// Any whole number.
    Whole,
    /// One of these texts; the fallback of a list is its last.
    Texts { texts: &'static [&'static str], has_fallback: bool },
    /// One of these.
    Values(&'static [ValueRef<'static>]),
    /// A whole number in one of these ranges, or the fallback.
    Ranges { ranges: &'static [RangeInclusive<i64>], fallback: &'static str },
    /// A text of these characters, of such a length, or the fallback.
    Pattern { characters: &'static str, length: (usize, usize), fallback: &'static str },
    /// One of those, or no label at all.
    Optional(&'static Bound),
}

/// The least and the greatest of a range.
#[doc(hidden)]
pub const fn ends(range: &RangeInclusive<usize>) -> (usize, usize) {
    (*range.start(), *range.end())
}
