//! How an exporter proves who it is: the `authorization` header.

use super::error::Checked;
use super::headers;
use super::secret::Secret;

/// `Bearer TOKEN`.
pub(crate) fn bearer(token: &str) -> Checked<Secret> {
    Ok(Secret::new(format!("Bearer {}", self::token(token)?.expose())))
}

/// A key as it is.
pub(super) fn token(token: &str) -> Checked<Secret> {
    let token = headers::check_value(token)?;
    if token.expose().is_empty() { Err("is empty; write the token".to_owned()) } else { Ok(token) }
}

/// `Basic`, and user and password together in base64 (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> Checked<Secret> {
    if user.contains(':') {
        return Err("has a user name with a colon in it, which basic auth cannot carry".to_owned());
    }
    Ok(Secret::new(format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))))
}

/// RFC 4648, section 4, with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// What was written so; `None` if it was not.
#[cfg(any(feature = "otlp", feature = "live"))]
pub(crate) fn from_base64(coded: &[u8]) -> Option<Vec<u8>> {
    let coded = coded.strip_suffix(b"==").or_else(|| coded.strip_suffix(b"=")).unwrap_or(coded);
    let (mut plain, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for byte in coded {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, held) = ((bits << 6) | u32::from(six), held + 6);
        if held >= 8 {
            held -= 8;
            plain.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_examples_of_its_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded, "{plain}");
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfb]), "//77");
    }

    #[test]
    fn a_token_and_a_user_become_their_header() {
        assert_eq!(bearer("t0ken").unwrap().expose(), "Bearer t0ken");
        // RFC 7617, section 2.
        let aladdin = basic("Aladdin", "open sesame").unwrap();
        assert_eq!(aladdin.expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("u", "with:colon and ü").unwrap().expose(), "Basic dTp3aXRoOmNvbG9uIGFuZCDDvA==");
    }

    #[test]
    fn what_no_header_can_carry_is_refused_unseen() {
        for empty in ["", "  "] {
            assert_eq!(bearer(empty).unwrap_err(), "is empty; write the token");
        }
        assert!(!bearer("s3cret\n").unwrap_err().contains("s3cret"));
        let colon = basic("a:b", "s3cret").unwrap_err();
        assert_eq!(colon, "has a user name with a colon in it, which basic auth cannot carry");
    }
}
