//! A view: which metrics, and what an exporter makes of them.

use std::fmt;
use std::sync::Arc;

use metercast_core::Kind;

use super::glob::Glob;
use super::selector::Selector;

/// What an exporter makes of the metrics that it selects. What a view does not mention stays as it is; the kind always does.
///
/// What was accumulated stays with a metric whatever a view does to its name, unit, description and labels; series that a view
/// makes equal are added up, of gauges the newest stands. Buckets that the cells do not have yet begin to count when they are
/// asked for. The [module](super) says what several views come to.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct View {
    pub(crate) selector: Selector,
    pub(crate) name: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) labels: Vec<LabelRule>,
    pub(crate) exemplar_labels: bool,
    pub(crate) aggregation: Option<Aggregation>,
    pub(crate) gauges: Option<GaugeMerge>,
    pub(crate) limit: Option<usize>,
    pub(crate) said: Said,
}

/// Where a view is said, for sentences about it. It is no part of what the view says: two that differ in it only are equal.
#[derive(Clone, Default)]
pub(crate) struct Said {
    place: Option<Arc<str>>,
    is_for_all: bool,
}

impl Said {
    /// At this place, for this exporter or for all that there are.
    pub(crate) fn at(place: &str, is_for_all: bool) -> Said {
        Said { place: Some(place.into()), is_for_all }
    }

    /// The `number`th view that code gives an exporter, counted from 1; `what` is what the exporter is there.
    pub(crate) fn in_code(number: usize, what: &str) -> Said {
        Said::at(&format!("view {number} of the {what} in code"), false)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.place.is_some()
    }

    /// Whether it is for all exporters, some of which may have no use for it.
    pub(crate) fn is_for_all(&self) -> bool {
        self.is_for_all
    }
}

impl PartialEq for Said {
    fn eq(&self, _: &Said) -> bool {
        true
    }
}

impl fmt::Debug for Said {
    /// Views that are equal look the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.place.as_deref().unwrap_or("a view"))
    }
}

/// What becomes of labels. The rules of a view apply in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelRule {
    /// Keeps the labels whose key matches one of these patterns, and no other.
    Keep(Vec<Glob>),
    /// Drops the labels whose key matches one of these patterns.
    Drop(Vec<Glob>),
    /// Gives the label with the first key the second one. If there is one with that already, the one that was renamed stays.
    Rename(String, String),
}

/// How the values of a metric are put together.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Aggregation {
    /// As without any view; undoes what an earlier view says.
    Default,
    /// Not at all: the metric is left out.
    Drop,
    /// A histogram over buckets with these upper bounds, finite and increasing. Only for histograms.
    Buckets(Vec<f64>),
    /// A histogram over buckets that follow the values. Only for histograms.
    Exponential {
        /// The most buckets on each side of zero, 2 to 160; more are brought together.
        max_size: u32,
        /// The highest scale, -10 to 20.
        max_scale: i8,
    },
}

/// What stands for several gauges whose labels a view makes equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GaugeMerge {
    /// The one that was set last, as far as two readings tell; else the one that was used first.
    #[default]
    Newest,
    /// Their sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl LabelRule {
    /// Whether it takes labels away.
    pub(crate) fn takes(&self) -> bool {
        matches!(self, LabelRule::Keep(_) | LabelRule::Drop(_))
    }
}

impl View {
    /// Of the metrics whose name, as the program declares it, matches this pattern.
    pub fn of(name: impl Into<Glob>) -> View {
        View::select(Selector { name: Some(name.into()), ..Selector::default() })
    }

    /// Of the metrics that this selects.
    pub fn select(selector: Selector) -> View {
        View { selector, ..View::default() }
    }

    /// Whether it makes nothing of what it selects.
    pub(crate) fn is_idle(&self) -> bool {
        *self == View::select(self.selector.clone())
    }

