//! The labels of a series as the attributes of a point.
//!
//! An attribute is a message with the key and a message with the value. What stands before the value is the same for all
//! series with the same keys, so it is prepared once and copied as a whole.

use metercast_core::reading::{LabelsView, ValueView};

use crate::export::wire::{Writer, varint_width};

/// The attributes of one metric's points.
#[derive(Debug)]
pub(super) struct Attributes {
    /// Which field of a point they are.
    number: u32,
    shapes: Vec<Shape>,
    /// Which of the shapes the last series had.
    last: usize,
}

/// What is prepared for the keys of a series, in their order.
#[derive(Debug)]
struct Shape {
    number: u32,
    /// None if the attributes may take more than [`ROOM`].
    keys: Option<Vec<Key>>,
}

/// What is prepared for a key.
#[derive(Debug)]
struct Key {
    /// The attribute up to the value, whose length is missing, as is that of the attribute.
    head: [u8; HEAD],
    /// How much of the head is there.
    length: usize,
}

/// A head is shorter, so that keys of up to 26 bytes have one.
const HEAD: usize = 32;

/// The longest text that is written at once.
const TEXT: usize = 32;

/// What is written of an attribute at once. Its length is one byte, and that of its value too.
const MOST: usize = HEAD + 3 + TEXT;

/// Where the length of an attribute stands, behind the tag.
const LENGTH_AT: usize = 1;

/// What the attributes of a point may take that are written at once.
const ROOM: usize = 512;

/// Room for a point whose attributes are written at once: they begin in its first quarter.
pub(super) type PointRoom = [u8; 2 * ROOM];

impl Attributes {
    /// As the field `number` of points.
    pub(super) fn new(number: u32) -> Attributes {
        Attributes { number, shapes: Vec::new(), last: 0 }
    }

    /// Which field of points they are.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Writes the attributes of a series.
    pub(super) fn write(&mut self, to: &mut Writer, labels: &LabelsView<'_>) {
        match self.write_at_once(to.chunk(), 0, labels) {
            Some(written) => to.advance(written),
            None => self.write_each(to, labels),
        }
    }

    /// The same for labels of every kind.
    #[cold]
    pub(super) fn write_each(&self, to: &mut Writer, labels: &LabelsView<'_>) {
        for (key, value) in labels.keys().zip(labels.values()) {
            attribute(to, self.number, key, value);
        }
    }

    /// The same from `at` on for labels such as most are, short text and small numbers; where they end. What is behind that
    /// was perhaps written to.
    #[inline(always)]
    pub(super) fn write_at_once(
        &mut self,
        room: &mut PointRoom,
        mut at: usize,
        labels: &LabelsView<'_>,
    ) -> Option<usize> {
        let shape = labels.shape()?;
        if self.shapes.get(self.last).is_none_or(|last| last.number != shape) {
            self.find(shape, labels);
        }
        for (key, value) in self.shapes[self.last].keys.as_ref()?.iter().zip(labels.values()) {
            at += key.write(room[at % ROOM..].first_chunk_mut()?, value)?;
        }
        Some(at)
    }

    #[cold]
    fn find(&mut self, number: u32, labels: &LabelsView<'_>) {
        let known = self.shapes.iter().position(|shape| shape.number == number);
        self.last = known.unwrap_or_else(|| {
            let keys: Option<Vec<Key>> = labels.keys().map(|key| Key::new(self.number, key)).collect();
            let keys = keys.filter(|keys| keys.len() * MOST <= ROOM);
            self.shapes.push(Shape { number, keys });
            self.shapes.len() - 1
        });
    }
}

impl Key {
    /// None if the key is too long.
    fn new(number: u32, text: &str) -> Option<Key> {
        let mut written = Writer::fields(|to| {
            to.length(number, 0);
            to.bytes(1, text.as_bytes());
            to.length(2, 0);
        });
        // The length of the value comes with the value.
        written.pop();
        let length = Some(written.len()).filter(|length| *length < HEAD)?;
        written.resize(HEAD, 0);
        Some(Key { head: written.try_into().ok()?, length })
    }

