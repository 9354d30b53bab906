//! Bytes that are copied as a whole, whatever their length: what is too much is overwritten by what follows.
//!
//! To copy exactly as many bytes as there are takes a call, and a branch that cannot be foreseen.

/// Bytes of a block.
pub(super) const BLOCK: usize = 32;

const WORDS: usize = BLOCK / 8;

/// Up to 32 bytes in words, the first byte lowest. What follows them is anything.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) words: [u64; WORDS],
    pub(super) length: usize,
}

impl Block {
    #[inline(always)]
    pub(super) const fn of_word(word: u64, length: usize) -> Block {
        Block { words: [word, 0, 0, 0], length }
    }

    #[inline(always)]
    pub(super) const fn of_bool(value: bool) -> Block {
        let (word, length) = if value { (*b"true\0\0\0\0", 4) } else { (*b"false\0\0\0", 5) };
        Block::of_word(u64::from_le_bytes(word), length)
    }

    /// The first 32 bytes of a text.
    pub(super) fn of(text: &[u8]) -> Block {
        let mut bytes = [0; BLOCK];
        let length = text.len().min(BLOCK);
        bytes[..length].copy_from_slice(&text[..length]);
        let words = bytes.as_chunks::<8>().0;
        Block { words: std::array::from_fn(|at| u64::from_le_bytes(words[at])), length }
    }

    #[inline(always)]
    pub(super) fn bytes(self) -> [u8; BLOCK] {
        let mut bytes = [0; BLOCK];
        for (to, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.words) {
            *to = word.to_le_bytes();
        }
        bytes
    }
}

/// A number for bytes. Two that differ may have the same, which costs time and nothing else.
#[inline]
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut hash = seed ^ length as u64;
    // The last word may overlap the one before.
    if let Some(last) = bytes.last_chunk() {
        let words = bytes[..length - 1].as_chunks().0;
        hash = words.iter().fold(hash, |hash, word| fold(hash, u64::from_le_bytes(*word)));
        fold(hash, u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        fold(hash, u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32)
    } else {
        bytes.iter().fold(hash, |hash, byte| fold(hash, u64::from(*byte)))
    }
}

#[inline(always)]
fn fold(hash: u64, word: u64) -> u64 {
    let wide = u128::from(hash ^ word ^ 0x8bb8_4b93_962e_acc9) * 0x9e37_79b9_7f4a_7c15;
    (wide as u64) ^ (wide >> 64) as u64
}

/// Text that is written again and again.
pub(super) struct Piece {
    pub(super) first: [u8; BLOCK],
    pub(super) second: [u8; BLOCK],
    pub(super) length: usize,
    /// What does not fit the blocks.
    pub(super) rest: Box<[u8]>,
}

impl Piece {
    pub(super) fn new(text: &str) -> Piece {
        let text = text.as_bytes();
        let (first, rest) = text.split_at(text.len().min(BLOCK));
        let (second, rest) = rest.split_at(rest.len().min(BLOCK));
        let [first, second] = [first, second].map(|text| Block::of(text).bytes());
        Piece { first, second, length: text.len(), rest: rest.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_block_holds_the_first_bytes_of_a_text() {
        let text = b"abcdefghijklmnopqrstuvwxyz0123456789";
        for length in 0..text.len() {
            let block = Block::of(&text[..length]);
            assert_eq!(block.length, length.min(BLOCK));
            assert_eq!(block.bytes()[..block.length], text[..block.length]);
        }
    }

    #[test]
    fn texts_that_differ_have_different_hashes() {
        let text = "abababababababababababababababab";
        let mut hashes = HashSet::new();
        for length in 0..=text.len() {
            for from in 0..2.min(text.len() - length + 1) {
                hashes.insert(hash(0, &text.as_bytes()[from..from + length]));
            }
            hashes.insert(hash(1, &text.as_bytes()[..length]));
        }
        // The empty text is the same from everywhere, and so is the whole.
        assert_eq!(hashes.len(), 3 * (text.len() + 1) - 2);
    }
}
