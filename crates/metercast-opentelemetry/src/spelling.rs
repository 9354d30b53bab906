//! Names that differ only in case: one instrument by OpenTelemetry's rules, spelled as it was first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::library::Library;

#[derive(Default)]
struct Spellings {
    /// By library and name in lower case: the name as it was first spelled.
    first: HashMap<(String, String), Cow<'static, str>>,
    /// How long all these texts are.
    bytes: usize,
}

static SPELLINGS: Mutex<Option<Spellings>> = Mutex::new(None);

/// More text than the instruments of a program have; bounds the memory when names come from outside. Of what comes beyond, names
/// that differ in case are two.
const MOST_BYTES: usize = 4 << 20;

/// The spelling that the instrument of this name had first in its library.
///
/// Metrics SDK, "Name conflict": of names that are equal but for their case the one that was seen first is returned.
pub(crate) fn first(library: &Library, name: Cow<'static, str>) -> Cow<'static, str> {
    let mut guard = SPELLINGS.lock().unwrap_or_else(PoisonError::into_inner);
    guard.get_or_insert_default().first(library.identity(), name)
}

impl Spellings {
    fn first(&mut self, library: String, name: Cow<'static, str>) -> Cow<'static, str> {
        let key = (library, name.to_ascii_lowercase());
        if let Some(first) = self.first.get(&key) {
            return first.clone();
        }
        let bytes = self.bytes + key.0.len() + 2 * name.len();
        if bytes <= MOST_BYTES {
            self.bytes = bytes;
            self.first.insert(key, name.clone());
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_libraries_of_any_length_take_no_more_memory_than_there_is_for_them() {
        let mut spellings = Spellings::default();
        let mut first = |library: &str, name: String| spellings.first(library.to_owned(), name.into());
        assert_eq!(first("lib", "Early".to_owned()), "Early");
        let long = "X".repeat(1 << 20);
        for n in 0..100 {
            assert_eq!(first("lib", format!("{n}{long}")), format!("{n}{long}"));
            assert_eq!(first(&format!("{n}{long}"), "Name".to_owned()), "Name");
        }
        assert_eq!(first("lib", "eARLY".to_owned()), "Early");
        assert_eq!(first("lib", "Late".to_owned()), "Late");
        assert_eq!(first("lib", "late".to_owned()), "Late", "there is room for names of a usual length");
        assert!(spellings.bytes <= MOST_BYTES && spellings.first.len() < 10, "{}", spellings.first.len());
    }
}
