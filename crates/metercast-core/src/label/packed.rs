//! Labels as words: the names of the keys are a number, and the values follow each other in six words.
//!
//! Equal words are equal labels, so that a lookup compares them and nothing else. Values that do not fit are kept as text, and
//! found by more words: see `long`.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::given::Pairs;
use super::overread;
use super::value::{LabelRef, ValueRef};

/// The words that the values of one series may take.
pub(crate) const WORDS: usize = 6;

/// The most labels that are packed: each has a byte in the head.
pub(crate) const MOST_LABELS: usize = 4;

/// What a byte in the head says of a value: up to here, the length of a text.
pub(crate) const LONGEST: u8 = overread::LONGEST as u8;
pub(crate) const I64: u8 = LONGEST + 1;
pub(crate) const U64: u8 = LONGEST + 2;
pub(crate) const F64: u8 = LONGEST + 3;
pub(crate) const FALSE: u8 = LONGEST + 4;
pub(crate) const TRUE: u8 = LONGEST + 5;
pub(crate) const ABSENT: u8 = LONGEST + 6;

/// The labels of one series of one metric in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// The values, one after the other, each from the beginning of a word.
    pub(crate) words: [u64; WORDS],
    /// The shape (metric and keys) in the upper half; below a byte for each value.
    pub(crate) head: u64,
}

/// Labels in words, wherever the words are.
pub(crate) trait Words {
    fn word(&self, at: usize) -> u64;
    fn head(&self) -> u64;

    /// The hash of the labels; a hint where to look.
    #[inline(always)]
    fn hash(&self, seeds: &[AtomicU64; WORDS]) -> u64 {
        let mixed = |at: usize| self.word(at) ^ seeds[at].load(Relaxed);
        let one = fold(mixed(0), mixed(1));
        let two = fold(mixed(2), mixed(3));
        let three = fold(mixed(4) ^ self.head(), mixed(5));
        one.wrapping_add(two.rotate_left(23)).wrapping_add(three.rotate_left(41))
    }
}

impl Words for Packed {
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        self.words[at]
    }

    #[inline(always)]
    fn head(&self) -> u64 {
        self.head
    }
}

/// Where values are packed. There is room for one text beyond the end, so that its four words can be written before it is
/// known whether it fits.
///
/// The words stay where they were written, and are read one at a time: see [`overread::words`].
#[derive(Debug)]
pub(crate) struct Buffer([AtomicU64; WORDS + 4]);

impl Buffer {
    #[inline(always)]
    pub(crate) const fn new() -> Buffer {
        Buffer([const { AtomicU64::new(0) }; WORDS + 4])
    }
}

/// Labels that are being packed, in the order of the shape's keys.
#[doc(hidden)]
#[derive(Debug)]
pub struct Packing<'a> {
    buffer: &'a Buffer,
    /// How many words the values take.
    used: usize,
    /// How many values there are.
    values: usize,
    fits: bool,
    head: u64,
}

