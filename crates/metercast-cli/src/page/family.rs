//! A metric of a page, with its series.

use std::collections::HashMap;

use super::line::Labels;

/// What a page says that a metric is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    /// It does not say.
    #[default]
    Unknown,
}

impl Kind {
    /// By its name on a page.
    pub(crate) fn of(name: &str) -> Kind {
        match name.to_ascii_lowercase().as_str() {
            "counter" => Kind::Counter,
            "gauge" => Kind::Gauge,
            "histogram" => Kind::Histogram,
            "gaugehistogram" => Kind::GaugeHistogram,
            "summary" => Kind::Summary,
            "info" => Kind::Info,
            "stateset" => Kind::StateSet,
            _ => Kind::Unknown,
        }
    }

    /// Its name on a page.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::GaugeHistogram => "gaugehistogram",
            Kind::Summary => "summary",
            Kind::Info => "info",
            Kind::StateSet => "stateset",
            Kind::Unknown => "unknown",
        }
    }
}

/// A metric with its series, in the order of the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    /// The name that queries use: with `_total`, without `_bucket`.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) help: String,
    pub(crate) unit: String,
    pub(crate) series: Vec<Series>,
    index: HashMap<Labels, usize>,
}

/// One set of labels and what it is at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) value: Value,
}

/// What a series is at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    /// A histogram or a summary.
    Distribution(Distribution),
}

/// What is known of many values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Distribution {
    /// How many there were.
    pub(crate) count: Option<f64>,
    /// What they add up to.
    pub(crate) sum: Option<f64>,
    /// How many there were up to each bound; of a histogram.
    pub(crate) buckets: Vec<(f64, f64)>,
    /// The value below which each part lies; of a summary.
    pub(crate) quantiles: Vec<(f64, f64)>,
}

impl Family {
    pub(crate) fn new(name: String, kind: Kind, help: String, unit: String) -> Family {
        Family { name, kind, help, unit, ..Family::default() }
    }

    /// The series with these labels.
    pub(crate) fn get(&self, labels: &Labels) -> Option<&Series> {
        self.index.get(labels).map(|at| &self.series[*at])
    }

    /// The value of the series with these labels, if there is one.
    pub(super) fn value(&mut self, labels: &Labels) -> Option<&mut Value> {
        self.index.get(labels).map(|at| &mut self.series[*at].value)
    }

    /// Adds a series whose labels are new.
    pub(super) fn add(&mut self, labels: Labels, value: Value) {
        self.index.insert(labels.clone(), self.series.len());
        self.series.push(Series { labels, value });
    }
}

impl Distribution {
    /// How many values there were, be it as the last bucket says.
    pub(crate) fn count(&self) -> Option<f64> {
        self.count.or_else(|| self.buckets.last().map(|(_, count)| *count))
    }
}
