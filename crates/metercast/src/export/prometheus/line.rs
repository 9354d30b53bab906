//! The line that is being written: a short one, for which room is made once, or one of any length.

use metercast_core::reading::ValueView;

use super::block::{BLOCK, Block, Piece};
use super::number::Number;

/// A place for a line.
pub(super) trait Line {
    /// How long it is.
    fn len(&self) -> usize;

    /// What was written from there on.
    fn from(&self, at: usize) -> &[u8];

    /// Writes the lowest `length` bytes of a word, the lowest first.
    fn word(&mut self, word: u64, length: usize);

    fn block(&mut self, block: Block);

    fn piece(&mut self, piece: &Piece);

    /// Writes a part of what is in `scratch`, where something is behind it.
    fn again(&mut self, scratch: &[u8], from: usize, to: usize);

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.word(u64::from(byte), 1);
    }

    #[inline(always)]
    fn number(&mut self, number: Number) {
        match number.short() {
            Some((word, length)) => self.word(word, length),
            None => self.long_number(number),
        }
    }

    /// [`number`](Self::number) for those that are rarely short.
    fn long_number(&mut self, number: Number);
}

/// The longest line that is written into a [`Short`].
pub(super) const SHORT: usize = 512;

/// The room for a short line, and as much behind it.
pub(super) type Room = [u8; 2 * SHORT];

/// A place for a line of at most [`SHORT`] bytes. The caller knows that it is not longer, so nothing is looked after: the
/// remainders below change nothing, and spare a test for each piece.
pub(super) struct Short<'a> {
    room: &'a mut Room,
    at: usize,
}

impl<'a> Short<'a> {
    #[inline(always)]
    pub(super) fn new(room: &'a mut Room) -> Short<'a> {
        Short { room, at: 0 }
    }

    /// Writes a value, and what stands before it. False if there is none: an empty text is as good as absent.
    #[inline(always)]
    pub(super) fn value(&mut self, before: &Piece, value: ValueView<'_>) -> bool {
        // Each for itself, and not what they have in common behind them: it would be carried there through memory.
        match value {
            ValueView::Packed(text) if text.len() > 0 => {
                self.piece(before);
                self.block(Block { words: text.block(), length: text.len() });
            }
            ValueView::I64(value) => {
                self.piece(before);
                self.number(Number::I64(value));
            }
            ValueView::Bool(value) => {
                self.piece(before);
                self.block(Block::of_bool(value));
            }
            ValueView::U64(value) => {
                self.piece(before);
                self.long_number(Number::U64(value));
            }
            ValueView::F64(value) => {
                self.piece(before);
                self.long_number(Number::F64(value));
            }
            _ => return false,
        }
        true
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N], at: usize) {
        let at = at % SHORT;
        self.room[at..at + N].copy_from_slice(bytes);
    }
}

impl Line for Short<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn from(&self, at: usize) -> &[u8] {
        &self.room[at..self.at]
    }

    #[inline(always)]
    fn word(&mut self, word: u64, length: usize) {
        self.put(&word.to_le_bytes(), self.at);
        self.at += length;
    }

    #[inline(always)]
    fn block(&mut self, block: Block) {
        self.put(&block.bytes(), self.at);
        self.at += block.length;
    }

    #[inline(always)]
    fn piece(&mut self, piece: &Piece) {
        let at = self.at;
        self.put(&piece.first, at);
        if piece.length > BLOCK {
            self.put(&piece.second, at + BLOCK);
        }
        if piece.length > 2 * BLOCK {
            let at = (at + 2 * BLOCK) % SHORT;
            self.room[at..at + piece.rest.len()].copy_from_slice(&piece.rest);
        }
        self.at += piece.length;
    }

    #[inline(always)]
    fn again(&mut self, scratch: &[u8], from: usize, to: usize) {
        let Some(scratch) = scratch.first_chunk::<{ size_of::<Room>() }>() else { return };
        let mut done = from;
        while done < to {
            if let Some(block) = scratch[done % SHORT..].first_chunk::<BLOCK>() {
                self.put(block, self.at + done - from);
            }
            done += BLOCK;
        }
        self.at += to - from;
    }

    #[inline(always)]
    fn long_number(&mut self, number: Number) {
        self.at += write_number(&mut self.room[self.at % SHORT..], number);
    }
}

