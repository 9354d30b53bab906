//! Which tools have a series of their own: callers choose what they call, and must not choose how much memory that takes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// So many tools of each tenant have a name on the page, the first that were called; the others are [`OTHER`] together. It is
/// counted by tenant, so that nobody takes another's place.
const MOST: usize = 100;

/// No name on the page is longer, in bytes.
const LONGEST: usize = 128;

/// All tools without a name of their own.
pub(crate) const OTHER: &str = "other";

/// The names that stand on the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by_tenant: Arc<Mutex<HashMap<Option<String>, HashSet<String>>>>,
}

impl Names {
    /// What the page calls the tool at this path that a tenant calls.
    pub(crate) fn shown<'p>(&self, path: &'p str, tenant: Option<&str>) -> &'p str {
        if path.len() > LONGEST {
            return OTHER;
        }
        let mut by_tenant = self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        let known = by_tenant.entry(tenant.map(str::to_owned)).or_default();
        if known.contains(path) {
            path
        } else if known.len() < MOST {
            known.insert(path.to_owned());
            path
        } else {
            OTHER
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tools_of_each_tenant_keep_their_names() {
        let names = Names::default();
        let paths: Vec<String> = (0..MOST).map(|n| format!("github.{n}")).collect();
        for tenant in [None, Some("T1"), Some("T2")] {
            for _ in 0..2 {
                assert!(paths.iter().all(|path| names.shown(path, tenant) == path));
                assert_eq!(names.shown("one.more", tenant), OTHER);
            }
        }
        assert_eq!(names.shown(&"x".repeat(LONGEST + 1), Some("T3")), OTHER);
        assert_ne!(names.shown(&"x".repeat(LONGEST), Some("T3")), OTHER);
    }
}
