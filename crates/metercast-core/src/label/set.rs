//! A set of labels as the identity of a series: sorted by key, each key once; it knows the order in which it was given.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::given::Pairs;
use super::long::{Long, LongBuffer};
use super::packed::{Packed, PackedValue};
use super::value::{LabelRef, ValueRef};
use super::{KeyValue, Value};

/// The labels of one series, sorted by key, each key once. In which order they were given makes no difference.
#[derive(Clone, Default)]
pub struct LabelSet {
    sorted: Box<[(Box<str>, Value)]>,
    /// Where in the above each label is, in the order in which they were given; empty if that is the order of their keys.
    order: Box<[u32]>,
}

impl LabelSet {
    /// The labels in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.sorted.iter().map(|(key, value)| (&**key, value))
    }

    /// The label that was given at this place.
    pub(crate) fn given_at(&self, at: usize) -> Option<&(Box<str>, Value)> {
        let at = if self.order.is_empty() { at } else { *self.order.get(at)? as usize };
        self.sorted.get(at)
    }

    /// The labels in the order in which they were given.
    fn as_given(&self) -> impl Iterator<Item = &(Box<str>, Value)> {
        (0..self.len()).filter_map(|at| self.given_at(at))
    }

    /// The set of these labels, whose keys are different.
    fn in_order(mut given: Vec<(Box<str>, Value)>) -> LabelSet {
        if given.is_sorted_by(|a, b| a.0 <= b.0) {
            return LabelSet { sorted: given.into(), order: Box::default() };
        }
        let mut places: Vec<u32> = (0..given.len() as u32).collect();
        places.sort_by(|a, b| given[*a as usize].0.cmp(&given[*b as usize].0));
        let mut order = vec![0; given.len()].into_boxed_slice();
        for (at, place) in (0..).zip(places) {
            order[place as usize] = at;
        }
        given.sort_by(|a, b| a.0.cmp(&b.0));
        LabelSet { sorted: given.into(), order }
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.sorted.binary_search_by(|(k, _)| (**k).cmp(key)).ok().map(|at| &self.sorted[at].1)
    }

    /// These labels but for that of `key`.
    pub(crate) fn without(&self, key: &str) -> LabelSet {
        LabelSet::in_order(self.as_given().filter(|(k, _)| **k != *key).cloned().collect())
    }

    /// The set of these labels; of a key that is given twice the last value stays.
    pub(crate) fn of<P: Pairs + ?Sized>(pairs: &P) -> (LabelSet, Faults<'_>) {
        let mut faults = Faults::default();
        let mut labels: Vec<(Box<str>, Value)> = Vec::with_capacity(pairs.count());
        let mut places = Places::of(pairs.count());
        for at in 0..pairs.count() {
            let (key, value) = pairs.pair(at);
            let Some(value) = cut_value(value, &mut faults) else { continue };
            if key.is_empty() {
                faults.empty_key = true;
                continue;
            }
            let key = cut(key, &mut faults);
            match places.find_or_note(key, &labels) {
                Some(there) => {
                    faults.twice = Some(key);
                    labels[there].1 = value;
                }
                None => labels.push((key.into(), value)),
            }
        }
        (LabelSet::in_order(labels), faults)
    }

    /// These labels in the words of a line, under keys that a site gives in this order; `None` if they do not fit.
    pub(crate) fn packed_in(&self, shape: u32, keys: &[&str]) -> Option<Packed> {
        Packed::of(shape, self.values_in(keys)?)
    }

    /// The same in as many words as it takes.
    pub(crate) fn long_in<'b>(&self, buffer: &'b LongBuffer, shape: u32, keys: &[&str]) -> Option<Long<'b>> {
        Long::of(buffer, shape, self.values_in(keys)?)
    }

    /// The value of each of these keys, unless there are others.
    fn values_in<'a>(&'a self, keys: &'a [&str]) -> Option<impl Iterator<Item = ValueRef<'a>>> {
        let present = keys.iter().filter(|key| self.get(key).is_some()).count();
        let value = |key: &&str| self.get(key).map_or(ValueRef::Absent, Value::as_ref);
        (present == self.len()).then(|| keys.iter().map(value))
    }

    /// The set of labels in words, under these keys.
    pub(crate) fn from_packed(packed: &Packed, keys: &[&str]) -> LabelSet {
        let value = |value| match value {
            PackedValue::Text(text) => Some(text.with(|text| Value::from(text.to_owned()))),
            PackedValue::I64(value) => Some(Value::I64(value)),
            PackedValue::U64(value) => Some(Value::U64(value)),
            PackedValue::F64(value) => Some(Value::F64(value)),
            PackedValue::Bool(value) => Some(Value::Bool(value)),
            PackedValue::Absent => None,
        };
        let labels = keys.iter().zip(packed.values(keys.len()));
        LabelSet::in_order(labels.filter_map(|(key, at)| Some(((*key).into(), value(at)?))).collect())
    }

    /// Whether all texts can stand between quotation marks as they are.
    pub(crate) fn is_plain(&self) -> bool {
        let is_plain = |value: &Value| match value {
            Value::String(text) => !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | b'\n')),
            _ => true,
        };
        self.sorted.iter().all(|(_, value)| is_plain(value))
    }

    /// Whether these labels, in any order, are this set. False also if a key is given twice.
    pub(crate) fn is<P: Pairs + ?Sized>(&self, pairs: &P) -> bool {
        let count = pairs.count();
        if count > MANY {
            let (set, faults) = LabelSet::of(pairs);
            return faults.twice.is_none() && !faults.empty_key && set == *self;
        }
        let mut present = 0;
        for at in 0..count {
            let (key, value) = pairs.pair(at);
            if value.is_absent() {
                continue;
            }
            present += 1;
            // Sets are small: a walk over a handful of keys beats a binary search.
            if !self.sorted.iter().any(|(k, v)| **k == *key && v.as_ref() == value) {
                return false;
            }
        }
        // As many different keys as the set has: then none is missing.
        present == self.len()
            && (1..count).all(|at| {
                let (key, value) = pairs.pair(at);
                value.is_absent() || (0..at).all(|before| pairs.pair(before).0 != key)
            })
    }
}

