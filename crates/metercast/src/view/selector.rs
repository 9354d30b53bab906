//! Which metrics a view is about.

use std::fmt;

use metercast_core::{Definition, Kind, Visibility};

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

impl Selector {
    /// Whether it selects this metric.
    pub fn selects(&self, definition: &Definition) -> bool {
        let Selector { name, kind, observable, unit, scope, scope_version, visibility } = self;
        name.as_ref().is_none_or(|glob| glob.matches(definition.name()))
            && kind.is_none_or(|kind| kind == definition.kind())
            && observable.is_none_or(|observable| observable == definition.is_observable())
            && unit.as_ref().is_none_or(|unit| unit == definition.unit())
            && scope.as_ref().is_none_or(|glob| glob.matches(definition.scope().name))
            && scope_version.as_ref().is_none_or(|version| version == definition.scope().version)
            && visibility.is_none_or(|visibility| visibility == definition.visibility())
    }
}

impl fmt::Display for Selector {
    /// For a sentence: `"http.*"`, or `histograms in unit "s"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Selector { name, kind, observable, unit, scope, scope_version, visibility } = self;
        let text =
            |what: &str, value: &Option<String>| value.as_ref().map(|value| format!("{what} {value:?}"));
        let glob = |what: &str, value: &Option<Glob>| {
            value.as_ref().map(|glob| format!("{what}{:?}", glob.as_str()))
        };
        let said = [
            glob("", name),
            kind.map(|kind| format!("kind {kind}")),
            observable.map(|observable| if observable { "observable" } else { "not observable" }.to_owned()),
            text("unit", unit),
            glob("scope ", scope),
            text("scope version", scope_version),
            visibility.map(|visibility| {
                if visibility == Visibility::Private { "private" } else { "public" }.to_owned()
            }),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        f.write_str(if said.is_empty() { "all metrics".to_owned() } else { said.join(", ") }.as_str())
    }
}
