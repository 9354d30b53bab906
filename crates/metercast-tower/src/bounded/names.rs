//! Names that are told apart, up to a number of them: listed from the start, or the first that come.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Longer names are not told apart: the longest that DNS has.
const LONGEST: usize = 255;

/// A set of names, with a port where they are hosts, that only grows, up to its limit; looked up without a lock and without an
/// allocation. Letters are equal in either case if it [says so](Self::ignoring_case).
pub(crate) struct Names {
    /// At least twice as many as names, so that a search ends soon.
    slots: Box<[OnceLock<Name>]>,
    limit: usize,
    taken: AtomicUsize,
    adding: Mutex<()>,
    ignores_case: bool,
    // Of its own, so that nobody can choose names that all want one place.
    hashes: RandomState,
}

struct Name {
    text: Box<str>,
    port: Option<u16>,
}

/// Where a name stands in its [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Index(u32);

impl Names {
    /// Up to so many.
    pub(crate) fn up_to(limit: usize) -> Names {
        let slots = (limit * 2).next_power_of_two().max(2);
        Names {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            limit,
            taken: AtomicUsize::new(0),
            adding: Mutex::new(()),
            ignores_case: false,
            hashes: RandomState::new(),
        }
    }

    pub(crate) fn ignoring_case(mut self) -> Names {
        self.ignores_case = true;
        self
    }

    /// The name in the set, if it is there.
    pub(crate) fn find(&self, text: &str, port: Option<u16>) -> Option<Index> {
        self.search(text, port).ok()
    }

    /// The name in the set; it is put there if there is room.
    pub(crate) fn find_or_add(&self, text: &str, port: Option<u16>) -> Option<Index> {
        if text.len() > LONGEST {
            return None;
        }
        if let Ok(index) = self.search(text, port) {
            return Some(index);
        }
        if self.taken.load(Relaxed) >= self.limit {
            return None;
        }
        // Taken only until there is no more room.
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let free = match self.search(text, port) {
            Ok(index) => return Some(index),
            Err(free) => free.filter(|_| self.taken.load(Relaxed) < self.limit)?,
        };
        let text = if self.ignores_case { text.to_ascii_lowercase() } else { text.to_owned() };
        self.slots[free].set(Name { text: text.into(), port }).ok()?;
        self.taken.fetch_add(1, Relaxed);
        Some(Index(free as u32))
    }

    /// Where the name is, or else where it may be put.
    fn search(&self, text: &str, port: Option<u16>) -> Result<Index, Option<usize>> {
        if text.len() > LONGEST {
            return Err(None);
        }
        let mask = self.slots.len() - 1;
        let start = self.hash(text, port) as usize;
        for step in 0..self.slots.len() {
            let at = (start + step) & mask;
            match self.slots[at].get() {
                None => return Err(Some(at)),
                Some(name) if name.port == port && self.is(&name.text, text) => return Ok(Index(at as u32)),
                Some(_) => {}
            }
        }
        Err(None)
    }

    fn is(&self, known: &str, text: &str) -> bool {
        if self.ignores_case { known.eq_ignore_ascii_case(text) } else { known == text }
    }

    fn hash(&self, text: &str, port: Option<u16>) -> u64 {
        let mut hasher = self.hashes.build_hasher();
        if self.ignores_case {
            let mut lower = [0; LONGEST];
            let lower = &mut lower[..text.len()];
            lower.copy_from_slice(text.as_bytes());
            lower.make_ascii_lowercase();
            hasher.write(lower);
        } else {
            hasher.write(text.as_bytes());
        }
        hasher.write_u32(port.map_or(u32::MAX, u32::from));
        hasher.finish()
    }

    pub(crate) fn text(&self, index: Index) -> &str {
        self.slots[index.0 as usize].get().map_or(super::OTHER, |name| &name.text)
    }

    pub(crate) fn port(&self, index: Index) -> Option<u16> {
        self.slots[index.0 as usize].get().and_then(|name| name.port)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("taken", &self.taken)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_are_not_told_apart() {
        let names = Names::up_to(3);
        for name in ["a", "b", "a", "c"] {
            assert_eq!(
                names.find_or_add(name, None).map(|index| names.text(index).to_owned()).as_deref(),
                Some(name)
            );
        }
        assert_eq!(names.find_or_add("d", None), None);
        assert_eq!(names.find("d", None), None);
        assert!(names.find("b", None).is_some());
        assert_eq!(names.find_or_add("b", Some(80)), None, "another port is another name");
    }

    #[test]
    fn case_counts_only_where_it_is_said() {
        let hosts = Names::up_to(2).ignoring_case();
        let first = hosts.find_or_add("API.example.com", None);
        assert_eq!(hosts.find("api.EXAMPLE.com", None), first);
        assert_eq!(hosts.text(first.unwrap()), "api.example.com");
        let methods = Names::up_to(2);
        assert_ne!(methods.find_or_add("a/B", None), methods.find_or_add("a/b", None));
    }

    #[test]
    fn a_name_that_is_too_long_for_dns_is_not_told_apart() {
        let names = Names::up_to(2).ignoring_case();
        assert_eq!(names.find_or_add(&"x".repeat(256), None), None);
        assert!(names.find_or_add(&"x".repeat(255), None).is_some());
    }

    #[test]
    fn threads_that_bring_the_same_names_share_their_places() {
        let names = Names::up_to(64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..64 {
                        assert!(names.find_or_add(&format!("host-{n}"), Some(n)).is_some());
                    }
                });
            }
        });
        assert_eq!(names.find_or_add("another", None), None);
        let is_there = |n: u16| names.find(&format!("host-{n}"), Some(n)).is_some();
        assert!((0..64).all(is_there));
    }
}
