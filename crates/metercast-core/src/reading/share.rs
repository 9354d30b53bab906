//! The part of a store that has one label in common, such as what belongs to a tenant.

use super::labels::{LabelsView, ValueView};
use super::view::SeriesView;

/// Only series with this label, and these without it.
pub(super) struct Share<'a> {
    key: &'a str,
    value: &'a str,
    /// The value as a number, if it is spelled as numbers are.
    number: Option<i128>,
}

impl<'a> Share<'a> {
    pub(super) fn new(key: &'a str, value: &'a str) -> Share<'a> {
        let number = value.parse().ok().filter(|number: &i128| number.to_string() == value);
        Share { key, value, number }
    }

    /// The key, and the value as it is spelled.
    pub(super) fn label(&self) -> (&str, &str) {
        (self.key, self.value)
    }

    /// Gives the series to `f` if it belongs here.
    pub(super) fn give(&self, view: &SeriesView<'_>, f: &mut dyn FnMut(&SeriesView<'_>)) {
        if !self.has(&view.labels) {
            return;
        }
        let labels = view.labels.to_set().without(self.key);
        f(&SeriesView { labels: LabelsView::of(&labels), ..*view });
    }

    fn has(&self, labels: &LabelsView<'_>) -> bool {
        labels.keys().zip(labels.values()).any(|(key, value)| key == self.key && self.is(value))
    }

    fn is(&self, value: ValueView<'_>) -> bool {
        match value {
            ValueView::Text(text) => text == self.value,
            ValueView::Packed(text) => text.with(|text| text == self.value),
            ValueView::Bool(value) => self.value == if value { "true" } else { "false" },
            ValueView::I64(value) => self.number == Some(value.into()),
            ValueView::U64(value) => self.number == Some(value.into()),
            ValueView::F64(_) | ValueView::Absent => false,
        }
    }
}