    /// Writes the attribute of this key and `value`, if that is short; how many bytes it takes. Whole words are copied: what
    /// is written too far is overwritten by what comes next.
    #[inline(always)]
    fn write(&self, room: &mut [u8; MOST], value: ValueView<'_>) -> Option<usize> {
        // It is less anyway, which the compiler does not know.
        let length = self.length % HEAD;
        // Each kind of value goes its own way from here on, or the processor would have to foresee the kind twice.
        Some(match value {
            ValueView::Packed(text) => {
                let of_text = text.len();
                room[..HEAD].copy_from_slice(&self.head);
                room[LENGTH_AT] = (length + 1 + of_text) as u8;
                let before = (of_text as u32 * 0x1_0001) + (1 << 3 | 2) * 0x100 + 2;
                room[length..length + 4].copy_from_slice(&before.to_le_bytes());
                let to: &mut [u8; TEXT] = room[length + 3..].first_chunk_mut()?;
                copy(text.block(), to);
                length + 3 + of_text
            }
            ValueView::I64(value) if (0..1 << 28).contains(&value) => {
                let (varint, width) = short_varint(value as u32);
                room[..HEAD].copy_from_slice(&self.head);
                room[LENGTH_AT] = (length + width) as u8;
                room[length..length + 2].copy_from_slice(&[width as u8 + 1, 3 << 3]);
                room[length + 2..length + 6].copy_from_slice(&varint);
                length + 2 + width
            }
            ValueView::Bool(value) => {
                room[..HEAD].copy_from_slice(&self.head);
                room[LENGTH_AT] = (length + 1) as u8;
                room[length..length + 3].copy_from_slice(&[2, 2 << 3, u8::from(value)]);
                length + 3
            }
            ValueView::Absent => 0,
            _ => return None,
        })
    }
}

/// Copies all the words, of which the text may be shorter: what follows is overwritten.
#[inline(always)]
fn copy(words: [u64; 4], to: &mut [u8; TEXT]) {
    for (to, word) in to.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
}

/// Writes an attribute as the field `number`, unless it has no value.
pub(super) fn attribute(to: &mut Writer, number: u32, key: &str, value: ValueView<'_>) {
    match value {
        ValueView::Text(text) => string(to, number, key, text),
        ValueView::Packed(text) => text.with(|text| string(to, number, key, text)),
        ValueView::Bool(value) => {
            pair(to, number, key, 2);
            to.varint(2, u64::from(value));
        }
        ValueView::I64(value) => {
            pair(to, number, key, 1 + varint_width(value as u64));
            to.varint(3, value as u64);
        }
        ValueView::F64(value) => {
            pair(to, number, key, 9);
            to.double(4, value);
        }
        // OTLP has no unsigned number.
        ValueView::U64(value) => string(to, number, key, itoa::Buffer::new().format(value)),
        // Also what a kind of value that this exporter does not know yet is as good as.
        _ => {}
    }
}

fn string(to: &mut Writer, number: u32, key: &str, value: &str) {
    pair(to, number, key, 1 + varint_width(value.len() as u64) + value.len());
    to.bytes(1, value.as_bytes());
}

/// Writes an attribute up to the field of its value, which is `value` bytes and comes next. It is there even if it is a
/// default: inside a oneof its absence would be no value at all.
fn pair(to: &mut Writer, number: u32, key: &str, value: usize) {
    let field = |length: usize| 1 + varint_width(length as u64) + length;
    let of_key = if key.is_empty() { 0 } else { field(key.len()) };
    to.length(number, of_key + field(value));
    to.text(1, key);
    to.length(2, value);
}

/// A number below 2^28 as a varint, and how many bytes of it count. It does not branch: how large numbers are is hard to
/// foresee.
#[inline]
fn short_varint(value: u32) -> ([u8; 4], usize) {
    let width = varint_width(u64::from(value));
    let bits = value & 0x7f | (value & 0x3f80) << 1 | (value & 0x1f_c000) << 2 | (value & 0xfe0_0000) << 3;
    // Each byte but the last says that there is more.
    let more = 0x0080_8080 & ((1u32 << (8 * (width as u32 - 1))) - 1);
    ((bits | more).to_le_bytes(), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_varint_is_what_prost_writes() {
        let values = (0..28).flat_map(|bit| [1u32 << bit, (1 << bit) - 1]).chain([(1 << 28) - 1]);
        for value in values {
            let mut oracle = Vec::new();
            prost::encoding::encode_varint(u64::from(value), &mut oracle);
            let (bytes, width) = short_varint(value);
            assert_eq!(bytes[..width], oracle[..], "{value}");
        }
    }
}
