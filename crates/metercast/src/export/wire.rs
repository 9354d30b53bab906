//! The protobuf wire format, as far as it is written here: fields, one after the other, to a buffer.

/// The number of a field in its message.
type Number = u32;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;

/// Writes fields one after the other, each as it is given: also zeroes and empty text, which mean something inside a
/// oneof. Whoever writes plain proto3 fields leaves the defaults out.
///
/// Fields are written to a desk first, which is small enough to stay in the fastest cache and has room to write a little
/// too far: whole words instead of single bytes. What is done moves to the output in large pieces.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    desk: Desk,
}

/// Where fields are written before they move to the output. Kept from message to message.
#[derive(Debug, Default)]
struct Desk {
    /// As long as there is room; what is not written yet holds anything.
    room: Vec<u8>,
    /// How much of it is written.
    written: usize,
}

/// How large the desk is; larger once something did not fit.
const DESK: usize = 16 << 10;

/// How many bytes the length of a nested message takes. The length stands before the bytes and is known after them: as
/// much room is left as the last message of this kind took. A wrong guess costs a move of the bytes, nothing else, and
/// every length is as short as it can be, which no decoder refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width(usize);

impl Width {
    /// Of a message below 128 bytes.
    pub(super) const SMALL: Width = Width(1);
    /// Of a message of some hundred or thousand bytes.
    pub(super) const MEDIUM: Width = Width(2);
    /// Of a message of some megabytes. Bytes are moved only below that.
    #[cfg(any(feature = "otlp", test))]
    pub(super) const LARGE: Width = Width(4);

    /// Of a message of this length.
    #[inline]
    pub(super) fn of(length: usize) -> Width {
        Width(varint_width(length as u64))
    }

    #[inline]
    pub(super) fn bytes(self) -> usize {
        self.0
    }

    /// Writes a length of this width at the beginning of `to`.
    #[inline]
    pub(super) fn fill_in(self, to: &mut [u8], length: usize) {
        let mut rest = length;
        for (n, byte) in to[..self.0].iter_mut().enumerate() {
            let more = if n + 1 < self.0 { 0x80 } else { 0 };
            *byte = (rest & 0x7f) as u8 | more;
            rest >>= 7;
        }
    }
}

/// A message that is being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// Where its fields begin.
    body: usize,
    /// The room that is left for its length.
    left: usize,
}

#[cfg(feature = "otlp")]
impl Open {
    /// Where it ends if its fields end at `end`, and its length takes no more than it has to.
    pub(super) fn end(self, end: usize) -> usize {
        end - self.left + varint_width((end - self.body) as u64)
    }
}

impl Writer {
    /// Fields on their own, to be written more than once.
    pub(super) fn fields(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.take()
    }

    /// Writes behind what `out` has, from now on. What was written elsewhere and not taken is gone.
    pub(super) fn write_behind(&mut self, out: Vec<u8>) {
        self.out = out;
        self.desk.written = 0;
    }

