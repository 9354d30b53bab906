//! Percent-decoding, as `OTEL_*` lists use it.

/// Replaces each `%41` by its byte. `+` stays itself: this is a header's coding, not a form's.
///
/// The error says what is wrong without the text, which may be a secret.
pub(super) fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        match (rest.next().and_then(hex), rest.next().and_then(hex)) {
            (Some(high), Some(low)) => bytes.push(high << 4 | low),
            _ => {
                return Err("has a % without two hexadecimal digits after it; write %25 for the character %");
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 once it is decoded")
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_their_bytes_and_the_rest_stays() {
        let cases = [("", ""), ("a+b;c=d", "a+b;c=d"), ("a%20b%2C", "a b,"), ("%C3%bc%25", "ü%"), ("ü", "ü")];
        for (coded, plain) in cases {
            assert_eq!(decode(coded).as_deref(), Ok(plain), "{coded}");
        }
    }

    #[test]
    fn broken_escapes_and_broken_utf_8_are_refused() {
        for broken in ["%", "%4", "50%", "%zz", "%+1", "%%20"] {
            assert_eq!(
                decode(broken),
                Err("has a % without two hexadecimal digits after it; write %25 for the character %"),
                "{broken}"
            );
        }
        assert_eq!(decode("%ff"), Err("is not UTF-8 once it is decoded"));
    }
}
