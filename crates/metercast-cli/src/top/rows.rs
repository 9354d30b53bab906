//! The rows of the table: metrics, or the series of one, filtered and in order.

use super::figure;
use super::history::{History, Metric, written};
use super::options::Sort;
use super::track::Track;
use crate::page::Kind;

/// One row, its figures in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The name of the metric, or the labels of the series.
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) series: String,
    pub(crate) now: String,
    /// Per second, or since the reading before.
    pub(crate) rate: String,
    /// What the bars are of.
    pub(crate) line: Vec<f64>,
    /// Which labels there are.
    pub(crate) labels: String,
}

/// Which rows there are, and how they are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) filter: &'a str,
    pub(crate) sort: Sort,
    /// The metric whose series are rows.
    pub(crate) inside: Option<&'a str>,
    /// What came since the reading before, and not per second.
    pub(crate) deltas: bool,
    /// Seconds since 1970.
    pub(crate) now: f64,
}

impl Wanted<'_> {
    /// The metrics that are wanted, in order.
    pub(crate) fn metrics<'h>(&self, history: &'h History) -> Vec<&'h Metric> {
        let filter = self.filter.to_lowercase();
        let mut metrics: Vec<_> =
            history.metrics().iter().filter(|metric| matches(metric, &filter)).collect();
        match self.sort {
            Sort::Name => metrics.sort_by(|one, other| one.name.cmp(&other.name)),
            Sort::Rate => {
                metrics.sort_by(|one, other| faster(&one.all, &other.all).then(one.name.cmp(&other.name)));
            }
            Sort::Series => {
                metrics.sort_by(|one, other| {
                    other.series.len().cmp(&one.series.len()).then(one.name.cmp(&other.name))
                });
            }
            Sort::Changed => metrics.sort_by(|one, other| {
                other
                    .all
                    .changed
                    .cmp(&one.all.changed)
                    .then_with(|| faster(&one.all, &other.all))
                    .then(one.name.cmp(&other.name))
            }),
        }
        metrics
    }

    /// The rows that are wanted, in order.
    pub(crate) fn rows(&self, history: &History) -> Vec<Row> {
        match self.inside.map(|name| history.get(name)) {
            Some(Some(metric)) => self.rows_inside(metric),
            Some(None) => Vec::new(),
            None => self.metrics(history).into_iter().map(|metric| self.row(metric)).collect(),
        }
    }

    fn row(&self, metric: &Metric) -> Row {
        let labels: Vec<_> =
            metric.labels().into_iter().map(|(key, values)| format!("{key}={values}")).collect();
        Row {
            name: metric.name.clone(),
            kind: short(metric.kind),
            series: metric.series.len().to_string(),
            now: self.value(metric, &metric.all, true),
            rate: self.rate(metric, &metric.all),
            line: metric.all.line.iter().copied().collect(),
            labels: labels.join(" "),
        }
    }

    fn rows_inside(&self, metric: &Metric) -> Vec<Row> {
        let filter = self.filter.to_lowercase();
        let mut series: Vec<_> = metric
            .series
            .iter()
            .map(|series| (written(&series.labels), &series.track))
            .filter(|(labels, _)| labels.to_lowercase().contains(&filter))
            .collect();
        match self.sort {
            Sort::Name | Sort::Series => series.sort_by(|one, other| one.0.cmp(&other.0)),
            Sort::Rate => series.sort_by(|one, other| faster(one.1, other.1).then(one.0.cmp(&other.0))),
            Sort::Changed => {
                series.sort_by(|one, other| other.1.changed.cmp(&one.1.changed).then(one.0.cmp(&other.0)));
            }
        }
        let row = |(labels, track): (String, &Track)| Row {
            name: if labels.is_empty() { "(no labels)".to_owned() } else { labels },
            kind: short(metric.kind),
            series: String::new(),
            now: self.value(metric, track, false),
            rate: self.rate(metric, track),
            line: track.line.iter().copied().collect(),
            labels: String::new(),
        };
        series.into_iter().map(row).collect()
    }

    fn value(&self, metric: &Metric, track: &Track, of_all: bool) -> String {
        let shown = |value: f64| figure::value(value, metric.unit, self.now);
        if metric.is_distribution() {
            return match track.quantiles {
                [_, _, Some(most)] => format!("p99 {}", shown(most)),
                [_, Some(most), None] => format!("p95 {}", shown(most)),
                [Some(most), None, None] => format!("p50 {}", shown(most)),
                [None, None, None] => "-".to_owned(),
            };
        }
        match metric.range() {
            // Of times, the last.
            Some((low, high)) if of_all && metric.unit == figure::Unit::Seconds && low >= 1e9 => shown(high),
            Some((low, high)) if of_all && !metric.adds_up() && low != high => {
                format!("{}..{}", shown(low), shown(high))
            }
            Some((low, _)) if of_all && !metric.adds_up() => shown(low),
            _ => shown(track.value),
        }
    }

    fn rate(&self, metric: &Metric, track: &Track) -> String {
        // How many values there were is no length of time.
        let unit = if metric.is_distribution() { figure::Unit::Other } else { metric.unit };
        let is_time = unit == figure::Unit::Seconds && track.value >= 1e9;
        let shown = |value: f64| {
            if unit == figure::Unit::Seconds { figure::length(value) } else { figure::rate(value, unit) }
        };
        match (self.deltas, track.delta, track.rate) {
            (true, Some(delta), _) if !is_time => match shown(delta) {
                text if delta > 0.0 => format!("+{text}"),
                text => text,
            },
            (false, _, Some(rate)) => figure::rate(rate, unit),
            _ => "-".to_owned(),
        }
    }
}

/// Whether a metric has `filter`, in small letters, in its name or a label.
fn matches(metric: &Metric, filter: &str) -> bool {
    filter.is_empty()
        || metric.name.to_lowercase().contains(filter)
        || metric.series.iter().any(|series| written(&series.labels).to_lowercase().contains(filter))
}

/// The faster first; what has no rate last.
fn faster(one: &Track, other: &Track) -> std::cmp::Ordering {
    let rate = |track: &Track| track.rate.unwrap_or(-1.0);
    rate(other).total_cmp(&rate(one))
}

fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "ctr",
        Kind::Gauge => "gauge",
        Kind::Histogram | Kind::GaugeHistogram => "hist",
        Kind::Summary => "summ",
        Kind::Info => "info",
        Kind::StateSet => "state",
        Kind::Unknown => "?",
    }
}
