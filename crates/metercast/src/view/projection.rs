//! Everything that decides what an exporter makes of a store.

use metercast_core::Definition;

use super::change::View;
use super::filter::Filter;
use super::selector::Selector;

/// What an exporter makes of a store: which metrics it takes, and how they look. Unless something is said, all public metrics
/// as they are.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Projection {
    pub(crate) filter: Filter,
    pub(crate) views: Vec<View>,
    pub(crate) rule: Rule,
    pub(crate) limit: Option<usize>,
    /// Limits in its place, each for what is selected.
    pub(crate) limits: Vec<(Selector, usize)>,
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

    /// The most series of each metric that this selects, at least 1, in place of [`limit`](Self::limit); of several for one
    /// metric the first holds. A view's own limit wins over both.
    ///
    /// ```
    /// use metercast::view::{Projection, Selector, View};
    /// use metercast::{Kind, Log, PrometheusPage, Store, u64_counter, u64_gauge};
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     for disk in ["a", "b", "c"] {
    ///         u64_counter!("disk.reads", "", 1, "disk" => disk.to_owned());
    ///         u64_counter!("disk.writes", "", 1, "disk" => disk.to_owned());
    ///         u64_gauge!("disk.free", "", 1, "disk" => disk.to_owned());
    ///     }
    /// });
    /// let counters = Selector { kind: Some(Kind::Counter), ..Selector::default() };
    /// let projection = Projection::new().limit_of(counters, 1).view(View::of("disk.reads").limit(2));
    /// let page = PrometheusPage::new("own", Log::default()).projection(projection).render(&store);
    /// let series = |name: &str| page.lines().filter(|line| line.starts_with(name)).count();
    /// // What is beyond a limit is one series more.
    /// assert_eq!([series("disk_reads_total"), series("disk_writes_total"), series("disk_free")], [3, 2, 3]);
    /// ```
    pub fn limit_of(mut self, selector: Selector, series: usize) -> Projection {
        self.limits.push((selector, series));
        self
    }

    /// The most series of a metric of which no view says another limit.
    pub(super) fn limit_for(&self, definition: &Definition) -> Option<usize> {
        let own = self.limits.iter().find(|(selector, _)| selector.selects(definition));
        own.map(|(_, series)| *series).or(self.limit)
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
