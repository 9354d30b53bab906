//! Which series of a metric somebody looks at.

use metercast_core::reading::{LabelsView, ValueView};

/// Labels that a series must have, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selected(Vec<(String, String)>);

impl Selected {
    /// One more, as `key:value`. The key is what stands before the first colon.
    pub(super) fn add(&mut self, label: &str) {
        let (key, value) = label.split_once(':').unwrap_or((label, ""));
        let label = (key.to_owned(), value.to_owned());
        if let Err(place) = self.0.binary_search(&label) {
            self.0.insert(place, label);
        }
    }

    /// Whether all series are asked for.
    pub(super) fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a series has them.
    pub(super) fn takes(&self, labels: LabelsView<'_>) -> bool {
        self.0.iter().all(|(key, value)| {
            let found = labels.keys().zip(labels.values()).find(|(known, _)| known == key);
            found.is_some_and(|(_, found)| is_spelled(found, value))
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

/// Whether this is how a value is [spelled], which most need not be for that.
fn is_spelled(value: ValueView<'_>, text: &str) -> bool {
    match value {
        ValueView::Text(value) => value == text,
        ValueView::Packed(value) => value.with(|value| value == text),
        value => spelled(value).is_some_and(|value| value == text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_labels_and_their_repetition_make_no_difference() {
        let of = |labels: &[&str]| {
            let mut selected = Selected::default();
            labels.iter().for_each(|label| selected.add(label));
            selected
        };
        assert_eq!(of(&["b:2", "url:http://x:1", "b:2"]), of(&["url:http://x:1", "b:2"]));
        assert_eq!(of(&["url:http://x:1"]).0, [("url".to_owned(), "http://x:1".to_owned())]);
        assert!(of(&[]).is_all());
    }
}