impl<'a> Packing<'a> {
    #[inline(always)]
    pub(crate) fn new(buffer: &'a Buffer, shape: u32) -> Packing<'a> {
        Packing { buffer, used: 0, values: 0, fits: true, head: u64::from(shape) << 32 }
    }

    /// Adds a value. Always inlined: where it is called the number and the types of the values are known.
    #[inline(always)]
    pub(crate) fn put(&mut self, value: ValueRef<'_>) {
        let words = &self.buffer.0;
        let from = self.used.min(WORDS);
        let word = |word: u64, tag: u8| {
            words[from].store(word, Relaxed);
            (tag, 1)
        };
        let (tag, length) = match value {
            ValueRef::String(text) => {
                let text = text.as_bytes();
                if let Some(to) = words[from..].first_chunk() {
                    self.fits &= overread::words(text, to);
                }
                // Not `div_ceil`, which takes care of texts as long as the address space.
                (text.len() as u8, text.len().wrapping_add(7) / 8)
            }
            ValueRef::I64(value) => word(value as u64, I64),
            ValueRef::U64(value) => word(value, U64),
            ValueRef::F64(value) => word(value.to_bits(), F64),
            ValueRef::Bool(value) => (if value { TRUE } else { FALSE }, 0),
            ValueRef::Absent => (ABSENT, 0),
        };
        self.fits &= self.values < MOST_LABELS;
        self.head |= u64::from(tag) << (8 * (self.values % MOST_LABELS));
        self.values += 1;
        self.used += length;
    }

    /// The labels do not fit.
    #[inline(always)]
    pub(crate) fn give_up(&mut self) {
        self.fits = false;
    }

    /// The labels, if they fit.
    #[inline(always)]
    pub(crate) fn done(self) -> Option<Packed> {
        if !self.fits || self.used > WORDS {
            return None;
        }
        Some(Packed { words: std::array::from_fn(|at| self.buffer.0[at].load(Relaxed)), head: self.head })
    }
}

impl Packed {
    /// Packs the values of labels of which nothing is known beforehand; `None` if they do not fit.
    #[inline(always)]
    pub(crate) fn of_list(buffer: &Buffer, shape: u32, labels: &[LabelRef<'_>]) -> Option<Packed> {
        if labels.len() > MOST_LABELS {
            return None;
        }
        let (mut used, mut head) = (0, u64::from(shape) << 32);
        for (at, (_, value)) in labels.iter().enumerate() {
            if used > WORDS {
                return None;
            }
            let to: &[AtomicU64; 4] = buffer.0[used..].first_chunk()?;
            // Texts before all others: most values are.
            let (tag, length) = if let ValueRef::String(text) = value {
                if !overread::words(text.as_bytes(), to) {
                    return None;
                }
                (text.len() as u64, text.len().wrapping_add(7) / 8)
            } else {
                other_than_text(*value, &to[0])
            };
            head |= tag << (8 * at);
            used += length;
        }
        if used > WORDS {
            return None;
        }
        Some(Packed { words: std::array::from_fn(|at| buffer.0[at].load(Relaxed)), head })
    }

    /// Packs values in the order of the shape's keys; `None` if they do not fit.
    pub(crate) fn of<'a>(shape: u32, values: impl Iterator<Item = ValueRef<'a>>) -> Option<Packed> {
        let buffer = Buffer::new();
        let mut packing = Packing::new(&buffer, shape);
        values.for_each(|value| packing.put(value));
        packing.done()
    }

    /// Packs labels, if their keys are known beforehand.
    pub(crate) fn of_pairs(pairs: &(impl Pairs + ?Sized)) -> Option<Packed> {
        let values = (0..pairs.count()).map(|at| pairs.pair(at).1);
        if pairs.shape() == 0 { None } else { Packed::of(pairs.shape(), values) }
    }

    /// The shape and the types of the values: of two that agree in this, no two values are spelled alike unless they are
    /// equal. `None` if that cannot be said: doubles have many bits for one spelling.
    pub(crate) fn types(&self) -> Option<u64> {
        (0..MOST_LABELS).try_fold(self.head >> 32 << 32, |types, at| {
            let class = match (self.head >> (8 * at)) as u8 {
                0..=LONGEST => 0,
                I64 | U64 => 1,
                FALSE | TRUE => 2,
                F64 => return None,
                _ => 3,
            };
            Some(types | class << (8 * at))
        })
    }

    /// The number of metric and keys.
    pub(crate) fn shape(&self) -> u32 {
        (self.head >> 32) as u32
    }

