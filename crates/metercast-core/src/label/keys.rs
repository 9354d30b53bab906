//! The keys of a site's labels, and the shapes they make: a metric with keys in an order has one number.

use super::long::MOST_KEYS;
use super::set::LONGEST;
use crate::store::blocks::Blocks;

/// Keys in the order in which a site gives its values.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub(crate) names: &'static [&'static str],
    /// Whether values under these keys can be words: not too many keys, each once, none empty or cut.
    pub(crate) have_shape: bool,
}

impl Keys {
    /// No keys.
    pub const NONE: Keys = Keys::of(&[]);

    /// Looks whether these keys make a shape.
    pub const fn of(names: &'static [&'static str]) -> Keys {
        Keys { names, have_shape: Keys::make_shape(names) }
    }

    /// Whether values under these keys can be words.
    pub(crate) const fn make_shape(names: &[&str]) -> bool {
        let mut make_shape = names.len() <= MOST_KEYS;
        let mut at = 0;
        while at < names.len() {
            make_shape &= !names[at].is_empty() && names[at].len() <= LONGEST;
            let mut before = 0;
            while before < at {
                make_shape &= !same(names[before], names[at]);
                before += 1;
            }
            at += 1;
        }
        make_shape
    }
}

/// `==`, which cannot be used while compiling.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// A metric and keys that one of its sites gives, in that order.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) keys: &'static [&'static str],
}

/// All shapes, of which the program text has so many, and those that come at run time are counted. The number of a shape is its place plus one.
static SHAPES: Blocks<Shape> = Blocks::new();

impl Shape {
    /// The number of this shape, the same for all sites that give these keys in this order. `siblings` are the numbers
    /// of the metric's shapes so far, which it is added to.
    pub(crate) fn number(keys: &'static [&'static str], siblings: &Blocks<u32>) -> u32 {
        if let Some(number) = Shape::known(keys, siblings) {
            return number;
        }
        let number = SHAPES.push(Shape { keys }).map_or(0, |place| place + 1);
        siblings.push(number);
        number
    }

    /// The number of this shape, if it is one of these.
    pub(crate) fn known(keys: &[&str], siblings: &Blocks<u32>) -> Option<u32> {
        let mut all = (0..siblings.len()).filter_map(|at| siblings.get(at).copied());
        all.find(|number| Shape::get(*number).is_some_and(|shape| shape.keys == keys))
    }

    /// The shape of this number.
    #[inline]
    pub(crate) fn get(number: u32) -> Option<&'static Shape> {
        SHAPES.get(number.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_stand_twice_or_are_empty_or_too_many_make_no_shape() {
        const { assert!(Keys::of(&["b", "a"]).have_shape) };
        assert!(!Keys::of(&["b", "a", "b"]).have_shape);
        assert!(!Keys::of(&["a", "a"]).have_shape);
        assert!(!Keys::of(&["a", ""]).have_shape);
        const MANY: [&str; 17] =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
        assert!(Keys::of(MANY.split_at(MOST_KEYS).0).have_shape && !Keys::of(&MANY).have_shape);
        assert!(Keys::of(&["a", "ab", "b"]).have_shape);
        const { assert!(Keys::NONE.have_shape) };
    }

    #[test]
    fn the_same_keys_of_a_metric_are_one_shape() {
        let siblings = Blocks::new();
        let first = Shape::number(&["a", "b"], &siblings);
        assert_eq!(Shape::number(&["a", "b"], &siblings), first);
        assert_ne!(Shape::number(&["b", "a"], &siblings), first);
        assert_eq!(siblings.len(), 2);
        assert_eq!(Shape::get(first).unwrap().keys, ["a", "b"]);
        assert!(Shape::get(0).is_none());
    }
}
