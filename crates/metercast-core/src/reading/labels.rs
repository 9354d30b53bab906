//! The labels of a series during a reading: borrowed from the line that has them in it, or from a set.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use crate::label::packed::{F64, FALSE, I64, LONGEST, TRUE, U64};
use crate::label::{LabelSet, Value};
use crate::store::line::{Key, Line};

/// The labels of a series during a reading.
#[derive(Clone, Copy)]
pub struct LabelsView<'a>(Labels<'a>);

#[derive(Clone, Copy)]
enum Labels<'a> {
    Set(&'a LabelSet),
    Packed { line: Line<'a>, keys: &'static [&'static str] },
}

/// The value of a label during a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValueView<'a> {
    /// Text.
    Text(&'a str),
    /// Text of at most 32 bytes.
    Packed(PackedText<'a>),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A whole number, beyond what `I64` holds.
    U64(u64),
    /// A double.
    F64(f64),
    /// The label is not there: it is left out, not empty.
    Absent,
}

impl<'a> LabelsView<'a> {
    pub(crate) fn of(labels: &'a LabelSet) -> LabelsView<'a> {
        LabelsView(Labels::Set(labels))
    }

    /// The labels in a line that has them in it.
    #[inline(always)]
    pub(crate) fn packed(line: Line<'a>, keys: &'static [&'static str]) -> LabelsView<'a> {
        LabelsView(Labels::Packed { line, keys })
    }

    /// A number that all series have in common whose keys, of [`keys`](Self::keys), are the same in the same order, and
    /// which no other metric's series have: what is prepared for the keys can be kept under it. `None` if there is none.
    #[inline]
    pub fn shape(&self) -> Option<u32> {
        match self.0 {
            Labels::Packed { line, .. } => Some(line.shape()),
            Labels::Set(_) => None,
        }
    }

    /// The keys, in the order in which the program gives them, or gave them first. Those of values that are absent are among
    /// them.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        let (packed, set) = match self.0 {
            Labels::Packed { keys, .. } => (keys, None),
            Labels::Set(labels) => (&[][..], Some(labels)),
        };
        let given = set.into_iter().flat_map(|set| (0..set.len()).filter_map(|at| set.given_at(at)));
        packed.iter().copied().chain(given.map(|(key, _)| &**key))
    }

    /// The values, in the order of the keys.
    #[inline(always)]
    pub fn values(&self) -> Values<'a> {
        match self.0 {
            Labels::Packed { line, keys } => {
                // Behind the last there is no value.
                let tags = i64::from(line.tags()) | (-1i64).wrapping_shl(8 * keys.len() as u32);
                Values::Packed(PackedValues { line, tags, from: 0 })
            }
            Labels::Set(labels) => Values::Set(SetValues { labels, at: 0 }),
        }
    }

    /// Whether all texts are free of quotation marks, backslashes and line breaks.
    #[inline]
    pub fn is_plain(&self) -> bool {
        match self.0 {
            Labels::Packed { line, .. } => line.cell().is_plain(),
            Labels::Set(labels) => labels.is_plain(),
        }
    }

    /// The labels, to keep.
    pub fn to_set(&self) -> LabelSet {
        match self.0 {
            Labels::Set(labels) => labels.clone(),
            Labels::Packed { line, keys } => match line.key() {
                Key::Packed(packed) => LabelSet::from_packed(&packed, keys),
                Key::Wide { .. } | Key::Long { .. } => LabelSet::default(),
            },
        }
    }
}

/// The values of labels. Whoever is in a hurry asks once which they are.
#[derive(Debug)]
pub enum Values<'a> {
    /// All of them are short.
    Packed(PackedValues<'a>),
    /// Any.
    Set(SetValues<'a>),
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueView<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueView<'a>> {
        match self {
            Values::Packed(values) => values.next(),
            Values::Set(values) => values.next(),
        }
    }
}

/// The values of a set.
#[derive(Debug)]
pub struct SetValues<'a> {
    labels: &'a LabelSet,
    /// The place of the next value.
    at: usize,
}

impl<'a> Iterator for SetValues<'a> {
    type Item = ValueView<'a>;

    fn next(&mut self) -> Option<ValueView<'a>> {
        let (_, value) = self.labels.given_at(self.at)?;
        self.at += 1;
        Some(ValueView::from(value))
    }
}

impl fmt::Debug for LabelsView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.keys().zip(self.values())).finish()
    }
}

/// Values that are short.
#[derive(Debug)]
pub struct PackedValues<'a> {
    line: Line<'a>,
    /// What the values are, a byte for each, the next lowest.
    tags: i64,
    /// Where the next value begins.
    from: usize,
}

