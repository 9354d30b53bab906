//! Bytes as hexadecimal digits.

/// The two digits of a byte, in lower case.
#[inline]
pub(super) fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        for byte in 0..=u8::MAX {
            assert_eq!(digits(byte), format!("{byte:02x}").as_bytes());
        }
    }
}