    /// The first `count` values, in the order of the shape's keys.
    pub(crate) fn values(&self, count: usize) -> impl Iterator<Item = PackedValue<'_>> {
        let mut from = 0;
        (0..count.min(MOST_LABELS)).map(move |at| {
            let tag = (self.head >> (8 * at)) as u8;
            let length = if tag <= LONGEST { usize::from(tag).div_ceil(8) } else { usize::from(tag <= F64) };
            let words = &self.words[from..from + length];
            from += length;
            match (tag, words) {
                (I64, [word]) => PackedValue::I64(*word as i64),
                (U64, [word]) => PackedValue::U64(*word),
                (F64, [word]) => PackedValue::F64(f64::from_bits(*word)),
                (FALSE, _) => PackedValue::Bool(false),
                (TRUE, _) => PackedValue::Bool(true),
                (0..=LONGEST, words) => PackedValue::Text(PackedText { words, length: usize::from(tag) }),
                _ => PackedValue::Absent,
            }
        })
    }
}

/// The tag of a value that is no text, and how many words it takes.
#[inline(always)]
fn other_than_text(value: ValueRef<'_>, to: &AtomicU64) -> (u64, usize) {
    let (tag, word) = match value {
        ValueRef::Bool(false) => return (FALSE.into(), 0),
        ValueRef::Bool(true) => return (TRUE.into(), 0),
        ValueRef::I64(value) => (I64, value as u64),
        ValueRef::U64(value) => (U64, value),
        ValueRef::F64(value) => (F64, value.to_bits()),
        ValueRef::String(_) | ValueRef::Absent => return (ABSENT.into(), 0),
    };
    to.store(word, Relaxed);
    (tag.into(), 1)
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PackedValue<'a> {
    Text(PackedText<'a>),
    I64(i64),
    U64(u64),
    F64(f64),
    Bool(bool),
    /// The label is not there.
    Absent,
}

/// A short text in words, zeros behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackedText<'a> {
    words: &'a [u64],
    length: usize,
}

impl PackedText<'_> {
    /// Gives the text to `f`.
    pub(crate) fn with<R>(self, f: impl FnOnce(&str) -> R) -> R {
        let mut bytes = [0; overread::LONGEST];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.words) {
            *to = word.to_le_bytes();
        }
        // It was packed from a text, so there is nothing to mend.
        f(std::str::from_utf8(&bytes[..self.length]).unwrap_or_default())
    }
}