    /// What was written, and what was there before.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.clear_desk();
        std::mem::take(&mut self.out)
    }

    /// Where the next field begins.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.out.len() + self.desk.written
    }

    /// Takes back what was written since `position`.
    pub(super) fn back_to(&mut self, position: usize) {
        self.desk.written = position.saturating_sub(self.out.len());
        self.out.truncate(position);
    }

    /// Moves what is written to the output.
    fn clear_desk(&mut self) {
        self.out.extend_from_slice(&self.desk.room[..self.desk.written]);
        self.desk.written = 0;
    }

    /// A number of type int32, int64, uint32, uint64, bool or enum.
    #[inline]
    pub(super) fn varint(&mut self, number: Number, value: u64) {
        self.tag(number, VARINT);
        self.put_varint(value);
    }

    /// A number of type fixed64 or sfixed64.
    #[inline]
    pub(super) fn fixed64(&mut self, number: Number, value: u64) {
        self.tag(number, FIXED64);
        self.raw(&value.to_le_bytes());
    }

    /// A double.
    #[inline]
    pub(super) fn double(&mut self, number: Number, value: f64) {
        self.fixed64(number, value.to_bits());
    }

    /// Text as a plain proto3 field, which is left out when it is empty.
    pub(super) fn text(&mut self, number: Number, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    /// Text, bytes, or a message that was written before.
    pub(super) fn bytes(&mut self, number: Number, bytes: &[u8]) {
        self.length(number, bytes.len());
        self.raw(bytes);
    }

    /// The head of text, bytes or a message of this length, which comes next.
    #[inline]
    pub(super) fn length(&mut self, number: Number, length: usize) {
        self.tag(number, BYTES);
        self.put_varint(length as u64);
    }

    /// Whole fields that were written before.
    #[inline]
    pub(super) fn raw(&mut self, fields: &[u8]) {
        self.room(fields.len())[..fields.len()].copy_from_slice(fields);
        self.advance(fields.len());
    }

    /// A message, whose fields `write` writes. `width` is for messages of its kind.
    #[inline]
    pub(super) fn message<R>(
        &mut self,
        number: Number,
        width: &mut Width,
        write: impl FnOnce(&mut Writer) -> R,
    ) -> R {
        let message = self.open(number, *width);
        let result = write(self);
        *width = self.close(message);
        result
    }

    /// Begins a message, which takes all fields until it is closed. `width` is what its length will take, as far as one
    /// can know.
    #[inline]
    pub(super) fn open(&mut self, number: Number, width: Width) -> Open {
        self.tag(number, BYTES);
        self.open_delimited(width)
    }

    /// The same for a message that is no field of another, but stands behind its length.
    #[inline]
    pub(super) fn open_delimited(&mut self, width: Width) -> Open {
        let left = width.bytes();
        self.room(left);
        self.advance(left);
        Open { body: self.position(), left }
    }

    /// Ends the message that was begun last; what its length takes.
    #[inline]
    pub(super) fn close(&mut self, message: Open) -> Width {
        let Open { body, left } = message;
        let position = body - left;
        let length = self.position() - body;
        let width = Width::of(length);
        if width.bytes() != left {
            self.move_body(position, left, width.bytes(), length);
        }
        let of_length = match position.checked_sub(self.out.len()) {
            Some(at) => &mut self.desk.room[at..],
            None => &mut self.out[position..],
        };
        width.fill_in(of_length, length);
        width
    }

    /// Room for a point, which is then on the desk from its beginning to its end.
    #[inline(always)]
    pub(super) fn next_point<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.desk.room.len() - self.desk.written < N {
            self.make_room(N);
        }
        self.desk.room[self.desk.written..].first_chunk_mut().expect("there is room")
    }

    #[cold]
    fn make_room(&mut self, bytes: usize) {
        self.clear_desk();
        self.room(bytes);
    }

    /// Room for at least so many bytes behind what is written. They count when [`advance`](Self::advance) says so.
    #[inline(always)]
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.desk.room.len() - self.desk.written < bytes {
            self.desk.widen(bytes);
        }
        &mut self.desk.room[self.desk.written..]
    }

    /// The same for a number of bytes that is known while compiling.
    #[inline(always)]
    pub(super) fn chunk<const N: usize>(&mut self) -> &mut [u8; N] {
        self.room(N).first_chunk_mut().expect("there is room for so many")
    }

    /// So many bytes were written to the room.
    #[inline(always)]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.desk.written += bytes;
    }

    /// Moves the last `length` bytes, of the message whose length stands at `position`, for a length of `width` bytes
    /// where `left` were left.
    #[cold]
    fn move_body(&mut self, position: usize, left: usize, width: usize, length: usize) {
        if let Some(at) = position.checked_sub(self.out.len()) {
            self.room(width);
            self.desk.room.copy_within(at + left..at + left + length, at + width);
            self.desk.written = at + width + length;
        } else {
            self.clear_desk();
            self.out.resize(position + width.max(left) + length, 0);
            self.out.copy_within(position + left..position + left + length, position + width);
            self.out.truncate(position + width + length);
        }
    }

    #[inline]
    fn tag(&mut self, number: Number, wire_type: u32) {
        self.put_varint(u64::from(number << 3 | wire_type));
    }

    #[inline]
    pub(super) fn put_varint(&mut self, mut value: u64) {
        let to = self.chunk::<10>();
        let mut at = 0;
        while value >= 0x80 {
            to[at] = value as u8 | 0x80;
            value >>= 7;
            at += 1;
        }
        to[at] = value as u8;
        self.advance(at + 1);
    }
}

/// Only OTLP has so many of them.
#[cfg(feature = "otlp")]
impl Writer {
    /// Numbers of type fixed64 or sfixed64.
    #[inline]
    pub(super) fn each_fixed64<const N: usize>(&mut self, fields: [(Number, u64); N]) {
        put_each_fixed64(self.room(N * FIXED64_FIELD), fields);
        self.advance(N * FIXED64_FIELD);
    }

    /// One as a plain proto3 field, which is left out when it is zero.
    #[inline]
    pub(super) fn fixed64_unless_zero(&mut self, number: Number, value: u64) {
        if value != 0 {
            self.fixed64(number, value);
        }
    }

