//! The status of HTTP as text.

use http::StatusCode;

/// A status, which has three digits, as text, without an allocation.
pub(crate) fn spell(status: StatusCode, digits: &mut [u8; 3]) -> &str {
    let status = status.as_u16();
    *digits = [status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    std::str::from_utf8(digits).unwrap_or(super::OTHER)
}
