//! JSON values, as RFC 8259 has them, and the words in them.

use std::time::Duration;

use metercast_core::Kind;

use crate::export::hex;

/// A kind of metrics in one word.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::UpDownCounter => "up_down_counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        // What is not known here yet.
        _ => "unknown",
    }
}

/// Appends a text in quotes.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            // Also DEL, which a terminal may act on.
            0..0x20 | 0x7f => {
                out.extend(b"\\u00");
                out.extend(hex::digits(byte));
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends a whole number.
pub(crate) fn put_integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a double in as few characters as tell it apart. What JSON has no number for is a text, as in protobuf's JSON.
pub(crate) fn put_double(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(number);
        out.extend(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    } else if number.is_nan() {
        out.extend(b"\"NaN\"");
    } else {
        out.extend(if number > 0.0 { &b"\"Infinity\""[..] } else { b"\"-Infinity\"" });
    }
}

/// Appends `[a,b]`.
pub(crate) fn put_list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    put: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        put(out, item);
    }
    out.push(b']');
}

/// Appends a time, given in nanoseconds since 1970, as RFC 3339 has it: `"2026-11-21T10:18:45.000000001Z"`.
pub(super) fn put_time(out: &mut Vec<u8>, unix_nanos: u64) {
    let since = Duration::from_nanos(unix_nanos);
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let text = format!(
        "\"{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z\"",
        second / 3600,
        second / 60 % 60,
        second % 60,
        since.subsec_nanos()
    );
    out.extend(text.as_bytes());
}

/// The date of a day, counted from 1970-01-01. Years are counted from March, so that the leap day is their last, and in
/// groups of 400, which repeat.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (group, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (group * 400 + year, if month < 10 { month + 3 } else { month - 9 });
    (if month <= 2 { year + 1 } else { year }, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_is_escaped_where_json_needs_it() {
        let cases = [
            ("", "\"\""),
            ("grün \u{2028}", "\"grün \u{2028}\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("\n\r\t\0\u{1b}\u{7f}", "\"\\n\\r\\t\\u0000\\u001b\\u007f\""),
        ];
        for (text, expected) in cases {
            assert_eq!(put(|out| put_text(out, text)), expected);
        }
    }

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.5, "0.5"),
            (1e300, "1e+300"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ];
        for (number, expected) in cases {
            assert_eq!(put(|out| put_double(out, number)), expected);
        }
        assert_eq!(put(|out| put_integer(out, u64::MAX)), "18446744073709551615");
        assert_eq!(put(|out| put_list(out, [1u64, 2], put_integer)), "[1,2]");
    }

    #[test]
    fn times_are_dates_of_the_calendar() {
        let day = 86_400_000_000_000;
        let cases = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (951_782_400_000_000_000 + day, "2000-03-01T00:00:00.000000000Z"),
            (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000000Z"),
            (1_767_225_599_999_999_999, "2025-12-31T23:59:59.999999999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(put(|out| put_time(out, nanos)), format!("\"{expected}\""));
        }
    }
}