    /// Numbers of type fixed64, or doubles as their bits, packed into one field, which is left out if there are none.
    #[inline]
    pub(super) fn packed_fixed64(&mut self, number: Number, values: impl ExactSizeIterator<Item = u64>) {
        let bytes = values.len() * 8;
        if bytes == 0 {
            return;
        }
        self.length(number, bytes);
        for (to, value) in self.room(bytes).as_chunks_mut::<8>().0.iter_mut().zip(values) {
            *to = value.to_le_bytes();
        }
        self.advance(bytes);
    }
}

impl Desk {
    #[cold]
    fn widen(&mut self, bytes: usize) {
        self.room.resize(DESK.max(self.written + bytes), 0);
    }
}

/// What a field of type fixed64 takes whose number is below 16.
#[cfg(feature = "otlp")]
pub(super) const FIXED64_FIELD: usize = 9;

/// Writes fields of type fixed64 to the beginning of `to`.
#[cfg(feature = "otlp")]
#[inline(always)]
pub(super) fn put_each_fixed64<const N: usize>(to: &mut [u8], fields: [(Number, u64); N]) {
    for (to, (number, value)) in to.as_chunks_mut::<FIXED64_FIELD>().0.iter_mut().zip(fields) {
        to[0] = (number << 3 | FIXED64) as u8;
        to[1..].copy_from_slice(&value.to_le_bytes());
    }
}

/// How many bytes a number takes as a varint.
#[inline]
pub(super) fn varint_width(value: u64) -> usize {
    // The number of bits through seven, rounded up, without a division.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) >> 6
}

/// A number of type sint32 or sint64: small ones are short, whatever their sign.
pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        Writer::fields(write)
    }

    #[test]
    fn a_nested_message_has_the_shortest_length_whatever_was_expected() {
        // Lengths just below, on and above every change of the width of the length, and of what fits the desk.
        let lengths = [0, 1, 127, 128, 129, 16_374, 16_383, 16_384, 2_097_151, 2_097_152];
        for length in lengths {
            for expected in [Width::SMALL, Width::MEDIUM, Width(3), Width::LARGE] {
                for clears in [false, true] {
                    let mut width = expected;
                    let content: Vec<u8> = (0..length).map(|n: usize| n as u8).collect();
                    let bytes = written(|to| {
                        to.varint(1, 7);
                        to.message(2, &mut width, |to| {
                            for piece in content.chunks(1000) {
                                to.raw(piece);
                                if clears {
                                    to.clear_desk();
                                }
                            }
                        });
                        to.varint(3, 9);
                    });

                    let mut oracle = vec![1 << 3, 7];
                    prost::encoding::encode_key(2, prost::encoding::WireType::LengthDelimited, &mut oracle);
                    prost::encoding::encode_varint(length as u64, &mut oracle);
                    oracle.extend(content);
                    oracle.extend([3 << 3, 9]);
                    assert!(bytes == oracle, "{length} bytes, expected {expected:?}");
                    assert_eq!(width, Width::of(length), "the next one is not moved");
                }
            }
        }
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        let wanted = written(|to| {
            to.bytes(1, &[1; 10]);
            to.bytes(3, &[3; 10]);
        });
        for length in [0, 10, 100_000] {
            for clears in 0..3 {
                let bytes = written(|to| {
                    to.bytes(1, &[1; 10]);
                    if clears == 1 {
                        to.clear_desk();
                    }
                    let position = to.position();
                    to.bytes(2, &vec![2; length]);
                    if clears == 2 {
                        to.clear_desk();
                    }
                    to.back_to(position);
                    to.bytes(3, &[3; 10]);
                });
                assert_eq!(bytes, wanted, "{length} bytes, the desk cleared at {clears}");
            }
        }
    }

    #[test]
    fn what_stood_there_before_stays() {
        let mut writer = Writer::default();
        writer.write_behind(b"before".to_vec());
        let mut width = Width::LARGE;
        writer.message(2, &mut width, |to| to.varint(1, 5));
        assert_eq!(writer.take(), b"before\x12\x02\x08\x05");
    }

    #[test]
    fn varints_are_what_prost_writes_and_are_read_back() {
        let values = (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) - 1]).chain([u64::MAX]);
        for value in values {
            let bytes = written(|to| to.varint(5, value));

            let mut oracle = Vec::new();
            prost::encoding::uint64::encode(5, &value, &mut oracle);
            assert_eq!(bytes, oracle);
            assert_eq!(varint_width(value), prost::encoding::encoded_len_varint(value));
        }
    }
}
