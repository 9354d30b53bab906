//! Which metrics a view is about.

use metercast_core::{Kind, Visibility};

use super::glob::Glob;

/// Which metrics a view is about: those that have everything that is said here. Unless something is said, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Pattern of the name as the program declares it, such as `http.*`.
    pub name: Option<Glob>,
    /// What the values mean.
    pub kind: Option<Kind>,
    /// Whether callbacks say its values.
    pub observable: Option<bool>,
    /// The unit as the program declares it; empty for metrics without.
    pub unit: Option<String>,
    /// Pattern of the name of the instrumentation scope: for our macros the crate.
    pub scope: Option<Glob>,
    /// The version of the instrumentation scope.
    pub scope_version: Option<String>,
    /// Whether the metric is public or private.
    pub visibility: Option<Visibility>,
}