impl PartialEq for LabelSet {
    fn eq(&self, other: &LabelSet) -> bool {
        self.sorted == other.sorted
    }
}

impl Eq for LabelSet {}

impl Hash for LabelSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sorted.hash(state);
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &LabelSet) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LabelSet {
    fn cmp(&self, other: &LabelSet) -> Ordering {
        self.sorted.cmp(&other.sorted)
    }
}

impl FromIterator<KeyValue> for LabelSet {
    /// The set of these labels; of a key that is given twice the last value stays, and labels without a key are left
    /// out.
    fn from_iter<I: IntoIterator<Item = KeyValue>>(labels: I) -> LabelSet {
        let labels: Vec<KeyValue> = labels.into_iter().collect();
        LabelSet::of(&labels[..]).0
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl fmt::Display for LabelSet {
    /// For people: `{kind="query",cached=true}`; nothing at all for no labels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        for (at, (key, value)) in self.iter().enumerate() {
            f.write_str(if at == 0 { "{" } else { "," })?;
            match value {
                Value::String(text) => write!(f, "{key}={text:?}")?,
                other => write!(f, "{key}={other}")?,
            }
        }
        f.write_str("}")
    }
}

/// What had to be mended to make a set of the labels that were given.
#[derive(Default)]
pub(crate) struct Faults<'a> {
    /// A key that was given twice.
    pub(crate) twice: Option<&'a str>,
    /// Whether a key was empty, and its label left out.
    pub(crate) empty_key: bool,
    /// Whether a key or a value was too long, and cut.
    pub(crate) cut: bool,
}

impl Faults<'_> {
    pub(crate) fn any(&self) -> bool {
        self.twice.is_some() || self.empty_key || self.cut
    }
}

/// The longest text that a label keeps, in bytes.
pub(super) const LONGEST: usize = 1024;

