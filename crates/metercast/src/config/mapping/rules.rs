//! What a mapping knows: rules, and the tree of the keys that they are about.

use std::collections::BTreeMap;

use super::{Conversion, Mapping};
use metercast_core::Value;

/// One thing that a mapping says. Keys are in their parts.
#[derive(Debug, Clone)]
pub(in crate::config) enum Rule {
    Key { theirs: Vec<String>, ours: Vec<String>, conversion: Conversion },
    List { theirs: Vec<String>, ours: Vec<String>, each: Mapping },
    Default { table: Vec<String>, ours: Vec<String>, value: Value },
    Required { theirs: Vec<String> },
    WithoutEffect { theirs: Vec<String>, why: String },
    PassedOver { theirs: Vec<String> },
    Shared { theirs: Vec<String> },
}

/// A key of theirs, and those in it.
#[derive(Default)]
pub(super) struct Known<'m> {
    pub(super) inner: BTreeMap<&'m str, Known<'m>>,
    /// The number of the rule that says what becomes of the value.
    pub(super) rule: Option<usize>,
    /// Whether keys that are not known are passed over.
    pub(super) is_shared: bool,
    pub(super) is_passed_over: bool,
}

impl<'m> Known<'m> {
    /// The keys that these rules are about.
    pub(super) fn of(rules: &'m [Rule]) -> Known<'m> {
        let mut root = Known::default();
        for (number, rule) in rules.iter().enumerate() {
            match rule {
                Rule::Key { theirs, .. } | Rule::List { theirs, .. } | Rule::WithoutEffect { theirs, .. } => {
                    // The last one counts, so that a mapping that is there can be changed.
                    root.at(theirs).rule = Some(number);
                }
                Rule::PassedOver { theirs } => root.at(theirs).is_passed_over = true,
                Rule::Shared { theirs } => root.at(theirs).is_shared = true,
                Rule::Required { .. } | Rule::Default { .. } => {}
            }
        }
        root
    }

    fn at(&mut self, path: &'m [String]) -> &mut Known<'m> {
        path.iter().fold(self, |known, key| known.inner.entry(key).or_default())
    }
}
