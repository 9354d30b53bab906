//! The keys of a site's labels, prepared while compiling.

use super::hash::key_hash;

/// The most labels whose keys are prepared; with more, keys are compared as text.
const MOST: usize = 8;

/// Keys in the order in which a site gives its values.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub(crate) names: &'static [&'static str],
    pub(crate) hashes: [u64; MOST],
    /// Whether the hashes can be used: not too many keys, each once, none empty.
    pub(crate) prepared: bool,
}

impl Keys {
    /// No keys.
    pub const NONE: Keys = Keys::of(&[]);

    /// Prepares these keys.
    pub const fn of(names: &'static [&'static str]) -> Keys {
        let mut keys = Keys { names, hashes: [0; MOST], prepared: names.len() <= MOST };
        let mut at = 0;
        while keys.prepared && at < names.len() {
            keys.hashes[at] = key_hash(names[at]);
            keys.prepared = !names[at].is_empty();
            let mut before = 0;
            while before < at {
                // Equal hashes of different keys would only cost the preparation.
                keys.prepared &= keys.hashes[before] != keys.hashes[at];
                before += 1;
            }
            at += 1;
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn keys_that_stand_twice_or_are_empty_or_too_many_are_not_prepared() {
        const { assert!(Keys::of(&["b", "a"]).prepared) };
        assert!(!Keys::of(&["b", "a", "b"]).prepared);
        assert!(!Keys::of(&["a", "a"]).prepared);
        assert!(!Keys::of(&["a", ""]).prepared);
        assert!(!Keys::of(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]).prepared);
        const { assert!(Keys::NONE.prepared) };
    }
}
