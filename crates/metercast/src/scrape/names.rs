//! The names that a request asks for: `name[]=up&name[]=x_total`, as the Go client has it.

use std::collections::HashSet;

/// The values of `name[]` in a query.
pub(super) fn asked_for(query: Option<&str>) -> HashSet<String> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| decoded(key) == "name[]").map(|(_, value)| decoded(value)).collect()
}

/// Without percent signs and plus signs, as forms are encoded. What is wrongly encoded stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            _ => decoded.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_encoded() {
        let cases: [(&str, &[&str]); 11] = [
            ("name[]=up", &["up"]),
            ("name%5B%5D=up&name%5b%5d=x_total", &["up", "x_total"]),
            ("a=b&name[]=up&name[]=up&c", &["up"]),
            ("name[]=", &[""]),
            ("name[]=a%2Eb+c", &["a.b c"]),
            ("name[]=a=b", &["a=b"]),
            ("name[]=%", &["%"]),
            ("name[]=%zz%4", &["%zz%4"]),
            ("name=up&names[]=up&name[]", &[]),
            ("", &[]),
            ("&&==&%", &[]),
        ];
        for (query, names) in cases {
            let expected: HashSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(asked_for(Some(query)), expected, "{query}");
        }
        assert_eq!(asked_for(None), HashSet::new());
        assert_eq!(asked_for(Some("name[]=%ff")), ["\u{fffd}".to_owned()].into());
    }
}
