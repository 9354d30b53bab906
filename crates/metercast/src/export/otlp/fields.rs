//! Fields of protobuf messages, read from a slice: of answers, which are small and which anybody may have sent.

/// The number of a field in its message.
type Number = u32;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

/// The value of a field that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A number of type int32, int64, uint32, uint64, bool or enum.
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
    use super::super::super::wire::Writer;
    use super::*;

    #[test]
    fn varints_are_read_as_they_were_written() {
        let values = (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) - 1]).chain([u64::MAX]);
        for value in values {
            let bytes = Writer::fields(|to| to.varint(5, value));
            assert_eq!(Fields::of(&bytes).collect::<Vec<_>>(), [Ok((5, Field::Varint(value)))]);
        }
    }

    #[test]
    fn fields_of_every_wire_type_are_read_or_stepped_over() {
        let bytes = Writer::fields(|to| {
            to.fixed64(1, 1);
            to.text(2, "text");
            to.raw(&[3 << 3 | 5, 1, 2, 3, 4]);
            to.varint(4, 300);
        });
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