/// There is no such value.
const END: u8 = u8::MAX;

impl<'a> Iterator for PackedValues<'a> {
    type Item = ValueView<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<ValueView<'a>> {
        let (tag, from) = (self.tags as u8, self.from);
        // From above come the bits of `END`.
        self.tags >>= 8;
        if tag <= LONGEST {
            // Not `div_ceil`, which takes care of what is as large as the type.
            self.from += usize::from(tag + 7) / 8;
            return Some(ValueView::Packed(PackedText { line: self.line, from, length: tag }));
        }
        let words = self.line.words();
        let word = words[from % words.len()].load(Relaxed);
        self.from += usize::from(tag <= F64);
        // The most usual first, so that it is no jump through a table.
        if tag == I64 {
            return Some(ValueView::I64(word as i64));
        }
        Some(match tag {
            U64 => ValueView::U64(word),
            F64 => ValueView::F64(f64::from_bits(word)),
            FALSE | TRUE => ValueView::Bool(tag == TRUE),
            END => return None,
            _ => ValueView::Absent,
        })
    }
}

/// A text of at most 32 bytes in words, during a reading.
#[derive(Clone, Copy)]
pub struct PackedText<'a> {
    line: Line<'a>,
    from: usize,
    length: u8,
}

impl PackedText<'_> {
    /// The text in words of eight bytes, the first byte lowest. What follows the text is anything: copy all of it, and then
    /// count only [`len`](Self::len) bytes.
    #[inline(always)]
    pub fn block(self) -> [u64; 4] {
        let words = self.line.words();
        match words.get(self.from..).and_then(|words| words.first_chunk::<4>()) {
            Some(words) => std::array::from_fn(|at| words[at].load(Relaxed)),
            // It ends before the line does.
            None => std::array::from_fn(|at| words[(self.from + at) % words.len()].load(Relaxed)),
        }
    }

    /// How many bytes there are: at most 32.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    #[inline(always)]
    pub fn len(self) -> usize {
        usize::from(self.length)
    }

    /// Gives the text to `f`.
    pub fn with<R>(self, f: impl FnOnce(&str) -> R) -> R {
        let mut bytes = [0; 32];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.block()) {
            *to = word.to_le_bytes();
        }
        // It was packed from a text, so there is nothing to mend.
        f(std::str::from_utf8(&bytes[..self.len()]).unwrap_or_default())
    }
}

impl PartialEq for PackedText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.with(|text| other.with(|other| text == other))
    }
}

impl fmt::Debug for PackedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|text| text.fmt(f))
    }
}

impl<'a> From<&'a Value> for ValueView<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => ValueView::Text(text),
            Value::I64(value) => ValueView::I64(*value),
            Value::U64(value) => ValueView::U64(*value),
            Value::F64(value) => ValueView::F64(*value),
            Value::Bool(value) => ValueView::Bool(*value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, u64_counter};

    #[test]
    fn short_values_come_out_as_they_went_in_wherever_they_lie() {
        let store = Store::new();
        let text = |length: usize| "abcdefghijklmnopqrstuvwxyz012345"[..length].to_owned();
        let mut given = Vec::new();
        store.scope(|| {
            for first in 0..=32usize {
                // What fits beside it in six words.
                for second in (0..=32usize).filter(|second| first.div_ceil(8) + second.div_ceil(8) <= 5) {
                    let (one, two) = (text(first), text(second));
                    let (three, four) = (first as i64 - 9, (second % 3 > 0).then_some(second % 3 == 1));
                    u64_counter!("view.lines", "", 1, "a" => one, "b" => two, "c" => three, "d" => four);
                    given.push((one, two, three, four));
                }
            }
        });
        let mut taken = Vec::new();
        store.read(|reading| {
            let family = reading.families().find(|family| family.definition().name() == "view.lines");
            family.unwrap().each(|series| {
                assert!(matches!(series.labels.values(), Values::Packed(_)));
                let values: Vec<_> = series.labels.values().collect();
                let [ValueView::Packed(one), ValueView::Packed(two), ValueView::I64(three), four] =
                    values[..]
                else {
                    panic!("{values:?}");
                };
                let four = match four {
                    ValueView::Bool(value) => Some(value),
                    ValueView::Absent => None,
                    other => panic!("{other:?}"),
                };
                assert_eq!(one.len(), one.with(str::len));
                taken.push((one.with(str::to_owned), two.with(str::to_owned), three, four));
            });
        });
        assert_eq!(taken, given);
    }
}
