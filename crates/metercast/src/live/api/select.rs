//! Queries and paths of a URL, as browsers write them.

/// Keys and values of a query.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key, true), decoded(value, true))
    })
}

/// A text in which `%2F` stands for a slash, and `+` perhaps for a space. What makes no sense stays as it is.
pub(super) fn decoded(text: &str, plus: bool) -> String {
    let (mut bytes, text) = (Vec::with_capacity(text.len()), text.as_bytes());
    let mut at = 0;
    while at < text.len() {
        let code = text.get(at + 1..at + 3).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|_| text[at] == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                at += 3;
            }
            None => {
                bytes.push(if plus && text[at] == b'+' { b' ' } else { text[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let read: Vec<_> = pairs("label=http.route%3A%2Forders%2F%7Bid%7D&&a+b=c+d&x&y=%zz%").collect();
        let expected = [("label", "http.route:/orders/{id}"), ("a b", "c d"), ("x", ""), ("y", "%zz%")]
            .map(|(a, b)| (a.into(), b.into()));
        assert_eq!(read, expected);
        assert_eq!(decoded("a+b%20c", false), "a+b c");
    }
}
