//! Bytes read as what a program could have passed in.

use metercast::{KeyValue, Value};

/// Bytes, taken one after the other; past the end they are zeros.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// Reads from these bytes.
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { bytes }
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `limit`, which is at most 256.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// 64 bits. Mostly few of them are set, or few are not, since the edges lie there.
    pub fn bits(&mut self) -> u64 {
        match self.below(5) {
            0 => u64::from(self.byte()),
            1 => !u64::from(self.byte()),
            2 => u64::from(self.byte()) << 56,
            3 => (1 << 63) ^ u64::from(self.byte()),
            _ => u64::from_le_bytes([(); 8].map(|()| self.byte())),
        }
    }

    /// A double: a small whole number, or any bits at all, NaN included.
    pub fn double(&mut self) -> f64 {
        match self.below(4) {
            0 => f64::from(self.byte() as i8),
            1 => f64::from(self.byte()) / 8.0,
            2 => [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 0.1]
                [self.below(8)],
            _ => f64::from_bits(self.bits()),
        }
    }

    /// Text: up to 63 bytes as they stand, what is no UTF-8 replaced; or a long run of one letter, which few bytes
    /// can say and which ends around 1 KiB, where labels are cut.
    pub fn text(&mut self) -> String {
        let length = self.below(256);
        if length < 192 {
            let (text, rest) = self.bytes.split_at(self.bytes.len().min(length % 64));
            self.bytes = rest;
            return String::from_utf8_lossy(text).into_owned();
        }
        let letter = ["x", "é", "€", "𝄞"][length % 4];
        let before = "y".repeat(self.below(5));
        let size = 1000 + self.below(64);
        before + &letter.repeat(size / letter.len() + 1)
    }

    /// The value of a label.
    pub fn value(&mut self) -> Value {
        match self.below(8) {
            0 => Value::from(self.byte().is_multiple_of(2)),
            1 => Value::from(self.bits() as i64),
            2 => Value::from(self.bits()),
            3 => Value::from(self.double()),
            _ => Value::from(self.text()),
        }
    }

    /// The key of a label: mostly one of few, so that keys meet each other.
    pub fn key(&mut self) -> String {
        match self.below(16) {
            0 => String::new(),
            1 => self.text(),
            2 => "otel.metric.overflow".to_owned(),
            3 => "le".to_owned(),
            4 => "a.b".to_owned(),
            5 => "a_b".to_owned(),
            6 => "a..b".to_owned(),
            7 => "9".to_owned(),
            8 => "__name__".to_owned(),
            at => ["a", "b", "ab", "c", "d", "é", "k"][at - 9].to_owned(),
        }
    }

    /// A list of labels in any order, with keys that stand twice.
    pub fn labels(&mut self) -> Vec<KeyValue> {
        let count = self.below(16);
        // Mostly few, and now and then more than are packed.
        (0..if count > 12 { count } else { count % 5 })
            .map(|_| {
                let key = self.key();
                KeyValue::new(key, self.value())
            })
            .collect()
    }
}
