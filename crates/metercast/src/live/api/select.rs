//! Which series of a metric are asked for, as the query of a URL has it.

use metercast_core::reading::{LabelsView, ValueView};

/// Labels that a series must have, all of them.
#[derive(Default)]
pub(in crate::live) struct Selected {
    labels: Vec<(String, String)>,
    /// The name space of the metric; empty unless it has one.
    pub(super) scope: String,
}

impl Selected {
    /// One more, as `key:value`. The key is what stands before the first colon.
    pub(super) fn add(&mut self, label: &str) {
        let (key, value) = label.split_once(':').unwrap_or((label, ""));
        self.labels.push((key.to_owned(), value.to_owned()));
    }

    /// Whether a series has them.
    pub(super) fn takes(&self, labels: LabelsView<'_>) -> bool {
        self.labels.iter().all(|(key, value)| {
            let found = labels.keys().zip(labels.values()).find(|(known, _)| known == key);
            found.is_some_and(|(_, found)| spelled(found).is_some_and(|found| found == *value))
        })
    }
}

/// A value as a text; `None` if there is none.
pub(super) fn spelled(value: ValueView<'_>) -> Option<String> {
    Some(match value {
        ValueView::Text(text) => text.to_owned(),
        ValueView::Packed(text) => text.with(str::to_owned),
        ValueView::Bool(truth) => truth.to_string(),
        ValueView::I64(number) => number.to_string(),
        ValueView::U64(number) => number.to_string(),
        ValueView::F64(number) => number.to_string(),
        _ => return None,
    })
}

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
        let mut selected = Selected::default();
        selected.add("url:http://x:1");
        assert_eq!(selected.labels, [("url".to_owned(), "http://x:1".to_owned())]);
    }
}
