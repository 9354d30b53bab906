//! Names that differ only in case: one instrument by OpenTelemetry's rules, spelled as it was first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::library::Library;

/// By library and name in lower case: the name as it was first spelled.
type Spellings = HashMap<(String, String), Cow<'static, str>>;

static FIRST: Mutex<Option<Spellings>> = Mutex::new(None);

/// More instruments than a program has; bounds the memory when names come from outside.
const MOST: usize = 10_000;

/// The spelling that the instrument of this name had first in its library.
///
/// Metrics SDK, "Name conflict": of names that are equal but for their case the one that was seen first is returned.
pub(crate) fn first(library: &Library, name: Cow<'static, str>) -> Cow<'static, str> {
    let mut guard = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    let spellings = guard.get_or_insert_default();
    let key = (library.identity(), name.to_ascii_lowercase());
    if let Some(first) = spellings.get(&key) {
        return first.clone();
    }
    if spellings.len() < MOST {
        spellings.insert(key, name.clone());
    }
    name
}