/// A place for a line of any length, in bytes that have room for it and a block more.
pub(super) struct Long<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Long<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Long<'a> {
        Long { bytes, at: 0 }
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        self.bytes[self.at..self.at + text.len()].copy_from_slice(text);
        self.at += text.len();
    }

    /// Text between quotation marks, which may become twice as long.
    pub(super) fn escaped(&mut self, text: &str) {
        for byte in text.bytes() {
            let (word, length) = match byte {
                b'\\' => (*b"\\\\", 2),
                b'\n' => (*b"\\n", 2),
                b'"' => (*b"\\\"", 2),
                byte => ([byte, 0], 1),
            };
            self.word(u64::from(u16::from_le_bytes(word)), length);
        }
    }
}

impl Line for Long<'_> {
    fn len(&self) -> usize {
        self.at
    }

    fn from(&self, at: usize) -> &[u8] {
        &self.bytes[at..self.at]
    }

    fn word(&mut self, word: u64, length: usize) {
        self.bytes[self.at..self.at + 8].copy_from_slice(&word.to_le_bytes());
        self.at += length;
    }

    fn block(&mut self, block: Block) {
        self.bytes[self.at..self.at + BLOCK].copy_from_slice(&block.bytes());
        self.at += block.length;
    }

    fn piece(&mut self, piece: &Piece) {
        self.text(&piece.first[..piece.length.min(BLOCK)]);
        self.text(&piece.second[..piece.length.saturating_sub(BLOCK).min(BLOCK)]);
        self.text(&piece.rest);
    }

    fn again(&mut self, scratch: &[u8], from: usize, to: usize) {
        self.text(&scratch[from..to]);
    }

    fn long_number(&mut self, number: Number) {
        self.at += write_number(&mut self.bytes[self.at..], number);
    }
}

/// Writes a number, and returns its length. A call of its own, to which no line is lent: that would have to be in memory
/// from its beginning to its end.
#[inline(never)]
fn write_number(to: &mut [u8], number: Number) -> usize {
    let block = number.block();
    to[..block.length].copy_from_slice(&block.bytes()[..block.length]);
    block.length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `write` writes into a short line, and into a long one.
    fn written(write: impl Fn(&mut dyn Line)) -> [String; 2] {
        let mut room = [b'#'; 2 * SHORT];
        let mut short = Short::new(&mut room);
        write(&mut short);
        let short = short.from(0).to_vec();
        let mut bytes = [b'#'; SHORT + BLOCK];
        let mut long = Long::new(&mut bytes);
        write(&mut long);
        [short, long.from(0).to_vec()].map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn texts_of_any_length_follow_each_other() {
        let all = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(4);
        let scratch = [all.as_bytes(), &[b'#'; 2 * SHORT]].concat();
        for length in 0..all.len() {
            let (whole, part, end) = (&all[..length], &all[..length.min(BLOCK)], &all[length / 2..length]);
            let expected = format!("<{whole}{part}|{whole}{end}>");
            let lines = written(|line| {
                line.byte(b'<');
                line.piece(&Piece::new(whole));
                line.block(Block::of(whole.as_bytes()));
                line.byte(b'|');
                line.again(&scratch, 0, length);
                line.again(&scratch, length / 2, length);
                line.byte(b'>');
            });
            assert_eq!(lines, [expected.clone(), expected]);
        }
    }

    #[test]
    fn numbers_stand_between_others() {
        for number in [0, 7, 999, 1000, 99_999_999, 100_000_000, u64::MAX] {
            let lines = written(|line| {
                line.byte(b'<');
                line.number(Number::U64(number));
                line.long_number(Number::F64(0.5));
                line.byte(b'>');
            });
            let expected = format!("<{number}0.5>");
            assert_eq!(lines, [expected.clone(), expected]);
        }
    }

    #[test]
    fn what_a_label_cannot_hold_is_escaped() {
        let mut bytes = [0; 100];
        let mut long = Long::new(&mut bytes);
        long.escaped("a\\b\"c\nd\r\té🦀");
        assert_eq!(long.from(0), "a\\\\b\\\"c\\nd\r\té🦀".as_bytes());
    }
}
