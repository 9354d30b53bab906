//! Things by hash, found without a lock: a tree that only grows.

use std::sync::OnceLock;

/// Things that are found by a hash and compared in full. It never gives anything up before it is dropped, so what is in it is
/// bounded by whoever puts it there.
pub(crate) struct Trie<T> {
    roots: Box<[Link<T>]>,
}

type Link<T> = OnceLock<Box<Node<T>>>;

struct Node<T> {
    hash: u64,
    item: T,
    next: [Link<T>; WAYS],
}

const ROOT_BITS: u32 = 9;
const WAYS: usize = 4;

/// A hundred thousand things whose hashes are good are nowhere deeper than half of this. Labels that somebody chose so that their
/// hashes collide are not kept any deeper, so that looking costs no more than this.
const DEEPEST: u32 = 40;

impl<T> Trie<T> {
    pub(crate) fn new() -> Trie<T> {
        Trie { roots: (0..1 << ROOT_BITS).map(|_| OnceLock::new()).collect() }
    }

    /// The thing of this hash that is the one.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        let mut path = Path::of(hash);
        let mut link = &self.roots[path.root()];
        while let Some(node) = link.get() {
            if node.hash == hash && is_it(&node.item) {
                return Some(&node.item);
            }
            link = &node.next[path.way()];
        }
        None
    }

    /// Puts a thing in, or gives it back if too much lies on the way of its hash. Whoever looks for it finds it from now on.
    pub(crate) fn insert(&self, hash: u64, item: T) -> Result<&T, T> {
        let mut path = Path::of(hash);
        let mut link = &self.roots[path.root()];
        let mut node = Box::new(Node { hash, item, next: [const { OnceLock::new() }; WAYS] });
        for _ in 0..DEEPEST {
            match link.set(node) {
                Ok(()) => return Ok(&link.get().expect("it was set just now").item),
                Err(back) => node = back,
            }
            link = &link.get().expect("somebody else set it").next[path.way()];
        }
        Err(node.item)
    }
}

/// Where a hash leads: high bits of a product to the root, and on from there by the rest.
struct Path(u64);

impl Path {
    /// The hashes of keys are sums of hashes that were not mixed to the end.
    fn of(hash: u64) -> Path {
        Path(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn root(&mut self) -> usize {
        self.take(ROOT_BITS)
    }

    fn way(&mut self) -> usize {
        self.take(WAYS.ilog2())
    }

    fn take(&mut self, bits: u32) -> usize {
        self.0 = self.0.rotate_left(bits);
        (self.0 & ((1 << bits) - 1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_put_in_is_found_and_nothing_else() {
        let trie = Trie::new();
        for hash in 0..20_000u64 {
            assert_eq!(trie.insert(hash, hash), Ok(&hash));
        }
        for hash in 0..20_000u64 {
            assert_eq!(trie.find(hash, |item| *item == hash), Some(&hash));
            assert_eq!(trie.find(hash, |item| *item != hash), None);
        }
        assert_eq!(trie.find(20_000, |_| true), None);
    }

    #[test]
    fn equal_hashes_are_told_apart_and_too_many_are_given_back() {
        let trie = Trie::new();
        for item in 0..DEEPEST {
            assert_eq!(trie.insert(7, item), Ok(&item));
        }
        assert_eq!(trie.insert(7, DEEPEST), Err(DEEPEST));
        assert!((0..DEEPEST).all(|item| trie.find(7, |there| *there == item).is_some()));
    }

    #[test]
    fn threads_that_put_in_at_once_all_find_what_they_put() {
        let trie = Trie::new();
        std::thread::scope(|threads| {
            for thread in 0..4u64 {
                let trie = &trie;
                threads.spawn(move || {
                    for at in 0..2_000 {
                        let item = at * 4 + thread;
                        trie.insert(item / 8, item).unwrap();
                        assert_eq!(trie.find(item / 8, |there| *there == item), Some(&item));
                    }
                });
            }
        });
    }
}
