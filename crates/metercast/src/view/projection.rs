//! Everything that decides what an exporter makes of a store.

use super::change::View;
use super::filter::Filter;

/// What an exporter makes of a store: which metrics it takes, and how they look. Unless something is said, all public metrics
/// as they are.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Projection {
    pub(crate) filter: Filter,
    pub(crate) views: Vec<View>,
    pub(crate) rule: Rule,
    pub(crate) limit: Option<usize>,
    pub(crate) buckets: Option<Vec<f64>>,
}

/// What several views of one metric come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// One stream: each view changes what those before it made, field by field. An alias is a stream of its own, which later
    /// views change as well, but for its name.
    #[default]
    Layered,
    /// A stream for each view, independent of the others, as the specification of OpenTelemetry has it; one without any view
    /// if there is none. Of two of one metric that have the same name the second is left out, and said if it differs: they would
    /// count twice what was recorded once.
    Each,
}

impl Projection {
    /// All public metrics as they are.
    pub fn new() -> Projection {
        Projection::default()
    }

    /// Takes these metrics only.
    pub fn filter(mut self, filter: Filter) -> Projection {
        self.filter = filter;
        self
    }

    /// Adds a view behind those that are there.
    pub fn view(mut self, view: View) -> Projection {
        self.views.push(view);
        self
    }

    /// What several views of one metric come to.
    pub fn rule(mut self, rule: Rule) -> Projection {
        self.rule = rule;
        self
    }

    /// The most series of each metric of which no view says another limit, at least 1.
    pub fn limit(mut self, series: usize) -> Projection {
        self.limit = Some(series);
        self
    }

    /// The bounds of histograms of which neither a view nor the program says any.
    pub fn default_buckets(mut self, bounds: impl Into<Vec<f64>>) -> Projection {
        self.buckets = Some(bounds.into());
        self
    }

    /// Whether it changes nothing: all public metrics as they are.
    pub fn is_plain(&self) -> bool {
        *self == Projection::default()
    }
}
