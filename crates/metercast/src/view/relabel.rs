//! What the label rules of a stream make of the labels of a series.

use std::sync::{Mutex, PoisonError};

use metercast_core::reading::{LabelsView, ValueView};
use metercast_core::{KeyValue, LabelSet, Value};

use super::change::LabelRule;

/// The label of the series that stands for all beyond a limit. No pattern takes it away, since what it says is true of the sum.
pub(super) const OVERFLOW: &str = "otel.metric.overflow";

/// Applies rules, and remembers what they make of keys.
#[derive(Debug, Default)]
pub(super) struct Relabel {
    rules: Vec<LabelRule>,
    known: Mutex<AllKnown>,
}

#[derive(Debug, Default)]
struct AllKnown {
    of_keys: Vec<Known>,
    /// How many there ever were.
    count: u64,
}

/// What becomes of the labels with these keys.
#[derive(Clone, Debug)]
struct Known {
    /// No other has it.
    number: u64,
    keys: Vec<Box<str>>,
    /// Each one's new key; `None` if it is dropped.
    becomes: Vec<Option<String>>,
}

/// The most that are remembered.
const MOST_KNOWN: usize = 64;

impl Relabel {
    pub(super) fn new(rules: Vec<LabelRule>) -> Relabel {
        Relabel { rules, known: Mutex::default() }
    }

    /// Whether it does nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules.
    pub(super) fn rules(&self) -> &[LabelRule] {
        &self.rules
    }

    /// The labels that a series has.
    pub(super) fn apply(&self, labels: &LabelsView<'_>) -> LabelSet {
        if self.is_empty() {
            return labels.to_set();
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let becomes = &known.of(&self.rules, labels).becomes;
        let labels = becomes.iter().zip(present(labels));
        labels.filter_map(|(key, (_, value))| Some(KeyValue::new(key.clone()?, owned(value)?))).collect()
    }

    /// The labels that a series loses, and that no other takes the place of.
    pub(super) fn taken(&self, labels: &LabelsView<'_>) -> LabelSet {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let becomes = &known.of(&self.rules, labels).becomes;
        let taken = becomes.iter().zip(present(labels)).filter(|(now, (key, _))| is_taken(key, now, becomes));
        taken.filter_map(|(_, (key, value))| Some(KeyValue::new(key.to_owned(), owned(value)?))).collect()
    }

    /// Writes to `to` what the labels are found by that a series has: where it is equal they are.
    pub(super) fn fingerprint(&self, labels: &LabelsView<'_>, to: &mut Vec<u8>) {
        to.clear();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { number, becomes, .. } = known.of(&self.rules, labels);
        to.extend_from_slice(&number.to_le_bytes());
        for ((_, value), key) in present(labels).zip(becomes) {
            if key.is_some() {
                write(value, to);
            }
        }
    }
}

impl AllKnown {
    /// What becomes of the keys of these labels.
    fn of(&mut self, rules: &[LabelRule], labels: &LabelsView<'_>) -> &Known {
        let keys = || present(labels).map(|(key, _)| key);
        let is_it = |known: &Known| known.keys.iter().map(|key| &**key).eq(keys());
        let at = self.of_keys.iter().position(is_it).unwrap_or_else(|| {
            self.of_keys.truncate(MOST_KNOWN - 1);
            self.count += 1;
            let becomes = becomes(rules, &keys().collect::<Vec<_>>());
            self.of_keys.push(Known { number: self.count, keys: keys().map(Box::from).collect(), becomes });
            self.of_keys.len() - 1
        });
        &self.of_keys[at]
    }
}

/// The labels that have a value.
fn present<'a>(labels: &LabelsView<'a>) -> impl Iterator<Item = (&'a str, ValueView<'a>)> {
    labels.keys().zip(labels.values()).filter(|(_, value)| !matches!(value, ValueView::Absent))
}

/// Writes a value so that others are written otherwise.
fn write(value: ValueView<'_>, to: &mut Vec<u8>) {
    let text = |text: &str, to: &mut Vec<u8>| {
        to.push(0);
        to.extend_from_slice(&text.len().to_le_bytes());
        to.extend_from_slice(text.as_bytes());
    };
    let (tag, bits) = match value {
        ValueView::Text(value) => return text(value, to),
        ValueView::Packed(value) => return value.with(|value| text(value, to)),
        ValueView::I64(value) => (1, value as u64),
        ValueView::U64(value) => (2, value),
        ValueView::F64(value) => (3, value.to_bits()),
        ValueView::Bool(value) => (4, value.into()),
        _ => (5, 0),
    };
    to.push(tag);
    to.extend_from_slice(&bits.to_le_bytes());
}

fn owned(value: ValueView<'_>) -> Option<Value> {
    Some(match value {
        ValueView::Text(text) => Value::from(text.to_owned()),
        ValueView::Packed(text) => Value::from(text.with(str::to_owned)),
        ValueView::Bool(value) => Value::Bool(value),
        ValueView::I64(value) => Value::I64(value),
        ValueView::U64(value) => Value::U64(value),
        ValueView::F64(value) => Value::F64(value),
        _ => return None,
    })
}

/// Two labels of one view that get the same key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    pub(crate) first: String,
    pub(crate) second: String,
    /// Which rule renames the second.
    pub(crate) at: usize,
    pub(crate) to: String,
}

