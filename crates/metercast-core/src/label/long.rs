//! Labels as words beyond those of a line: more labels than are packed, or longer texts.
//!
//! A byte for each value comes first, then the values as they are packed. Equal words under one shape are equal labels.

use std::borrow::Borrow;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::given::Pairs;
use super::hash::seeds;
use super::overread;
use super::packed::fold;
use super::value::ValueRef;

/// The most labels that have a shape.
pub(crate) const MOST_KEYS: usize = 8 * TAGS;

/// Words with a byte for each value.
const TAGS: usize = 2;
/// The most words that labels may take.
const ROOM: usize = 40;
/// What is hashed, compared and kept at once; behind the last value there are zeros.
const STEP: usize = 4;

/// What a byte says of a value: up to here, the length of a text.
const LONGEST: u64 = I64 - 1;
const I64: u64 = 250;
const U64: u64 = 251;
const F64: u64 = 252;
const FALSE: u64 = 253;
const TRUE: u64 = 254;
const ABSENT: u64 = 255;

/// Where values are put. There is room for one short text beyond the end, as there is where they are packed.
#[derive(Debug)]
pub(crate) struct LongBuffer([AtomicU64; ROOM + STEP]);

impl LongBuffer {
    #[inline(always)]
    pub(crate) const fn new() -> LongBuffer {
        LongBuffer([const { AtomicU64::new(0) }; ROOM + STEP])
    }
}

/// The labels of one series of one metric in words, however many those are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Long<'a> {
    shape: u32,
    hash: u64,
    words: &'a [AtomicU64],
}

impl<'a> Long<'a> {
    /// Puts values into words, in the order of the shape's keys; `None` if they do not fit. The buffer is a new one.
    #[inline(always)]
    pub(crate) fn of<'v>(
        buffer: &'a LongBuffer,
        shape: u32,
        values: impl Iterator<Item: Borrow<ValueRef<'v>>>,
    ) -> Option<Long<'a>> {
        let mut used = TAGS;
        let (mut tags, mut count) = (0, 0);
        for value in values {
            if count == 8 {
                buffer.0[0].store(tags, Relaxed);
                tags = 0;
            }
            if used > ROOM {
                return None;
            }
            let to = &buffer.0[used..];
            // Texts before all others: most values are.
            let (tag, length) = if let ValueRef::String(text) = value.borrow() {
                let text = text.as_bytes();
                if !put_text(text, to) {
                    return None;
                }
                (text.len() as u64, text.len().wrapping_add(7) / 8)
            } else {
                other_than_text(value.borrow(), &to[0])
            };
            tags |= tag << (8 * (count % 8));
            count += 1;
            used += length;
        }
        if used > ROOM || count > MOST_KEYS {
            return None;
        }
        buffer.0[usize::from(count > 8)].store(tags, Relaxed);
        let words = &buffer.0[..used.next_multiple_of(STEP)];
        Some(Long { shape, hash: hash(shape, words), words })
    }

    /// The same of labels, if their keys are known beforehand.
    pub(crate) fn of_pairs(buffer: &'a LongBuffer, pairs: &(impl Pairs + ?Sized)) -> Option<Long<'a>> {
        let values = (0..pairs.count()).map(|at| pairs.pair(at).1);
        if pairs.shape() == 0 { None } else { Long::of(buffer, pairs.shape(), values) }
    }

    /// The number of metric and keys.
    #[inline(always)]
    pub(crate) fn shape(&self) -> u32 {
        self.shape
    }

    /// How many words there are.
    #[inline(always)]
    pub(crate) fn count(&self) -> usize {
        self.words.len()
    }

    /// The hash of the labels; a hint where to look.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Whether these are the words, of which there are as many.
    #[inline(always)]
    pub(crate) fn is(&self, words: &[AtomicU64]) -> bool {
        let steps = words.as_chunks::<STEP>().0.iter().zip(self.words.as_chunks::<STEP>().0);
        let differ = |a: &AtomicU64, b: &AtomicU64| a.load(Relaxed) ^ b.load(Relaxed);
        let pairs = steps
            .map(|([a, b, c, d], [e, f, g, h])| differ(a, e) | differ(b, f) | differ(c, g) | differ(d, h));
        pairs.fold(0, |all, difference| all | difference) == 0
    }

    /// Keeps the words in others, of which there are as many.
    pub(crate) fn copy_to(&self, words: &[AtomicU64]) {
        words.iter().zip(self.words).for_each(|(to, word)| to.store(word.load(Relaxed), Relaxed));
    }
}

/// Puts a text into words, of which there are four at least; false if it does not fit.
#[inline(always)]
fn put_text(text: &[u8], to: &[AtomicU64]) -> bool {
    match to.first_chunk() {
        // One comparison for those that are empty and those that are longer.
        Some(to) if text.len().wrapping_sub(1) < overread::LONGEST => overread::words(text, to),
        _ => put_any(text, to),
    }
}

fn put_any(text: &[u8], words: &[AtomicU64]) -> bool {
    if text.len() > LONGEST as usize {
        return false;
    }
    let (blocks, rest) = text.as_chunks::<{ overread::LONGEST }>();
    let mut to = words.as_chunks::<STEP>().0.iter();
    for block in blocks {
        let Some(to) = to.next() else { return false };
        for (word, bytes) in to.iter().zip(block.as_chunks::<8>().0) {
            word.store(u64::from_le_bytes(*bytes), Relaxed);
        }
    }
    rest.is_empty() || to.next().is_some_and(|to| overread::words(rest, to))
}

