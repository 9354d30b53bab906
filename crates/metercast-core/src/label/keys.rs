//! The keys of a site's labels, prepared while compiling: their hashes, and their order.

use super::hash::key_hash;

/// The most labels whose keys are prepared; with more, keys are compared as text.
pub(crate) const MOST: usize = 8;

/// Keys in the order in which a site gives its values.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub(crate) names: &'static [&'static str],
    pub(crate) hashes: [u64; MOST],
    /// Which of them comes first, second and so on when they are sorted.
    pub(crate) order: [u8; MOST],
    /// Whether the above can be used: not too many keys, each once, none empty.
    pub(crate) prepared: bool,
}

impl Keys {
    /// No keys.
    pub const NONE: Keys = Keys::of(&[]);

    /// Prepares these keys.
    pub const fn of(names: &'static [&'static str]) -> Keys {
        let mut keys = Keys { names, hashes: [0; MOST], order: [0; MOST], prepared: names.len() <= MOST };
        if !keys.prepared {
            return keys;
        }
        let mut at = 0;
        while at < names.len() {
            keys.hashes[at] = key_hash(names[at]);
            keys.prepared &= !names[at].is_empty();
            // Insertion sort.
            let mut to = at;
            while to > 0 && less(names[at], names[keys.order[to - 1] as usize]) {
                keys.order[to] = keys.order[to - 1];
                to -= 1;
            }
            if to > 0 && !less(names[keys.order[to - 1] as usize], names[at]) {
                keys.prepared = false;
            }
            keys.order[to] = at as u8;
            at += 1;
        }
        keys
    }
}

/// `a < b`, byte by byte, as `str` compares.
const fn less(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn keys_are_put_in_the_order_of_their_names() {
        const KEYS: Keys = Keys::of(&["route", "method", "status", "a", "aa"]);
        let sorted: Vec<&str> = (0..5).map(|at| KEYS.names[KEYS.order[at] as usize]).collect();
        assert_eq!(sorted, ["a", "aa", "method", "route", "status"]);
        const { assert!(KEYS.prepared) };
    }

    #[test]
    fn keys_that_stand_twice_or_are_empty_or_too_many_are_not_prepared() {
        assert!(!Keys::of(&["b", "a", "b"]).prepared);
        assert!(!Keys::of(&["a", "a"]).prepared);
        assert!(!Keys::of(&["a", ""]).prepared);
        assert!(!Keys::of(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]).prepared);
        const { assert!(Keys::NONE.prepared) };
    }
}