fn cut_value(value: ValueRef<'_>, faults: &mut Faults<'_>) -> Option<Value> {
    match value {
        ValueRef::String(text) => ValueRef::String(cut(text, faults)).to_value(),
        value => value.to_value(),
    }
}

fn cut<'t>(text: &'t str, faults: &mut Faults<'_>) -> &'t str {
    if text.len() <= LONGEST {
        return text;
    }
    faults.cut = true;
    &text[..text.floor_char_boundary_at(LONGEST)]
}

/// Of more labels than this each key is not compared with each.
const MANY: usize = 64;

/// Where the label with a key is in a list that is being made.
struct Places<'a>(Option<HashMap<&'a str, usize>>);

impl<'a> Places<'a> {
    fn of(count: usize) -> Places<'a> {
        Places((count > MANY).then(|| HashMap::with_capacity(count)))
    }

    /// The place of the label with this key; if there is none, it is about to be put behind the others.
    fn find_or_note(&mut self, key: &'a str, labels: &[(Box<str>, Value)]) -> Option<usize> {
        let Some(places) = &mut self.0 else {
            return labels.iter().position(|(there, _)| **there == *key);
        };
        match places.entry(key) {
            Entry::Occupied(there) => Some(*there.get()),
            Entry::Vacant(free) => {
                free.insert(labels.len());
                None
            }
        }
    }
}

trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, at: usize) -> usize;
}

