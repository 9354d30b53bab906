//! Labels as messages of `LabelPair`.

use metercast_core::reading::{LabelsView, ValueView};

use crate::export::prometheus::block::{Block, hash};
use crate::export::prometheus::labels::Labels;
use crate::export::prometheus::number::Number;
use crate::export::wire::{Writer, varint_width};

/// Which field of a series, or of an exemplar, the labels are.
const LABEL: u32 = 1;

/// The keys of series.
pub(in crate::export::prometheus) struct Keys(Box<[Key]>);

struct Key {
    /// The name as the field that it is.
    name: Box<[u8]>,
    /// A hash of the name.
    seed: u64,
}

impl Keys {
    /// Keys of these names.
    pub(super) fn new(names: &[String]) -> Keys {
        let key = |name: &String| {
            let field = Writer::fields(|to| to.text(1, name));
            Key { name: field.into(), seed: hash(0, name.as_bytes()) }
        };
        Keys(names.iter().map(key).collect())
    }

    /// Writes the labels of a series; those without a value are as good as absent. Returns a number that is equal for labels that
    /// are spelled alike, in any order; 0 if it is not asked for.
    pub(super) fn write<const HASHED: bool>(&self, to: &mut Writer, labels: &LabelsView<'_>) -> u64 {
        let mut sum = 0u64;
        for (key, value) in self.0.iter().zip(labels.values()) {
            let mut write = |value: &[u8]| {
                if !value.is_empty() {
                    pair(to, &key.name, value);
                    if HASHED {
                        sum = sum.wrapping_add(hash(key.seed, value));
                    }
                }
            };
            let block = match value {
                ValueView::Text(text) => {
                    write(text.as_bytes());
                    continue;
                }
                ValueView::Packed(text) => Block { words: text.block(), length: text.len() },
                ValueView::Bool(value) => Block::of_bool(value),
                ValueView::I64(value) => Number::I64(value).block(),
                ValueView::U64(value) => Number::U64(value).block(),
                ValueView::F64(value) => Number::F64(value).block(),
                _ => continue,
            };
            write(&block.bytes()[..block.length]);
        }
        sum
    }
}

/// Writes labels that were kept.
pub(super) fn all(to: &mut Writer, labels: &Labels) {
    for (name, value) in labels.iter() {
        one(to, name, value.as_bytes());
    }
}

/// Writes a label.
pub(super) fn one(to: &mut Writer, name: &str, value: &[u8]) {
    to.length(LABEL, field(name.len()) + field(value.len()));
    to.bytes(1, name.as_bytes());
    to.bytes(2, value);
}

fn pair(to: &mut Writer, name: &[u8], value: &[u8]) {
    to.length(LABEL, name.len() + field(value.len()));
    to.raw(name);
    to.bytes(2, value);
}

/// What a text of this length takes as a field.
fn field(length: usize) -> usize {
    1 + varint_width(length as u64) + length
}
