//! Where a page is written before it is handed out in chunks.

use super::block::BLOCK;
use super::line::{Line, Long, Room, Short};

/// How much is handed out at a time: little enough to stay in the processor's nearest cache until it was taken.
pub(super) const CHUNK: usize = 16 * 1024;

/// Written bytes, with room behind them. It is kept from page to page.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    /// How far it may be filled: a chunk, or all there is while everything is held.
    end: usize,
}

impl Buffer {
    #[inline(always)]
    fn free(&self) -> usize {
        self.end.saturating_sub(self.filled)
    }
}

/// A page on its way out.
pub(super) struct Out<'a> {
    buffer: &'a mut Buffer,
    sink: &'a mut dyn FnMut(&[u8]),
    /// Whether everything stays in the buffer, which grows.
    holds: bool,
}

/// A moment while writing.
#[derive(Clone, Copy)]
pub(super) struct Moment(usize);

impl<'a> Out<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, sink: &'a mut dyn FnMut(&[u8])) -> Out<'a> {
        // One that panicked may have left anything.
        (buffer.filled, buffer.end) = (0, 0);
        Out { buffer, sink, holds: false }
    }

    /// Writes a line of at most [`SHORT`](super::line::SHORT) bytes.
    #[inline(always)]
    pub(super) fn short<R>(&mut self, write: impl FnOnce(&mut Short<'_>) -> R) -> R {
        // Looked up in both branches, since what is known of one is lost where they meet.
        let room = if self.buffer.free() >= size_of::<Room>() {
            self.buffer.bytes[self.buffer.filled..].first_chunk_mut()
        } else {
            self.make_room(size_of::<Room>());
            self.buffer.bytes[self.buffer.filled..].first_chunk_mut()
        };
        let Some(room) = room else { unreachable!("there is room now") };
        let mut line = Short::new(room);
        let result = write(&mut line);
        self.buffer.filled += line.len();
        result
    }

    /// Writes a line of at most `most` bytes.
    #[inline(always)]
    pub(super) fn long<R>(&mut self, most: usize, write: impl FnOnce(&mut Long<'_>) -> R) -> R {
        if self.buffer.free() < most + BLOCK {
            self.make_room(most + BLOCK);
        }
        let mut line = Long::new(&mut self.buffer.bytes[self.buffer.filled..]);
        let result = write(&mut line);
        self.buffer.filled += line.len();
        result
    }

    pub(super) fn text(&mut self, text: &str) {
        self.long(text.len(), |line| line.text(text.as_bytes()));
    }

    #[cold]
    fn make_room(&mut self, room: usize) {
        if !self.holds {
            self.hand_out();
        }
        let Buffer { bytes, filled, end } = &mut *self.buffer;
        let least = if self.holds { bytes.len() } else { CHUNK };
        *end = least.max(*filled + room);
        if bytes.len() < *end {
            // Twice as much each time, so that all copies together are no more than what is copied.
            bytes.resize((*end).max(2 * bytes.len()).max(CHUNK), 0);
        }
    }

    /// Keeps what is written from now on, so that it can be taken back.
    pub(super) fn hold(&mut self) -> Moment {
        self.holds = true;
        Moment(self.buffer.filled)
    }

    /// Takes back what was written since, which was held.
    pub(super) fn take_back(&mut self, since: Moment) {
        self.buffer.filled = since.0;
    }

    /// Lets what was held go.
    pub(super) fn let_go(&mut self) {
        self.holds = false;
        if self.buffer.filled >= CHUNK {
            self.hand_out();
        }
        self.buffer.end = CHUNK.min(self.buffer.bytes.len());
    }

    /// Hands out what there is.
    pub(super) fn hand_out(&mut self) {
        for chunk in self.buffer.bytes[..self.buffer.filled].chunks(CHUNK) {
            (self.sink)(chunk);
        }
        self.buffer.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_out_once_and_in_chunks() {
        let (mut buffer, mut chunks) = (Buffer::default(), Vec::new());
        let mut expected = String::new();
        let mut sink = |chunk: &[u8]| chunks.push(chunk.to_vec());
        let mut out = Out::new(&mut buffer, &mut sink);
        for number in 0..20_000 {
            let line = format!("line {number}\n");
            out.text(&line);
            expected += &line;
            out.short(|short| short.word(u64::from_le_bytes(*b"short\n\0\0"), 6));
            expected += "short\n";
        }
        let long = "x".repeat(3 * CHUNK) + "\n";
        out.text(&long);
        out.hand_out();
        expected += &long;
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK && !chunk.is_empty()));
        assert!(chunks[0].len() > CHUNK - 2000 && chunks[0].ends_with(b"\n"));
        assert!(chunks.concat() == expected.as_bytes());
    }

    #[test]
    fn what_is_held_can_be_taken_back() {
        let (mut buffer, mut page) = (Buffer::default(), Vec::new());
        let mut sink = |chunk: &[u8]| page.extend_from_slice(chunk);
        let mut out = Out::new(&mut buffer, &mut sink);
        out.text("kept\n");
        let held = out.hold();
        (0..20_000).for_each(|_| out.text("taken back\n"));
        out.take_back(held);
        out.text("instead\n");
        out.let_go();
        out.hand_out();
        assert_eq!(page, b"kept\ninstead\n");
    }
}
