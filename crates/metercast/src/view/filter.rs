//! Which metrics an exporter takes.

use metercast_core::{Definition, Visibility};

use super::glob::Glob;

/// Which metrics an exporter takes: public ones, unless something else is said.
///
/// A metric is taken if its visibility is one of [`visibility`](Self::visibility), if its name matches one of the patterns
/// to include (or there are none) and none of those to exclude, and its scope likewise. Names and scopes are those that the
/// program declares, before any view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Filter {
    pub(crate) visibility: Visibilities,
    pub(crate) include: Vec<Glob>,
    pub(crate) exclude: Vec<Glob>,
    pub(crate) include_scopes: Vec<Glob>,
    pub(crate) exclude_scopes: Vec<Glob>,
    /// Whether it takes no instruments from a configuration, whatever else is said: that of a vendor.
    pub(crate) refuses_configured: bool,
}

/// Which visibilities an exporter takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Visibilities {
    /// Public metrics.
    #[default]
    Public,
    /// Private metrics.
    Private,
    /// All metrics.
    Both,
}

impl Filter {
    /// All public metrics.
    pub fn new() -> Filter {
        Filter::default()
    }

    /// Takes metrics of this visibility.
    pub fn visibility(mut self, visibility: Visibilities) -> Filter {
        self.visibility = visibility;
        self
    }

    /// Takes metrics whose name matches this pattern, or one of the others to include.
    pub fn include(mut self, name: impl Into<Glob>) -> Filter {
        self.include.push(name.into());
        self
    }

    /// Takes no metrics whose name matches this pattern, whatever is included.
    pub fn exclude(mut self, name: impl Into<Glob>) -> Filter {
        self.exclude.push(name.into());
        self
    }

    /// Takes metrics of instrumentation scopes whose name matches this pattern, or one of the others to include.
    pub fn include_scope(mut self, scope: impl Into<Glob>) -> Filter {
        self.include_scopes.push(scope.into());
        self
    }

    /// Takes no metrics of instrumentation scopes whose name matches this pattern.
    pub fn exclude_scope(mut self, scope: impl Into<Glob>) -> Filter {
        self.exclude_scopes.push(scope.into());
        self
    }

    /// Whether it takes this metric.
    pub fn takes(&self, definition: &Definition) -> bool {
        let is_visible = match self.visibility {
            Visibilities::Public => definition.visibility() == Visibility::Public,
            Visibilities::Private => definition.visibility() == Visibility::Private,
            Visibilities::Both => true,
        };
        is_visible
            && !(self.refuses_configured && definition.is_configured())
            && is_among(&self.include, &self.exclude, definition.name())
            && is_among(&self.include_scopes, &self.exclude_scopes, definition.scope().name)
    }
}

impl Filter {
    /// Whether it takes metrics of this name, if nothing else is against them.
    pub(crate) fn takes_name(&self, name: &str) -> bool {
        is_among(&self.include, &self.exclude, name)
    }
}

fn is_among(include: &[Glob], exclude: &[Glob], name: &str) -> bool {
    let matches = |glob: &Glob| glob.matches(name);
    (include.is_empty() || include.iter().any(matches)) && !exclude.iter().any(matches)
}