    /// Only of metrics of this kind.
    pub fn kind(mut self, kind: Kind) -> View {
        self.selector.kind = Some(kind);
        self
    }

    /// Gives the metric another name, of those that a program can declare: a letter, then up to 254 of letters, digits and
    /// `_ . - /`. What selects metrics goes on knowing it by the name that the program declares. If several metrics get one name,
    /// the view that comes first gives it.
    pub fn rename(mut self, name: impl Into<String>) -> View {
        self.name = Some(name.into());
        self
    }

    /// Shows the metric a second time, under this name and as this view has it; the first stays without what this view
    /// changes.
    pub fn alias(mut self, name: impl Into<String>) -> View {
        self.alias = Some(name.into());
        self
    }

    /// Gives it another description.
    pub fn description(mut self, description: impl Into<String>) -> View {
        self.description = Some(description.into());
        self
    }

    /// Gives it another unit, in UCUM, and converts its values, with bounds, quantiles and exemplars. A metric without a unit is
    /// only said to have it.
    ///
    /// There is a way between times (`ns`, `us`, `ms`, `s`, `min`, `h`, `d`), between sizes (`By`, `kBy`, `MBy`, `GBy`, `KiBy`,
    /// `MiBy`, `GiBy`, `TiBy`, and the same of `bit` up to `Gbit` and `Gibit`), between `1`, `%` and counts of anything in braces, and
    /// between rates of these, such as `By/s` and `KiBy/min`. Otherwise the unit stays, and that is said. Whole numbers stay
    /// whole if the factor is. Exponential buckets are moved: exactly if the factor is a power of two, else by half a bucket too
    /// far or not far enough at most; count, sum and extremes are exact in any case.
    ///
    /// ```
    /// use metercast::view::{Projection, View};
    /// use metercast::{Log, PrometheusPage, Store, f64_histogram_with_unit};
    ///
    /// let store = Store::new();
    /// store.scope(|| f64_histogram_with_unit!("wait", "Time to wait", "s", 0.3));
    ///
    /// let view = View::of("wait").unit("ms").buckets([250.0, 500.0]);
    /// let page = PrometheusPage::new("own", Log::default()).projection(Projection::new().view(view));
    /// let page = page.render(&store);
    /// assert_eq!(
    ///     page.lines().skip(2).collect::<Vec<_>>(),
    ///     [
    ///         r#"wait_milliseconds_bucket{le="250"} 0"#,
    ///         r#"wait_milliseconds_bucket{le="500"} 1"#,
    ///         r#"wait_milliseconds_bucket{le="+Inf"} 1"#,
    ///         "wait_milliseconds_sum 300",
    ///         "wait_milliseconds_count 1",
    ///     ]
    /// );
    /// ```
    pub fn unit(mut self, unit: impl Into<String>) -> View {
        self.unit = Some(unit.into());
        self
    }

    /// Keeps the labels whose key matches one of these patterns, and no other (but `otel.metric.overflow`, which says that series
    /// are missing).
    pub fn keep_labels<G: Into<Glob>>(mut self, keys: impl IntoIterator<Item = G>) -> View {
        self.labels.push(LabelRule::Keep(keys.into_iter().map(Into::into).collect()));
        self
    }

    /// Drops the labels whose key matches one of these patterns.
    pub fn drop_labels<G: Into<Glob>>(mut self, keys: impl IntoIterator<Item = G>) -> View {
        self.labels.push(LabelRule::Drop(keys.into_iter().map(Into::into).collect()));
        self
    }

    /// Gives a label another key, which is no other label's that this view renames.
    ///
    /// ```
    /// use metercast::view::{Projection, View};
    /// use metercast::{Log, PrometheusPage, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| u64_counter!("jobs", "Jobs done", 3, "kind" => "import", "host" => "a"));
    ///
    /// let view = View::of("jobs").drop_labels(["host"]).rename_label("kind", "job.type");
    /// let page = PrometheusPage::new("own", Log::default()).projection(Projection::new().view(view));
    /// assert_eq!(page.render(&store).lines().last(), Some(r#"jobs_total{job_type="import"} 3"#));
    /// ```
    pub fn rename_label(mut self, from: impl Into<String>, to: impl Into<String>) -> View {
        self.labels.push(LabelRule::Rename(from.into(), to.into()));
        self
    }

