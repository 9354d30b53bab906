//! The labels that an assertion names: all, some of them, or any value of one.

use std::fmt;

use metercast_core::label::AsLabel;
use metercast_core::{KeyValue, LabelSet, Value};

/// In an assertion or a snapshot: any value of a label, or, in a text, any characters.
///
/// ```
/// use metercast::testing::{ANY, isolated};
/// use metercast::{assert_counter, u64_counter};
///
/// isolated(|_| {
///     for tenant in ["a", "b"] {
///         u64_counter!("requests", "Requests", 1, "tenant" => tenant, "path" => format!("/{tenant}/orders"));
///     }
///     assert_counter!("requests", 2, "tenant" => ANY, "path" => "/<any>/orders");
///     assert_counter!("requests", 1, "tenant" => "a", ..);
/// });
/// ```
pub const ANY: &str = "<any>";

/// The labels of an assertion.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Labels {
    named: LabelSet,
    /// Whether there may be others.
    others: bool,
}

impl Labels {
    #[doc(hidden)]
    pub fn new(named: impl IntoIterator<Item = Option<KeyValue>>, others: bool) -> Labels {
        Labels { named: named.into_iter().flatten().collect(), others }
    }

    pub(super) fn match_set(&self, labels: &LabelSet) -> bool {
        (self.others || self.named.len() == labels.len()) && self.missed(labels) == 0
    }

    /// Whether a set has all that is named, whatever else it has.
    pub(super) fn match_with_others(&self, labels: &LabelSet) -> bool {
        self.missed(labels) == 0
    }

    /// How far a set is from what is named: keys missing and values that differ weigh more than keys too many.
    pub(super) fn distance(&self, labels: &LabelSet) -> usize {
        let unnamed = labels.iter().filter(|(key, _)| self.named.get(key).is_none()).count();
        2 * self.missed(labels) + if self.others { 0 } else { unnamed }
    }

    fn missed(&self, labels: &LabelSet) -> usize {
        let meets = |(key, expected)| labels.get(key).is_some_and(|value| is_met(expected, value));
        self.named.iter().filter(|named| !meets(*named)).count()
    }

    /// Labels that are there as another type of value, such as the number 404 for the text `404`.
    pub(super) fn of_other_type(&self, labels: &LabelSet) -> Option<String> {
        self.named.iter().find_map(|(key, expected)| {
            let there = labels.get(key)?;
            let differs = there != expected && there.to_string() == expected.to_string();
            differs.then(|| {
                format!(
                    "the label {key} is {} {there} there, and {} is expected",
                    kind(there),
                    kind(expected)
                )
            })
        })
    }
}

fn is_met(expected: &Value, value: &Value) -> bool {
    match expected {
        Value::String(pattern) if pattern.contains(ANY) => is_like(pattern, &value.to_string()),
        expected => expected == value,
    }
}

/// Whether a text is what the pattern says, in which [`ANY`] stands for any characters.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once(ANY) else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let (middle, last) = others.rsplit_once(ANY).unwrap_or(("", others));
    for part in middle.split(ANY) {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "the text",
        Value::Bool(_) => "the truth value",
        _ => "the number",
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.named.to_string();
        match (self.others, named.strip_suffix('}')) {
            (false, _) => f.write_str(&named),
            (true, Some(named)) => write!(f, "{named},..}}"),
            (true, None) => f.write_str("{..}"),
        }
    }
}

/// One label in any of its forms; `None` if it has no value.
#[doc(hidden)]
pub fn label_of(key: &'static str, value: &(impl AsLabel + ?Sized)) -> Option<KeyValue> {
    Value::of(value).map(|value| KeyValue::new(key, value))
}

/// A list of labels in any of its forms.
#[doc(hidden)]
pub fn labels_of(labels: &(impl AsRef<[KeyValue]> + ?Sized)) -> Labels {
    Labels::new(labels.as_ref().iter().cloned().map(Some), false)
}

/// Labels of an assertion; those without a value are left out, as they are at a call site.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_labels {
    ([$($done:expr),*] $(,)?) => { $crate::testing::Labels::new([$($done),*], false) };
    ([$($done:expr),*] .. $(,)?) => { $crate::testing::Labels::new([$($done),*], true) };
    ([$($done:expr),*] $key:literal => $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($key, &$value)] $($($rest)*)?)
    };
    ([$($done:expr),*] $key:literal = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($key, &$value)] $($($rest)*)?)
    };
    ([$($done:expr),*] $($key:ident).+ => $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($crate::__path!($($key).+), &$value)] $($($rest)*)?)
    };
    ([$($done:expr),*] $($key:ident).+ = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($crate::__path!($($key).+), &$value)] $($($rest)*)?)
    };
    ([] $labels:expr $(,)?) => { $crate::testing::labels_of(&$labels) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stands_for_any_characters_wherever_it_is() {
        for (pattern, yes, no) in [
            ("<any>", "", "-"),
            ("a<any>", "abc", "bc"),
            ("<any>c", "abc", "ab"),
            ("a<any>b<any>c", "a1b2c", "a1c2b"),
            ("abc", "abc", "abcd"),
        ] {
            assert!(is_like(pattern, yes), "{pattern} {yes}");
            assert!(no == "-" || !is_like(pattern, no), "{pattern} {no}");
        }
        assert!(!is_like("ab<any>bc", "abc"), "what is before and after does not overlap");
    }
}
