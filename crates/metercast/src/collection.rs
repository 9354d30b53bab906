//! What an exporter lets out at one moment, as values: metrics as its views have them, with their series.

use std::sync::Arc;
use std::time::SystemTime;

use metercast_core::reading::Series;
use metercast_core::{Definition, Kind, Store};

use crate::view::{Plan, StreamView};

/// Whether a value is of all that came since the start, or since the collection before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Temporality {
    /// Since the start of the series.
    #[default]
    Cumulative,
    /// Since the collection before.
    Delta,
}

/// What an exporter collected at one moment: an [`InMemoryExporter`](crate::InMemoryExporter), or one that is
/// [the program's own](crate::CustomExporter).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Collection {
    /// When it was collected, by the store's clock.
    pub time: SystemTime,
    /// The metrics that are let out, sorted by name.
    pub metrics: Vec<CollectedMetric>,
}

/// A metric as it is let out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CollectedMetric {
    /// Its name, as views have it.
    pub name: String,
    /// Its unit, as views have it; may be empty.
    pub unit: String,
    /// What it measures, as views have it; may be empty.
    pub description: String,
    /// Its kind.
    pub kind: Kind,
    /// What its values are of; gauges and summaries are always cumulative.
    pub temporality: Temporality,
    /// What the program declares.
    pub definition: Arc<Definition>,
    /// Its series, sorted by their labels; in deltas those to which nothing was added are left out.
    pub series: Vec<Series>,
}

impl Collection {
    /// Reads the store: every metric that the plan lets out and that has a series, cumulatively.
    pub(crate) fn of(plan: &mut Plan, store: &Store, time: SystemTime) -> Collection {
        Collection::with(plan, store, time, |_, _| Temporality::Cumulative)
    }

    /// The same, but `shape` makes of the series of each metric what it wants, and says since when they count.
    pub(crate) fn with(
        plan: &mut Plan,
        store: &Store,
        time: SystemTime,
        mut shape: impl FnMut(&StreamView<'_>, &mut Vec<Series>) -> Temporality,
    ) -> Collection {
        let mut metrics = Vec::new();
        store.read(|reading| {
            for view in plan.streams(reading) {
                let stream = view.stream();
                let mut series = Vec::new();
                view.each(|view| series.push(Series::from(view)));
                series.sort_by(|one: &Series, other| one.labels.cmp(&other.labels));
                let temporality = shape(&view, &mut series);
                if !series.is_empty() {
                    metrics.push(CollectedMetric {
                        name: stream.name().to_owned(),
                        unit: stream.unit().to_owned(),
                        description: stream.description().to_owned(),
                        kind: stream.kind(),
                        temporality,
                        definition: Arc::clone(stream.definition()),
                        series,
                    });
                }
            }
        });
        Collection { time, metrics }
    }

    /// The metric of this name; the first, if scopes that are given at run time have several.
    pub fn metric(&self, name: &str) -> Option<&CollectedMetric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// How many points there are: one for each series.
    pub fn points(&self) -> usize {
        self.metrics.iter().map(|metric| metric.series.len()).sum()
    }
}
