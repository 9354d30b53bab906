//! The labels of a series, spelled without hurry: for series that are not written straight from the store, and for formats
//! that are no text.

use metercast_core::reading::{LabelsView, ValueView};

use super::escape::{Of, quoted};
use super::number::{Spelling, with_double};
use super::style::Style;
use crate::view::Stream;

/// Names, escaped and not quoted, and their values. Each name stands here once, and no value is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels(Vec<(String, String)>);

impl Labels {
    /// Labels of these keys, names and values. Values under keys that become one name are joined with `;`, in the order of
    /// the keys, empty ones too (Prometheus and OpenMetrics Compatibility, "Metric Attributes"). What is without a value then
    /// is as good as absent, and left out.
    pub(super) fn joined<'k>(labels: impl IntoIterator<Item = (&'k str, String, String)>) -> Labels {
        let mut named: Vec<(String, Vec<(&str, String)>)> = Vec::new();
        for (key, name, value) in labels {
            match named.iter_mut().find(|(there, _)| *there == name) {
                Some((_, values)) => values.push((key, value)),
                None => named.push((name, vec![(key, value)])),
            }
        }
        let joined = named.into_iter().map(|(name, mut values)| {
            values.sort();
            (name, values.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(";"))
        });
        Labels(joined.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The labels of a series of this metric, behind those that all its series have.
    pub(super) fn of(labels: &LabelsView<'_>, style: &Style, stream: &Stream, constants: &Labels) -> Labels {
        let measured = labels.keys().zip(labels.values()).filter_map(|(key, value)| {
            let value = match value {
                ValueView::Text(text) => text.to_owned(),
                ValueView::Packed(text) => text.with(str::to_owned),
                ValueView::Bool(value) => value.to_string(),
                ValueView::I64(value) => value.to_string(),
                ValueView::U64(value) => value.to_string(),
                ValueView::F64(value) => with_double(value, str::to_owned),
                _ => return None,
            };
            Some((key, style.label(key, stream), value))
        });
        let measured = Labels::joined(measured);
        let mut all = constants.clone();
        all.0.retain(|(name, _)| !measured.has(name));
        all.0.extend(measured.0);
        all
    }

    /// These, and those of others that have another name.
    pub(super) fn and(mut self, others: Labels) -> Labels {
        let others = others.0.into_iter().filter(|(name, _)| !self.has(name)).collect::<Vec<_>>();
        self.0.extend(others);
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(there, _)| there == name)
    }

    /// Each name and its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same for labels that are equal in any order.
    pub(super) fn sorted(&self) -> Vec<(String, String)> {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted
    }

    /// As they stand between braces: `a="1",b="2"`.
    pub(super) fn text(&self) -> String {
        let label =
            |(name, value): &(String, String)| format!("{}={}", Of::Label.spelled(name), quoted(value));
        self.0.iter().map(label).collect::<Vec<_>>().join(",")
    }
}

/// `name{a="1",`, or `{"odd.name",a="1",`: what stands before a further label. And `name{a="1"} `, or `name `, if there is none.
pub(super) fn begin(name: &str, labels: &str) -> [String; 2] {
    let (is_legal, comma) = (Of::Metric.is_legal(name), if labels.is_empty() { "" } else { "," });
    let name = Of::Metric.spelled(name);
    match is_legal {
        true if labels.is_empty() => [format!("{name}{{"), format!("{name} ")],
        true => [format!("{name}{{{labels},"), format!("{name}{{{labels}}} ")],
        false => [format!("{{{name},{labels}{comma}"), format!("{{{name}{comma}{labels}}} ")],
    }
}

/// A label that says what a bucket or quantile is, with the end of the labels: `le="0.5"} `.
pub(super) fn end(label: &str, bound: f64, spelling: Spelling) -> String {
    format!("{label}=\"{}\"}} ", spelling.bound(bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_legal_stands_between_the_braces() {
        assert_eq!(begin("a", ""), ["a{", "a "]);
        assert_eq!(begin("a", "b=\"1\""), ["a{b=\"1\",", "a{b=\"1\"} "]);
        assert_eq!(begin("a.b", ""), ["{\"a.b\",", "{\"a.b\"} "]);
        assert_eq!(begin("a.b", "b=\"1\""), ["{\"a.b\",b=\"1\",", "{\"a.b\",b=\"1\"} "]);
    }

    #[test]
    fn values_of_one_name_are_joined_in_the_order_of_their_keys() {
        let label = |key, value: &str| (key, "a_b".to_owned(), value.to_owned());
        let labels = Labels::joined([label("a_b", "2"), label("a.b", "1")]);
        assert_eq!(labels.text(), "a_b=\"1;2\"");
        assert_eq!(Labels::joined([label("a.b", "")]), Labels::default());
    }
}