impl FloorCharBoundary for str {
    /// `str::floor_char_boundary` is younger than our oldest compiler.
    fn floor_char_boundary_at(&self, at: usize) -> usize {
        (0..=at).rev().find(|&at| self.is_char_boundary(at)).unwrap_or(0)
    }
}
impl Pairs for LabelSet {
    fn count(&self) -> usize {
        self.len()
    }
    fn pair(&self, at: usize) -> LabelRef<'_> {
        self.given_at(at).map_or(("", ValueRef::Absent), |(key, value)| (key, value.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[LabelRef<'_>]) -> LabelSet {
        LabelSet::of(pairs).0
    }

    #[test]
    fn the_order_of_labels_does_not_matter() {
        let forth = [("a", ValueRef::from("1")), ("b", ValueRef::Bool(true)), ("c", ValueRef::I64(3))];
        let back = [forth[2], forth[1], forth[0]];
        assert_eq!(set(&forth), set(&back));
        assert!(set(&forth).is(&back[..]));
    }

    #[test]
    fn a_set_knows_the_order_in_which_it_was_given() {
        let given = [
            ("c", ValueRef::I64(3)),
            ("a", ValueRef::I64(1)),
            ("d", ValueRef::I64(4)),
            ("b", ValueRef::I64(2)),
        ];
        let keys = |set: &LabelSet| set.as_given().map(|(key, _)| key.to_string()).collect::<String>();
        let all = set(&given);
        assert_eq!((keys(&all), all.to_string()), ("cadb".to_owned(), "{a=1,b=2,c=3,d=4}".to_owned()));
        assert_eq!(keys(&all.without("a")), "cdb");
        assert_eq!(keys(&LabelSet::of(&all).0), "cadb", "labels that wait are still in order");
        let twice = [given[0], given[1], ("c", ValueRef::Absent), ("c", ValueRef::I64(5))];
        assert_eq!((keys(&set(&twice)), set(&twice).get("c")), ("ca".to_owned(), Some(&Value::I64(5))));
    }

    #[test]
    fn values_are_never_run_together() {
        let sets = [
            [("a", ValueRef::from("ab")), ("b", ValueRef::from("c"))],
            [("a", ValueRef::from("a")), ("b", ValueRef::from("bc"))],
            [("a", ValueRef::from("")), ("b", ValueRef::from("abc"))],
            [("a", ValueRef::from("c")), ("b", ValueRef::from("ab"))],
        ];
        for (i, a) in sets.iter().enumerate() {
            for (j, b) in sets.iter().enumerate() {
                assert_eq!(set(a) == set(b), i == j);
                assert_eq!(set(a).is(&b[..]), i == j);
            }
        }
    }

    #[test]
    fn a_number_and_its_text_are_different_values() {
        assert_ne!(set(&[("a", ValueRef::I64(1))]), set(&[("a", ValueRef::from("1"))]));
        assert_ne!(set(&[("a", ValueRef::I64(1))]), set(&[("a", ValueRef::F64(1.0))]));
        assert_ne!(set(&[("a", ValueRef::F64(0.0))]), set(&[("a", ValueRef::F64(-0.0))]));
        assert_eq!(set(&[("a", ValueRef::F64(f64::NAN))]), set(&[("a", ValueRef::F64(f64::NAN))]));
    }

    #[test]
    fn of_a_key_given_twice_the_last_value_stays() {
        let twice = [("a", ValueRef::I64(1)), ("b", ValueRef::I64(2)), ("a", ValueRef::I64(3))];
        let (set, faults) = LabelSet::of(&twice[..]);
        assert_eq!(set.to_string(), "{a=3,b=2}");
        assert_eq!(faults.twice, Some("a"));
        assert!(!set.is(&twice[..]));
        // Two keys against two keys, one of them twice, is not the set either.
        assert!(
            !LabelSet::of(&[("a", ValueRef::I64(1)), ("b", ValueRef::I64(1))][..])
                .0
                .is(&[("a", ValueRef::I64(1)); 2][..])
        );
    }

    #[test]
    fn a_label_without_a_value_is_as_good_as_not_given() {
        let with = [("a", ValueRef::I64(1)), ("b", ValueRef::Absent), ("", ValueRef::Absent)];
        let without = [("a", ValueRef::I64(1))];
        assert_eq!(set(&with), set(&without));
        assert!(
            set(&without).is(&with[..])
                && !set(&without).is(&[("b", ValueRef::I64(1)), ("a", ValueRef::Absent)][..])
        );
    }

    #[test]
    fn a_long_value_is_cut_at_a_character_boundary() {
        let long = "é".repeat(513);
        let labels = [("a", ValueRef::from(&*long)), ("", ValueRef::I64(1))];
        let (set, faults) = LabelSet::of(&labels[..]);
        assert_eq!(set.get("a"), Some(&Value::from("é".repeat(512))));
        assert!(faults.cut && faults.empty_key);
        let odd = format!("x{}", "é".repeat(512));
        let (set, _) = LabelSet::of(&[("a", ValueRef::from(&*odd))][..]);
        assert_eq!(set.get("a"), Some(&Value::from(format!("x{}", "é".repeat(511)))));
    }

    #[test]
    fn a_long_key_is_cut_too() {
        let (one, other) = ("k".repeat(2000) + "1", "k".repeat(2000) + "2");
        let labels = [(&*one, ValueRef::I64(1)), (&*other, ValueRef::I64(2))];
        let (set, faults) = LabelSet::of(&labels[..]);
        assert_eq!((set.len(), set.get(&one[..1024])), (1, Some(&Value::I64(2))));
        assert!(faults.cut && faults.twice.is_some());
    }

    #[test]
    fn thousands_of_labels_are_one_set_in_any_order_without_a_comparison_of_each_with_each() {
        let keys: Vec<String> = (0..20_000).map(|n| format!("k{n}")).collect();
        let mut labels: Vec<LabelRef<'_>> = keys.iter().map(|key| (&**key, ValueRef::I64(1))).collect();
        let (forth, faults) = LabelSet::of(&labels[..]);
        assert!(forth.len() == 20_000 && !faults.any());
        labels.reverse();
        assert!(forth.is(&labels[..]));
        labels.push(("k7", ValueRef::I64(2)));
        let (twice, faults) = LabelSet::of(&labels[..]);
        assert_eq!((twice.len(), twice.get("k7"), faults.twice), (20_000, Some(&Value::I64(2)), Some("k7")));
        assert!(!forth.is(&labels[..]) && !twice.is(&labels[..]));
    }
}
