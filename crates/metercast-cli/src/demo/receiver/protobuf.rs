//! Reads the protobuf wire format: the fields of a message, one after the other.
//!
//! "Protocol Buffers, Encoding": a field is a tag (number and wire type) and a payload. Groups, which no new message
//! has, are refused.

use std::fmt;

/// The payload of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// It ends within a field.
    Truncated,
    /// A varint does not end within ten bytes or does not fit into 64 bits.
    Varint,
    /// A tag that there is not: field 0, a number too large, a group.
    Tag(u64),
    /// A field of the message does not have the type that it must have.
    Type { message: &'static str, field: u32 },
    /// A text is not UTF-8.
    Text,
    /// A message says something that it must not say.
    Meaning(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("the message ends within a field"),
            DecodeError::Varint => f.write_str("a varint is too long"),
            DecodeError::Tag(tag) => write!(f, "there is no tag {tag}"),
            DecodeError::Type { message, field } => {
                write!(f, "field {field} of {message} has the wrong type")
            }
            DecodeError::Text => f.write_str("a text is not UTF-8"),
            DecodeError::Meaning(fault) => f.write_str(fault),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Calls `f` with the number and the payload of each field of a message, in the order in which they come.
pub(super) fn each_field<'a>(
    mut message: &'a [u8],
    mut f: impl FnMut(u32, Payload<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(DecodeError::Tag(tag))?;
        let payload = match tag & 7 {
            0 => Payload::Varint(varint(&mut message)?),
            1 => Payload::Fixed64(u64::from_le_bytes(fixed(&mut message)?)),
            2 => {
                let length = usize::try_from(varint(&mut message)?).map_err(|_| DecodeError::Truncated)?;
                let (bytes, rest) = message.split_at_checked(length).ok_or(DecodeError::Truncated)?;
                message = rest;
                Payload::Bytes(bytes)
            }
            5 => Payload::Fixed32(u32::from_le_bytes(fixed(&mut message)?)),
            _ => return Err(DecodeError::Tag(tag)),
        };
        f(number, payload)?;
    }
    Ok(())
}

fn varint(from: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0;
    for at in 0..10 {
        let (&byte, rest) = from.split_first().ok_or(DecodeError::Truncated)?;
        *from = rest;
        // The tenth byte has room for one bit.
        if at == 9 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(DecodeError::Varint)
}

fn fixed<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (bytes, rest) = from.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
    *from = rest;
    Ok(*bytes)
}

/// Where a field stands, for an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) &'static str, pub(super) u32);

impl At {
    fn wrong(self) -> DecodeError {
        DecodeError::Type { message: self.0, field: self.1 }
    }
}

impl<'a> Payload<'a> {
    pub(super) fn varint(self, at: At) -> Result<u64, DecodeError> {
        if let Payload::Varint(value) = self { Ok(value) } else { Err(at.wrong()) }
    }

    pub(super) fn fixed64(self, at: At) -> Result<u64, DecodeError> {
        if let Payload::Fixed64(value) = self { Ok(value) } else { Err(at.wrong()) }
    }

    pub(super) fn double(self, at: At) -> Result<f64, DecodeError> {
        self.fixed64(at).map(f64::from_bits)
    }

    pub(super) fn message(self, at: At) -> Result<&'a [u8], DecodeError> {
        if let Payload::Bytes(bytes) = self { Ok(bytes) } else { Err(at.wrong()) }
    }

    pub(super) fn text(self, at: At) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.message(at)?).map_err(|_| DecodeError::Text)
    }

    /// Appends the numbers of a repeated field: packed, many in one payload, or not, one in each.
    pub(super) fn fixed64s(self, at: At, to: &mut Vec<u64>) -> Result<(), DecodeError> {
        match self {
            Payload::Fixed64(value) => to.push(value),
            Payload::Bytes(mut packed) => {
                while !packed.is_empty() {
                    to.push(u64::from_le_bytes(fixed(&mut packed)?));
                }
            }
            _ => return Err(at.wrong()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &[u8]) -> Result<Vec<(u32, Payload<'_>)>, DecodeError> {
        let mut fields = Vec::new();
        each_field(message, |number, payload| {
            fields.push((number, payload));
            Ok(())
        })?;
        Ok(fields)
    }

    #[test]
    fn fields_of_all_wire_types_are_read() {
        // The first is the example of the specification: 150 in field 1.
        let message = [
            &[0x08, 0x96, 0x01][..],
            &[0x12, 0x02, b'h', b'i'],
            &[0x19, 1, 0, 0, 0, 0, 0, 0, 0x80],
            &[0x25, 2, 0, 0, 0],
            &[0x82, 0x01, 0x00],
        ]
        .concat();
        let expected = [
            (1, Payload::Varint(150)),
            (2, Payload::Bytes(b"hi")),
            (3, Payload::Fixed64(0x8000_0000_0000_0001)),
            (4, Payload::Fixed32(2)),
            (16, Payload::Bytes(b"")),
        ];
        assert_eq!(fields(&message).unwrap(), expected);
        assert_eq!(
            fields(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]).unwrap()[0].1,
            Payload::Varint(u64::MAX)
        );
    }

    #[test]
    fn what_is_cut_short_or_never_was_is_refused() {
        for cut in [&[0x08][..], &[0x08, 0x80], &[0x12, 3, b'h', b'i'], &[0x19, 1, 2], &[0x25, 1], &[0x80]] {
            assert_eq!(fields(cut), Err(DecodeError::Truncated), "{cut:?}");
        }
        assert_eq!(fields(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]), Err(DecodeError::Varint));
        for tag in [0x00, 0x01, 0x0b, 0x0c, 0x0e] {
            assert_eq!(fields(&[tag]), Err(DecodeError::Tag(tag.into())), "{tag}");
        }
        assert_eq!(
            fields(&[0x80, 0x80, 0x80, 0x80, 0x10]),
            Err(DecodeError::Tag(1 << 32)),
            "a field number over 2^29"
        );
    }

    #[test]
    fn a_repeated_number_may_be_packed_or_not() {
        let mut numbers = Vec::new();
        let at = At("Test", 6);
        Payload::Bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]).fixed64s(at, &mut numbers).unwrap();
        Payload::Fixed64(3).fixed64s(at, &mut numbers).unwrap();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(Payload::Bytes(&[1]).fixed64s(at, &mut numbers), Err(DecodeError::Truncated));
        let wrong = Payload::Varint(1).fixed64s(at, &mut numbers).unwrap_err();
        assert_eq!(wrong.to_string(), "field 6 of Test has the wrong type");
    }
}
