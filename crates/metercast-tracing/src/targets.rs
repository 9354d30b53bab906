//! Under which name the target of an event is counted: there is a bound to how many names there are.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// What stands for all targets that have no name of their own.
pub(crate) const OTHER: &str = "other";

/// The longest name, in bytes: records of the `log` crate may have any target.
const LONGEST: usize = 1_024;

/// The names.
#[derive(Debug)]
pub(crate) enum Targets {
    /// These, each with what is below it; the longest first.
    Listed(Vec<String>),
    /// The first that come, up to so many.
    First { most: usize, known: RwLock<HashSet<String>> },
}

impl Targets {
    pub(crate) fn listed(mut targets: Vec<String>) -> Targets {
        targets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        targets.dedup();
        Targets::Listed(targets)
    }

    pub(crate) fn first(most: usize) -> Targets {
        Targets::First { most, known: RwLock::default() }
    }

    /// Gives `f` the name under which this target is counted.
    pub(crate) fn with_name(&self, target: &str, f: impl FnOnce(&str)) {
        match self {
            Targets::Listed(names) => {
                f(names.iter().find(|name| is_within(target, name)).map_or(OTHER, |name| name));
            }
            Targets::First { most, known } => {
                let (is_known, is_full) = {
                    let known = known.read().unwrap_or_else(PoisonError::into_inner);
                    (known.contains(target), known.len() >= *most)
                };
                // Once there are as many as there may be, nobody waits for anybody.
                let has_name = is_known
                    || !is_full && target.len() <= LONGEST && {
                        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                        known.contains(target) || (known.len() < *most && known.insert(target.to_owned()))
                    };
                f(if has_name { target } else { OTHER });
            }
        }
    }
}

/// Whether a target is this one or a module in it.
fn is_within(target: &str, name: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(targets: &Targets, target: &str) -> String {
        let mut found = String::new();
        targets.with_name(target, |name| found = name.to_owned());
        found
    }

    #[test]
    fn a_target_is_counted_under_the_nearest_name_above_it() {
        let targets = Targets::listed(vec!["app".into(), "app::db".into(), "sqlx".into()]);
        let names = ["app", "app::db::pool", "app::http", "application", "sqlx::query", ""];
        let names = names.map(|target| name(&targets, target));
        assert_eq!(names, ["app", "app::db", "app", OTHER, "sqlx", OTHER]);
    }

    #[test]
    fn the_first_targets_keep_their_names() {
        let targets = Targets::first(2);
        let names = ["a", "b", "c", "a", "d", "b"].map(|target| name(&targets, target));
        assert_eq!(names, ["a", "b", OTHER, "a", OTHER, "b"]);
        let (targets, long) = (Targets::first(2), "a".repeat(LONGEST + 1));
        assert_eq!([name(&targets, &long), name(&targets, &long[1..])], [OTHER, &long[1..]]);
    }
}