/// The tag of a value that is no text, and how many words it takes.
#[inline(always)]
fn other_than_text(value: &ValueRef<'_>, to: &AtomicU64) -> (u64, usize) {
    let (tag, word) = match *value {
        ValueRef::Bool(value) => return (if value { TRUE } else { FALSE }, 0),
        ValueRef::I64(value) => (I64, value as u64),
        ValueRef::U64(value) => (U64, value),
        ValueRef::F64(value) => (F64, value.to_bits()),
        ValueRef::String(_) | ValueRef::Absent => return (ABSENT, 0),
    };
    to.store(word, Relaxed);
    (tag, 1)
}

#[inline(always)]
fn hash(shape: u32, words: &[AtomicU64]) -> u64 {
    let [one, two, three, four, five, six] = seeds();
    let seed = |seed: &AtomicU64| seed.load(Relaxed);
    let (mut left, mut right) = (seed(one) ^ u64::from(shape), seed(two));
    for words in words.as_chunks::<STEP>().0 {
        let [a, b, c, d] = words.each_ref().map(|word| word.load(Relaxed));
        left = fold(left ^ a, seed(three) ^ b);
        right = fold(right ^ c, seed(four) ^ d);
    }
    fold(left ^ seed(five), right ^ seed(six))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::label::choose_seeds;

    /// The words of these values and their hash, if they fit.
    fn words(values: &[ValueRef<'_>]) -> Option<(Vec<u64>, u64)> {
        let buffer = LongBuffer::new();
        let long = Long::of(&buffer, 7, values.iter().copied())?;
        assert_eq!((long.shape(), long.count()), (7, long.words.len()));
        Some((long.words.iter().map(|word| word.load(Relaxed)).collect(), long.hash()))
    }

    #[test]
    fn values_are_never_run_together() {
        choose_seeds();
        let long = "x".repeat(40);
        let sets: [&[ValueRef<'_>]; 14] = [
            &[ValueRef::String("ab"), ValueRef::String("c")],
            &[ValueRef::String("a"), ValueRef::String("bc")],
            &[ValueRef::String(""), ValueRef::String("abc")],
            &[ValueRef::String("abc"), ValueRef::String("")],
            &[ValueRef::String("abc"), ValueRef::Absent],
            &[ValueRef::String("\0"), ValueRef::String("")],
            &[ValueRef::I64(0), ValueRef::String("")],
            &[ValueRef::I64(1), ValueRef::Bool(true)],
            &[ValueRef::U64(1), ValueRef::Bool(true)],
            &[ValueRef::F64(0.0), ValueRef::Bool(true)],
            &[ValueRef::F64(-0.0), ValueRef::Bool(false)],
            &[ValueRef::String(&long), ValueRef::String("x")],
            &[ValueRef::String(&long[1..]), ValueRef::String("xx")],
            &[ValueRef::String("x"), ValueRef::String(&long)],
        ];
        let all: Vec<_> = sets.iter().map(|set| words(set).unwrap()).collect();
        assert_eq!(all.iter().map(|(words, _)| words).collect::<HashSet<_>>().len(), sets.len());
        let hashes: HashSet<_> = all.iter().map(|(_, hash)| hash).collect();
        assert_eq!(hashes.len(), sets.len(), "a hash this poor would be slow");
    }

    #[test]
    fn every_byte_of_a_text_counts_wherever_it_stands() {
        choose_seeds();
        for length in 0..=LONGEST as usize {
            let text: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
            let with = |text: &[u8]| {
                let text = str::from_utf8(text).unwrap();
                words(&[ValueRef::I64(-1), ValueRef::String(text), ValueRef::Bool(true)]).unwrap()
            };
            let (base, hash) = with(&text);
            assert_eq!(base.len(), (TAGS + 1 + length.div_ceil(8)).next_multiple_of(STEP));
            let bytes: Vec<u8> = base[TAGS + 1..].iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!((&bytes[..length], bytes[length..].iter().all(|byte| *byte == 0)), (&text[..], true));
            for at in 0..length {
                let mut other = text.clone();
                other[at] ^= 1;
                let (other, other_hash) = with(&other);
                assert!(other != base && other_hash != hash, "{at} of {length}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_has_no_words() {
        let (longest, too_long) = ("x".repeat(LONGEST as usize), "x".repeat(LONGEST as usize + 1));
        assert!(words(&[ValueRef::String(&longest)]).is_some());
        assert!(words(&[ValueRef::String(&too_long)]).is_none());
        assert!(words(&[ValueRef::Absent; MOST_KEYS]).is_some());
        assert!(words(&[ValueRef::Absent; MOST_KEYS + 1]).is_none());
        let fill = "x".repeat(8 * (ROOM - TAGS) - 160);
        for length in 0..=200 {
            let text = "x".repeat(length);
            let values = [ValueRef::String(&fill), ValueRef::String(&text)];
            assert_eq!(words(&values).is_some(), length <= 160, "{length}");
            let values = [ValueRef::String(&fill), ValueRef::String(&text), ValueRef::I64(1)];
            assert_eq!(words(&values).is_some(), length <= 152, "{length}");
        }
    }

    #[test]
    fn words_are_found_equal_exactly_where_they_are() {
        let buffers = [const { LongBuffer::new() }; 2];
        let texts = ["api.example.com", "/users/{id}/orders/{order}/items/{item}"];
        let [one, other] = [0, 1].map(|at| {
            let values = [texts[0], texts[1], ["GET", "PUT"][at]];
            Long::of(&buffers[at], 7, values.into_iter().map(ValueRef::String)).unwrap()
        });
        let kept: Vec<AtomicU64> = (0..one.count()).map(|_| AtomicU64::new(7)).collect();
        one.copy_to(&kept);
        assert!(one.is(&kept) && !other.is(&kept));
    }
}