/// The first two labels that these rules give the same key. Their series would be put together though they differ.
pub(crate) fn clash(rules: &[LabelRule]) -> Option<Clash> {
    // The keys that labels have got so far, each with the one that it had.
    let mut given: Vec<(&String, &String)> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        match rule {
            LabelRule::Keep(globs) => given.retain(|(to, _)| globs.iter().any(|glob| glob.matches(to))),
            LabelRule::Drop(globs) => given.retain(|(to, _)| !globs.iter().any(|glob| glob.matches(to))),
            LabelRule::Rename(from, to) => {
                given.retain(|(key, _)| *key != from);
                if let Some((_, first)) = given.iter().find(|(key, _)| *key == to) {
                    let [first, second, to] = [first, from, to].map(String::to_owned);
                    return Some(Clash { first, second, at, to });
                }
                given.push((to, from));
            }
        }
    }
    None
}

/// Which of these keys the rules take away.
pub(super) fn taken<'k>(rules: &[LabelRule], keys: &[&'k str]) -> Vec<&'k str> {
    let becomes = becomes(rules, keys);
    let taken = keys.iter().zip(&becomes).filter(|(key, now)| is_taken(key, now, &becomes));
    taken.map(|(key, _)| *key).collect()
}

/// Whether the label with this key is gone, and no other has the key now.
fn is_taken(key: &str, now: &Option<String>, all: &[Option<String>]) -> bool {
    now.is_none() && all.iter().all(|other| other.as_deref() != Some(key))
}

/// What each of these keys becomes.
pub(super) fn becomes(rules: &[LabelRule], keys: &[&str]) -> Vec<Option<String>> {
    let mut now: Vec<Option<String>> = keys.iter().map(|key| Some((*key).to_owned())).collect();
    for rule in rules {
        match rule {
            LabelRule::Keep(globs) => {
                let stays = |key: &String| key == OVERFLOW || globs.iter().any(|glob| glob.matches(key));
                now.iter_mut().for_each(|key| *key = key.take().filter(stays));
            }
            LabelRule::Drop(globs) => {
                let goes = |key: &String| key != OVERFLOW && globs.iter().any(|glob| glob.matches(key));
                now.iter_mut().for_each(|key| *key = key.take().filter(|key| !goes(key)));
            }
            LabelRule::Rename(from, to) => {
                let Some(at) = now.iter().position(|key| key.as_ref() == Some(from)) else { continue };
                // The one that was there makes room.
                now.iter_mut().filter(|key| key.as_ref() == Some(to)).for_each(|key| *key = None);
                now[at] = Some(to.clone());
            }
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_apply_in_their_order_and_a_renamed_label_takes_the_place_of_another() {
        let keep = |globs: &[&str]| LabelRule::Keep(globs.iter().copied().map(Into::into).collect());
        let drop = |globs: &[&str]| LabelRule::Drop(globs.iter().copied().map(Into::into).collect());
        let rename = |from: &str, to: &str| LabelRule::Rename(from.to_owned(), to.to_owned());
        let cases = [
            (vec![], "a,b,http.c"),
            (vec![keep(&["http.*"])], "-,-,http.c"),
            (vec![drop(&["?"])], "-,-,http.c"),
            (vec![drop(&["a"]), keep(&["a", "b"])], "-,b,-"),
            (vec![rename("a", "b")], "b,-,http.c"),
            (vec![rename("a", "a")], "a,b,http.c"),
            (vec![rename("x", "b")], "a,b,http.c"),
            (vec![rename("a", "b"), drop(&["b"])], "-,-,http.c"),
            (vec![rename("a", "x"), rename("b", "a"), rename("x", "b")], "b,a,http.c"),
            (vec![keep(&[])], "-,-,-"),
        ];
        for (rules, expected) in cases {
            let becomes = becomes(&rules, &["a", "b", "http.c"]);
            let becomes: Vec<_> = becomes.into_iter().map(|key| key.unwrap_or("-".to_owned())).collect();
            assert_eq!(becomes.join(","), expected, "{rules:?}");
        }
        assert_eq!(super::becomes(&[keep(&[])], &[OVERFLOW]), [Some(OVERFLOW.to_owned())]);
    }

    #[test]
    fn two_labels_clash_if_they_get_one_key_at_the_same_time() {
        let rename = |from: &str, to: &str| LabelRule::Rename(from.to_owned(), to.to_owned());
        let drop = |glob: &str| LabelRule::Drop(vec![glob.into()]);
        let clashes = |rules: &[LabelRule]| clash(rules).map(|clash| (clash.first, clash.second, clash.at));
        let clashing = Some(("a".to_owned(), "b".to_owned(), 1));
        assert_eq!(clashes(&[rename("a", "x"), rename("b", "x")]), clashing);
        assert_eq!(clashes(&[rename("a", "x"), rename("b", "y")]), None);
        assert_eq!(clashes(&[rename("a", "x"), rename("x", "y"), rename("b", "x")]), None);
        assert_eq!(clashes(&[rename("a", "x"), drop("x"), rename("b", "x")]), None);
        // They change places.
        assert_eq!(clashes(&[rename("a", "x"), rename("b", "a"), rename("x", "b")]), None);
    }
}
