//! A hash of labels that does not depend on their order, over words that also tell short values apart.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::set::Pairs;
use super::value::ValueRef;

/// A value as two words and a tag. Up to 16 bytes of text, and everything that is not text, is the same value
/// exactly if all three are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub(crate) words: [u64; 2],
    pub(crate) tag: u8,
}

/// The tag of a text that the words do not hold, only two hashes of it. Below are the lengths of those they do.
const LONG: u8 = 17;
const BOOL: u8 = 18;
const WHOLE: u8 = 19;
const DOUBLE: u8 = 20;

/// The tag of a value that is absent.
const ABSENT: u8 = 21;
const LARGE: u8 = 22;

impl Encoded {
    /// No value.
    pub(crate) const ABSENT: Encoded = Encoded { words: [0; 2], tag: ABSENT };

    /// Whether equal encodings are equal values.
    #[inline(always)]
    pub(crate) fn is_exact(self) -> bool {
        self.tag != LONG
    }

    #[inline(always)]
    pub(crate) fn of(value: ValueRef<'_>) -> Encoded {
        let (words, tag) = match value {
            ValueRef::String(text) => return Encoded::text(text.as_bytes()),
            ValueRef::I64(value) => ([value as u64, 0], WHOLE),
            ValueRef::U64(value) => ([value, 0], LARGE),
            ValueRef::Bool(value) => ([u64::from(value), 0], BOOL),
            ValueRef::F64(value) => ([value.to_bits(), 0], DOUBLE),
            ValueRef::Absent => return Encoded::ABSENT,
        };
        Encoded { words, tag }
    }

    #[inline(always)]
    fn text(text: &[u8]) -> Encoded {
        let n = text.len();
        if n > 16 {
            return Encoded { words: long(text), tag: LONG };
        }
        // The first and the last bytes, which may overlap; with the length they say everything.
        let words = if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
            [u64::from_le_bytes(*first), u64::from_le_bytes(*last)]
        } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
            [u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last))]
        } else if let (Some(first), Some(last)) = (text.first(), text.last()) {
            // Of one to three bytes: the first, the middle and the last.
            [u64::from(*first) | u64::from(text[n / 2]) << 8, u64::from(*last)]
        } else {
            [0, 0]
        };
        Encoded { words, tag: n as u8 }
    }
}

#[cold]
fn long(text: &[u8]) -> [u64; 2] {
    let mut words = [text.len() as u64, seed()];
    for chunk in text.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        words = [fold(words[0] ^ word, FIRST), fold(words[1] ^ word, SECOND)];
    }
    words
}

/// The hash of a key: the same at compile time and at run time.
pub(super) const fn key_hash(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let mut hash = bytes.len() as u64 ^ FIRST;
    let mut at = 0;
    while at < bytes.len() {
        let mut word = 0;
        let mut byte = 0;
        while byte < 8 && at < bytes.len() {
            word |= (bytes[at] as u64) << (8 * byte);
            byte += 1;
            at += 1;
        }
        hash = fold(hash ^ word, SECOND);
    }
    hash
}

/// The hash of one label. Those of a set are added up, so that any order gives the same.
#[inline(always)]
pub(crate) fn label_hash(key_hash: u64, value: Encoded, seed: u64) -> u64 {
    fold(
        value.words[0] ^ key_hash ^ seed,
        value.words[1] ^ (u64::from(value.tag) << 56) ^ key_hash.rotate_left(32),
    )
}

/// Where the sum of the label hashes begins.
#[inline(always)]
pub(crate) fn start(definition: u32) -> u64 {
    u64::from(definition).wrapping_mul(FIRST)
}

/// The hash of all labels. Only a hint: whoever finds a series by it compares the labels in full.
pub(crate) fn hash_of<P: Pairs + ?Sized>(definition: u32, pairs: &P) -> u64 {
    let seed = seed();
    (0..pairs.count()).fold(start(definition), |sum, at| {
        let (key, value) = pairs.pair(at);
        if value.is_absent() {
            return sum;
        }
        sum.wrapping_add(label_hash(key_hash(key), Encoded::of(value), seed))
    })
}

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0x8bb8_4b93_962e_acc9;

/// Multiplies to 128 bits and folds the halves together: every bit of the input reaches every bit of the output.
#[inline(always)]
const fn fold(a: u64, b: u64) -> u64 {
    // Neither factor is zero for what people write; a zero would lose the other.
    let wide = (a ^ 0x2d35_8dcc_aa6c_78a5) as u128 * (b ^ 0x4b33_a62e_d433_d4a3) as u128;
    (wide as u64) ^ (wide >> 64) as u64
}

static SEED: AtomicU64 = AtomicU64::new(0);

/// Random per process once there is a series, so that nobody outside can choose labels that collide. Before, and for
/// whoever sees it late, it is 0: then nothing is found, and the slow path looks again.
#[inline(always)]
pub(crate) fn seed() -> u64 {
    SEED.load(Relaxed)
}

/// Chooses the seed, before the first series is made.
pub(crate) fn choose_seed() {
    let chosen = RandomState::new().hash_one(0) | 1;
    // Another thread may have been first.
    let _ = SEED.compare_exchange(0, chosen, Relaxed, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_the_same_exactly_if_their_encoding_is() {
        // Every text over two letters up to 10 bytes, and every length up to 16 with one letter changed.
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        for length in 1..=10usize {
            for bits in 0..1usize << length {
                texts.push((0..length).map(|at| b'a' + (bits >> at & 1) as u8).collect());
            }
        }
        for length in 11..=16 {
            for changed in 0..length {
                let mut text = vec![0u8; length];
                text[changed] = 1;
                texts.push(text);
            }
        }
        let encodings: std::collections::HashSet<_> = texts
            .iter()
            .map(|text| Encoded::text(text))
            .map(|encoded| (encoded.words, encoded.tag))
            .collect();
        assert_eq!(encodings.len(), texts.len());
        assert!(texts.iter().all(|text| Encoded::text(text).tag as usize == text.len()));
        assert_eq!(Encoded::text(&[b'x'; 17]).tag, LONG);
    }

    #[test]
    fn values_of_different_types_are_encoded_differently() {
        let values = [
            ValueRef::I64(1),
            ValueRef::Bool(true),
            ValueRef::F64(f64::from_bits(1)),
            ValueRef::String("\u{1}"),
        ];
        for (at, a) in values.iter().enumerate() {
            for b in &values[at + 1..] {
                assert_ne!(Encoded::of(*a), Encoded::of(*b));
            }
        }
    }

    #[test]
    fn hashes_of_many_sets_spread() {
        choose_seed();
        let mut low = vec![0u32; 256];
        for n in 0..65_536 {
            let text = format!("tenant-{n}");
            let hash = hash_of(1, &[("a", ValueRef::String(&text)), ("b", ValueRef::I64(n % 7))][..]);
            low[(hash & 255) as usize] += 1;
        }
        let (least, most) = (low.iter().min().unwrap(), low.iter().max().unwrap());
        assert!(*least > 150 && *most < 400, "{least} to {most} where 256 are expected");
    }
}