    /// Whether the labels that this view takes from series stay with their exemplars: OpenTelemetry calls them filtered attributes, and
    /// OpenMetrics has room for 128 characters of them. They do not unless it is said, since whoever may not see a label may not see it
    /// there either. Where several views take labels of a metric they stay only if each of these says so.
    ///
    /// ```
    /// use metercast::view::{Projection, View};
    /// use metercast::{ExemplarFilter, Format, Log, PageFormat, PrometheusPage, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.set_exemplars(ExemplarFilter::AlwaysOn);
    /// store.scope(|| u64_counter!("mails", "Mails sent", 3, "host" => String::from("a")));
    ///
    /// let view = View::of("mails").drop_labels(["host"]).exemplar_labels(true);
    /// let page = PrometheusPage::new("own", Log::default()).projection(Projection::new().view(view));
    /// let page = page.render_as(&store, PageFormat { format: Format::OpenMetrics1, ..PageFormat::default() });
    /// assert!(page.contains(r#"mails_total 3 # {host="a"} 3 "#), "{page}");
    /// ```
    pub fn exemplar_labels(mut self, stay: bool) -> View {
        self.exemplar_labels = stay;
        self
    }

    /// How values are put together.
    pub fn aggregation(mut self, aggregation: Aggregation) -> View {
        self.aggregation = Some(aggregation);
        self
    }

    /// Buckets with these upper bounds, in the unit that the metric has after the view, finite and increasing, at most 510 together
    /// with those that others ask for; only for histograms.
    pub fn buckets(self, bounds: impl Into<Vec<f64>>) -> View {
        self.aggregation(Aggregation::Buckets(bounds.into()))
    }

    /// Buckets that follow the values, at most 160 on each side of zero; only for histograms.
    pub fn exponential(self) -> View {
        self.aggregation(Aggregation::Exponential { max_size: 160, max_scale: 20 })
    }

    /// Leaves the metric out.
    pub fn drop(self) -> View {
        self.aggregation(Aggregation::Drop)
    }

    /// Takes the metric in again if an earlier view left it out.
    pub fn keep(self) -> View {
        self.aggregation(Aggregation::Default)
    }

    /// What stands for several gauges whose labels this view makes equal.
    pub fn gauges(mut self, merge: GaugeMerge) -> View {
        self.gauges = Some(merge);
        self
    }

    /// The most series, at least 1: what comes after that is added up in one with the label `otel.metric.overflow`. Who had a
    /// place keeps it, and who had none gets none, so that no counter goes down; when series end there is room for new ones.
    ///
    /// ```
    /// use metercast::view::{Projection, View};
    /// use metercast::{Log, PrometheusPage, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     for tenant in ["a", "b", "c", "d"] {
    ///         u64_counter!("jobs.of", "Jobs done", 1, "tenant" => tenant.to_owned());
    ///     }
    /// });
    ///
    /// let view = View::of("jobs.of").limit(2);
    /// let page = PrometheusPage::new("own", Log::default()).projection(Projection::new().view(view));
    /// assert_eq!(
    ///     page.render(&store).lines().skip(2).collect::<Vec<_>>(),
    ///     [
    ///         r#"jobs_of_total{tenant="a"} 1"#,
    ///         r#"jobs_of_total{tenant="b"} 1"#,
    ///         r#"jobs_of_total{otel_metric_overflow="true"} 2"#,
    ///     ]
    /// );
    /// ```
    pub fn limit(mut self, series: usize) -> View {
        self.limit = Some(series);
        self
    }
}
