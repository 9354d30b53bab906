//! Lists as text: an attribute may be a list, the value of a label may not.

use std::fmt::{Display, Write};

/// A JSON array of truth values or whole numbers.
pub(crate) fn of_plain(items: &[impl Display]) -> String {
    of(items, |item, text| {
        let _ = write!(text, "{item}");
    })
}

/// A JSON array of doubles. JSON has no number for some of them: these are texts.
pub(crate) fn of_doubles(items: &[f64]) -> String {
    of(items, |item, text| {
        let _ = match item {
            _ if item.is_nan() => write!(text, "\"NaN\""),
            _ if item.is_infinite() => write!(text, "\"{}Infinity\"", if *item < 0.0 { "-" } else { "" }),
            _ => write!(text, "{item:?}"),
        };
    })
}

/// A JSON array of texts.
pub(crate) fn of_texts<'a, T: 'a>(items: &'a [T], text_of: impl Fn(&'a T) -> &'a str) -> String {
    of(items, |item, text| quote(text_of(item), text))
}

fn of<'a, T>(items: &'a [T], write: impl Fn(&'a T, &mut String)) -> String {
    let mut text = String::from("[");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(item, &mut text);
    }
    text.push(']');
    text
}

fn quote(item: &str, text: &mut String) {
    text.push('"');
    for character in item.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_by_a_json_parser() {
        let texts = ["plain", "", "with \"quotes\" and \\", "lines\n\r\ttabs", "\u{1}\u{1f}", "ä 漢 🦀"];
        let read: Vec<String> = serde_json::from_str(&of_texts(&texts, |text| text)).unwrap();
        assert_eq!(read, texts);
        let read: Vec<bool> = serde_json::from_str(&of_plain(&[true, false])).unwrap();
        assert_eq!(read, [true, false]);
        let read: Vec<i64> = serde_json::from_str(&of_plain(&[i64::MIN, 0, i64::MAX])).unwrap();
        assert_eq!(read, [i64::MIN, 0, i64::MAX]);
        let doubles = [0.1, -0.0, 1e300, 5e-324, 1.0];
        let read: Vec<f64> = serde_json::from_str(&of_doubles(&doubles)).unwrap();
        assert_eq!(read.map_bits(), doubles.to_vec().map_bits());
        assert_eq!(
            of_doubles(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
            r#"["NaN","Infinity","-Infinity"]"#
        );
        assert_eq!(of_doubles(&[]), "[]");
    }

    trait MapBits {
        fn map_bits(self) -> Vec<u64>;
    }

    impl MapBits for Vec<f64> {
        fn map_bits(self) -> Vec<u64> {
            self.into_iter().map(f64::to_bits).collect()
        }
    }
}
