//! The protobuf wire format, as far as OTLP needs it: fields written to a buffer, fields read from a slice.

/// The number of a field in its message.
type Number = u32;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

/// Writes fields one after the other, each as it is given: also zeroes and empty text, which mean something inside a
/// oneof. Whoever writes plain proto3 fields leaves the defaults out.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

/// How large a nested message is expected to be. A wrong guess costs a move of its bytes, nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// Below 128 bytes, such as a label.
    Small,
    /// Some hundred bytes, such as a point.
    Medium,
    /// Anything: what has points in it. Bytes are moved only below 2 MiB.
    Large,
}

impl Writer {
    /// With room for `capacity` bytes.
    pub(super) fn with_capacity(capacity: usize) -> Writer {
        Writer { out: Vec::with_capacity(capacity) }
    }

    /// What was written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// A number of type int32, int64, uint32, uint64, bool or enum.
    pub(super) fn varint(&mut self, number: Number, value: u64) {
        self.tag(number, VARINT);
        self.put_varint(value);
    }

    /// A number of type fixed64 or sfixed64.
    pub(super) fn fixed64(&mut self, number: Number, value: u64) {
        self.tag(number, FIXED64);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// A double.
    pub(super) fn double(&mut self, number: Number, value: f64) {
        self.fixed64(number, value.to_bits());
    }

    /// Text.
    pub(super) fn string(&mut self, number: Number, text: &str) {
        self.tag(number, BYTES);
        self.put_varint(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Numbers of type fixed64, or doubles as their bits, packed into one field.
    pub(super) fn packed_fixed64(&mut self, number: Number, values: impl ExactSizeIterator<Item = u64>) {
        self.tag(number, BYTES);
        self.put_varint(values.len() as u64 * 8);
        for value in values {
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A message, whose fields `write` writes.
    pub(super) fn message(&mut self, number: Number, expected: Expected, write: impl FnOnce(&mut Writer)) {
        self.tag(number, BYTES);
        // The length stands before the bytes and is known after them: room is left for it and filled in. Measuring
        // first would walk the tree twice.
        let room = match expected {
            Expected::Small => 1,
            Expected::Medium => 2,
            Expected::Large => 4,
        };
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4][..room]);
        write(self);
        self.fill_in_length(at, room);
    }

    /// Writes the length of everything behind `at` and the room there into that room, made as wide as it must be.
    fn fill_in_length(&mut self, at: usize, room: usize) {
        let start = at + room;
        let length = self.out.len() - start;
        let width = varint_width(length as u64);
        if width > room {
            let wider = width - room;
            self.out.resize(self.out.len() + wider, 0);
            self.out.copy_within(start..start + length, start + wider);
        } else if width < room {
            self.out.copy_within(start.., at + width);
            self.out.truncate(at + width + length);
        }
        let mut rest = length;
        for (n, byte) in self.out[at..at + width].iter_mut().enumerate() {
            let more = if n + 1 < width { 0x80 } else { 0 };
            *byte = (rest & 0x7f) as u8 | more;
            rest >>= 7;
        }
    }

    fn tag(&mut self, number: Number, wire_type: u32) {
        self.put_varint(u64::from(number << 3 | wire_type));
    }

    fn put_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }
}

fn varint_width(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// The value of a field that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A number of a type that [`Writer::varint`] lists.
    Varint(u64),
    /// Text, bytes, or the fields of a message.
    Bytes(&'a [u8]),
    /// A number of fixed width, of which no answer has one that we know: only stepped over.
    Fixed,
}

/// Bytes that are no protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of a message, in the order in which they stand there. Strict about lengths: whatever does not end
/// exactly where the bytes end is [`Malformed`], and nothing comes after that.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Fields<'a> {
        Fields { rest: message }
    }

    fn field(&mut self) -> Result<(Number, Field<'a>), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let value = match tag & 7 {
            VARINT => Field::Varint(self.varint()?),
            FIXED64 => self.take(8).map(|_| Field::Fixed)?,
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Field::Bytes(self.take(length)?)
            }
            FIXED32 => self.take(4).map(|_| Field::Fixed)?,
            // Groups, which proto3 does not have, and the two types that do not exist.
            _ => return Err(Malformed),
        };
        match tag >> 3 {
            0 => Err(Malformed),
            number => Ok((number, value)),
        }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(Number, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_message_has_the_shortest_length_whatever_was_expected() {
        // Lengths just below, on and above every change of the width of the length.
        let lengths = [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152];
        for length in lengths {
            for expected in [Expected::Small, Expected::Medium, Expected::Large] {
                let mut writer = Writer::default();
                writer.varint(1, 7);
                writer.message(2, expected, |inner| {
                    inner.out.extend((0..length).map(|n: usize| n as u8));
                });
                writer.varint(3, 9);

                let mut oracle = vec![1 << 3, 7];
                prost::encoding::encode_key(2, prost::encoding::WireType::LengthDelimited, &mut oracle);
                prost::encoding::encode_varint(length as u64, &mut oracle);
                oracle.extend((0..length).map(|n| n as u8));
                oracle.extend([3 << 3, 9]);
                assert_eq!(writer.into_bytes(), oracle, "{length} bytes, expected {expected:?}");
            }
        }
    }

    #[test]
    fn varints_are_what_prost_writes_and_are_read_back() {
        let values = (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) - 1]).chain([u64::MAX]);
        for value in values {
            let mut writer = Writer::default();
            writer.varint(5, value);
            let bytes = writer.into_bytes();

            let mut oracle = Vec::new();
            prost::encoding::uint64::encode(5, &value, &mut oracle);
            assert_eq!(bytes, oracle);
            assert_eq!(Fields::of(&bytes).collect::<Vec<_>>(), [Ok((5, Field::Varint(value)))]);
        }
    }

    #[test]
    fn fields_of_every_wire_type_are_read_or_stepped_over() {
        let mut writer = Writer::default();
        writer.fixed64(1, 1);
        writer.string(2, "text");
        writer.out.extend([3 << 3 | 5, 1, 2, 3, 4]);
        writer.varint(4, 300);
        let bytes = writer.into_bytes();
        let fields: Result<Vec<_>, _> = Fields::of(&bytes).collect();
        let expected =
            vec![(1, Field::Fixed), (2, Field::Bytes(b"text")), (3, Field::Fixed), (4, Field::Varint(300))];
        assert_eq!(fields, Ok(expected));
    }

    #[test]
    fn what_does_not_end_with_the_bytes_is_malformed() {
        let cases: [&[u8]; 10] = [
            // A tag without a value, and values cut short.
            &[1 << 3],
            &[1 << 3, 0x80],
            &[1 << 3 | 1, 1, 2, 3],
            &[1 << 3 | 2, 3, b'a', b'b'],
            &[1 << 3 | 5, 1, 2, 3],
            // A length beyond all memory.
            &[1 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            // A number of more than 64 bits.
            &[1 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            &[1 << 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
            // Field number 0, and a group.
            &[0, 1],
            &[1 << 3 | 3],
        ];
        for bytes in cases {
            assert_eq!(Fields::of(bytes).collect::<Vec<_>>(), [Err(Malformed)], "{bytes:?}");
        }
        assert_eq!(Fields::of(&[]).next(), None);
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_go_on_for_ever() {
        // A deterministic walk over short inputs: an xorshift is enough to reach every branch.
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for length in 0..2000 {
            let bytes: Vec<u8> = (0..length % 24)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state as u8
                })
                .collect();
            assert!(Fields::of(&bytes).count() <= bytes.len());
        }
    }
}