/// Multiplies to 128 bits and folds the halves together: every bit of the input reaches every bit of the output. A factor of
/// zero loses the other, so that inputs are first mixed with random bits.
#[inline(always)]
pub(super) const fn fold(a: u64, b: u64) -> u64 {
    let wide = a as u128 * b as u128;
    (wide as u64) ^ (wide >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    static SEEDS: [AtomicU64; WORDS] = [
        AtomicU64::new(0x9e37_79b9_7f4a_7c15),
        AtomicU64::new(0x8bb8_4b93_962e_acc9),
        AtomicU64::new(0x2d35_8dcc_aa6c_78a5),
        AtomicU64::new(0x4b33_a62e_d433_d4a3),
        AtomicU64::new(0xc2b2_ae3d_27d4_eb4f),
        AtomicU64::new(0x1656_67b1_9e37_79f9),
    ];

    fn pack(values: &[ValueRef<'_>]) -> Option<Packed> {
        Packed::of(7, values.iter().copied())
    }

    fn unpacked(packed: &Packed, count: usize) -> Vec<String> {
        let text = |value| match value {
            PackedValue::Text(text) => text.with(|text| format!("{text:?}")),
            other => format!("{other:?}"),
        };
        packed.values(count).map(text).collect()
    }

    #[test]
    fn what_was_packed_comes_out_again() {
        for length in 0..=32 {
            let text: String = ('a'..='z').cycle().take(length).collect();
            let values = [ValueRef::I64(-1), ValueRef::String(&text), ValueRef::Bool(true), ValueRef::Absent];
            let packed = pack(&values).unwrap();
            assert_eq!(
                unpacked(&packed, 4),
                ["I64(-1)".to_owned(), format!("{text:?}"), "Bool(true)".into(), "Absent".into()]
            );
            assert_eq!(packed.shape(), 7);
        }
        let numbers = pack(&[ValueRef::U64(u64::MAX), ValueRef::F64(-0.0), ValueRef::Bool(false)]).unwrap();
        assert_eq!(unpacked(&numbers, 3), ["U64(18446744073709551615)", "F64(-0.0)", "Bool(false)"]);
    }

    #[test]
    fn lists_are_packed_as_values_one_by_one() {
        let (long, longest, full) = ("x".repeat(33), "x".repeat(32), "x".repeat(16));
        let some = [
            ValueRef::String(&long),
            ValueRef::String(&longest),
            ValueRef::String(&full),
            ValueRef::String(""),
            ValueRef::I64(-1),
            ValueRef::U64(u64::MAX),
            ValueRef::F64(0.5),
            ValueRef::Bool(true),
            ValueRef::Bool(false),
            ValueRef::Absent,
        ];
        for at in 0..10usize.pow(5) {
            let values =
                [at % 10, at / 10 % 10, at / 100 % 10, at / 1000 % 10, at / 10_000].map(|at| some[at]);
            for count in 0..=5 {
                let labels = values.map(|value| ("key", value));
                let packed = Packed::of_list(&Buffer::new(), 7, &labels[..count]);
                assert_eq!(packed, pack(&values[..count]), "{:?}", &values[..count]);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_not_packed() {
        let (long, longest, full) = ("x".repeat(33), "x".repeat(32), "x".repeat(16));
        assert!(pack(&[ValueRef::String(&long)]).is_none());
        assert!(pack(&[ValueRef::String(&longest), ValueRef::String(&full)]).is_some());
        assert!(pack(&[ValueRef::String(&longest), ValueRef::String(&full), ValueRef::I64(1)]).is_none());
        assert!(pack(&[ValueRef::String(&longest), ValueRef::String(&longest)]).is_none());
        assert!(pack(&[ValueRef::Bool(true); 4]).is_some());
        assert!(pack(&[ValueRef::Bool(true); 5]).is_none());
    }

    #[test]
    fn values_are_never_run_together() {
        let sets: [&[ValueRef<'_>]; 9] = [
            &[ValueRef::String("ab"), ValueRef::String("c")],
            &[ValueRef::String("a"), ValueRef::String("bc")],
            &[ValueRef::String(""), ValueRef::String("abc")],
            &[ValueRef::String("abc"), ValueRef::String("")],
            &[ValueRef::String("12345678"), ValueRef::String("9")],
            &[ValueRef::String("123456789"), ValueRef::String("")],
            &[ValueRef::String("\0"), ValueRef::String("")],
            &[ValueRef::I64(0), ValueRef::String("")],
            &[ValueRef::Absent, ValueRef::String("abc")],
        ];
        let packed: HashSet<_> = sets.iter().map(|set| pack(set).map(|p| (p.words, p.head))).collect();
        assert_eq!(packed.len(), sets.len());
        let hashes: HashSet<_> = sets.iter().map(|set| pack(set).map(|p| p.hash(&SEEDS))).collect();
        assert_eq!(hashes.len(), sets.len(), "a hash this poor would be slow");
    }

    #[test]
    fn hashes_of_many_sets_spread() {
        let mut low = vec![0u32; 256];
        let mut tags = HashSet::new();
        for n in 0..65_536 {
            let text = format!("tenant-{n}");
            let hash = pack(&[ValueRef::String(&text), ValueRef::I64(n % 7)]).unwrap().hash(&SEEDS);
            low[(hash & 255) as usize] += 1;
            tags.insert(hash >> 48);
        }
        let (least, most) = (low.iter().min().unwrap(), low.iter().max().unwrap());
        assert!(*least > 150 && *most < 400, "{least} to {most} where 256 are expected");
        assert!(tags.len() > 38_000, "{} of 65,536 tags where 41,400 are expected", tags.len());
    }
}
